import type { ApplyId, ServerId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "./database.ts";
import { sql } from "./sql.ts";
import type { AssignmentRow, RevisionRef } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

export function listAssignments(database: Queryable, server: ServerId): Promise<readonly AssignmentRow[]> {
  return database.rows<AssignmentRow>(sql`select * from assignments where server_id = ${server} order by document_id`);
}

/** Every assignment of every server, for previews that compose the fleet. */
export function listAllAssignments(database: Queryable): Promise<readonly AssignmentRow[]> {
  return database.rows<AssignmentRow>(sql`select * from assignments order by server_id, document_id`);
}

/**
 * What is in force on a server becomes exactly `revisions`, the plan's whole list: what is not in it is no longer in force. Only together
 * with APPLIED, or with ROLLED_BACK by a rollback that was confirmed.
 */
export async function moveAssignments(
  tx: Transaction,
  server: ServerId,
  apply: ApplyId,
  revisions: readonly RevisionRef[],
): Promise<void> {
  const documents = revisions.map((ref) => ref.document_id);
  await tx.run(sql`delete from assignments where server_id = ${server} and document_id <> all(${documents}::uuid[])`);
  await tx.run(sql`
    insert into assignments (server_id, document_id, revision, apply_id)
    select ${server}, wanted.document_id, wanted.revision, ${apply}
    from unnest(${documents}::uuid[], ${revisions.map((ref) => String(ref.revision))}::int[]) as wanted (document_id, revision)
    on conflict (server_id, document_id) do update set revision = excluded.revision, apply_id = excluded.apply_id
      where assignments.revision <> excluded.revision`);
}
