import type { ApplyId, ServerId, UserId } from "@holdfast/core/base/id.ts";
import type { Actor } from "./actor.ts";
import type { Queryable } from "./database.ts";
import { newId } from "./new-id.ts";
import { sql } from "./sql.ts";
import { StoreFailure } from "./store-failure.ts";
import type { DocumentKind, QuarantineRow, RevisionRef } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

/** These revisions were undone on this server for a reason of their own. `isTransient`: a retry may release them. */
export async function quarantine(
  tx: Transaction,
  server: ServerId,
  apply: ApplyId,
  revisions: readonly RevisionRef[],
  code: string,
  isTransient: boolean,
  by: Actor,
): Promise<void> {
  for (const { document_id, revision } of revisions) {
    const id: string = newId();
    await tx.run(sql`
      insert into quarantines (id, server_id, document_id, revision, apply_id, code, transient)
      values (${id}, ${server}, ${document_id}, ${revision}, ${apply}, ${code}, ${isTransient})
      on conflict (server_id, document_id, revision) where released_at is null do nothing`);
    tx.audit({
      ...by,
      action: "quarantine.set",
      object: `document/${document_id}`,
      serverId: server,
      new: { revision, apply_id: apply, code },
      resultCode: "ok",
    });
  }
}

export interface NamedQuarantine extends QuarantineRow {
  readonly kind: DocumentKind;
  readonly name: string;
}

/** Those that are not released. */
export function listQuarantines(database: Queryable, server: ServerId): Promise<readonly NamedQuarantine[]> {
  return database.rows<NamedQuarantine>(sql`
    select q.*, d.kind, d.name from quarantines q join documents d on d.id = q.document_id
    where q.server_id = ${server} and q.released_at is null order by q.created_at`);
}

/** A retry of this apply was asked for: what it had quarantined for a transient cause is free again. Returns what stays quarantined. */
export async function releaseTransient(
  tx: Transaction,
  apply: ApplyId,
  user: UserId,
  by: Actor,
): Promise<readonly QuarantineRow[]> {
  const released = await tx.rows<QuarantineRow>(sql`
    update quarantines set released_at = now(), released_by = ${user} where apply_id = ${apply} and transient and released_at is null returning *`);
  for (const row of released) saidReleased(tx, row, by);
  return tx.rows<QuarantineRow>(sql`select * from quarantines where apply_id = ${apply} and released_at is null`);
}

export async function releaseQuarantine(tx: Transaction, id: string, user: UserId, by: Actor): Promise<void> {
  const row = await tx.maybe<QuarantineRow>(sql`
    update quarantines set released_at = now(), released_by = ${user} where id = ${id} and released_at is null returning *`);
  if (row === undefined)
    throw new StoreFailure("store.wrong_state", "there is no such quarantine, or it was released already", {
      quarantine_id: id,
    });
  saidReleased(tx, row, by);
}

function saidReleased(tx: Transaction, row: QuarantineRow, by: Actor): void {
  tx.audit({
    ...by,
    action: "quarantine.released",
    object: `document/${row.document_id}`,
    serverId: row.server_id,
    old: { revision: row.revision, code: row.code },
    resultCode: "ok",
  });
}
