import type { ServerId } from "@holdfast/core/base/id.ts";
import { ASKED_FOR } from "../../store/asked-for.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

/** When an apply failed or undid itself last, by server. What a person took back on purpose is no failure. */
export async function lastFailures(
  database: Queryable,
  servers: readonly ServerId[],
): Promise<ReadonlyMap<ServerId, Date>> {
  const rows = await database.rows<{ server_id: ServerId; at: Date }>(sql`
    select server_id, max(finished_at) as at from applies
    where server_id = any(${servers}::uuid[]) and state in ('FAILED', 'ROLLED_BACK') and finished_at is not null
      and coalesce(code, '') <> all(${ASKED_FOR}::text[])
      and coalesce(code, '') not like 'operator.%'
    group by server_id`);
  return new Map(rows.map(({ server_id, at }) => [server_id, at]));
}
