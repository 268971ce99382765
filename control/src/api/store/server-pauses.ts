import type { ServerId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

/** Why each of these servers is paused; those that are not are left out. */
export async function pausesOf(database: Queryable, ids: readonly ServerId[]): Promise<ReadonlyMap<ServerId, string>> {
  const rows = await database.rows<{ id: ServerId; paused_reason: string | null }>(sql`
    select id, paused_reason from servers where id = any(${ids}::uuid[]) and paused_until > now()`);
  return new Map(rows.map((row) => [row.id, row.paused_reason ?? ""]));
}
