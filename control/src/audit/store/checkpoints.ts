import type { Database, Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { AuditCheckpointRow } from "../../store/tables.ts";
import type { SignedCheckpoint } from "../checkpoint.ts";

export function listCheckpoints(database: Queryable): Promise<readonly AuditCheckpointRow[]> {
  return database.rows<AuditCheckpointRow>(sql`select * from audit_checkpoints order by entries`);
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
