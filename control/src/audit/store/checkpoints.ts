import type { Database, Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { AuditCheckpointRow } from "../../store/tables.ts";
import type { SignedCheckpoint } from "../checkpoint.ts";

/** The heads over more than `after` entries and at most `upTo` (null: however many), the shortest first. */
export async function listCheckpoints(
  database: Queryable,
  after: number,
  upTo: number | null,
): Promise<readonly SignedCheckpoint[]> {
  const rows = await database.rows<AuditCheckpointRow>(sql`
    select * from audit_checkpoints where entries > ${after} and (${upTo}::bigint is null or entries <= ${upTo}) order by entries`);
  return rows.map(({ entries, head, at, signature }) => ({ entries, head, at: at.toISOString(), signature }));
}

/** Two instances that sign the same head at once are content with one row. */
export async function insertCheckpoint(
  database: Database,
  { entries, head, at, signature }: SignedCheckpoint,
): Promise<void> {
  await database.run(sql`
    insert into audit_checkpoints (entries, head, at, signature) values (${entries}, ${head}, ${at}::timestamptz, ${signature})
    on conflict (entries) do nothing`);
}
