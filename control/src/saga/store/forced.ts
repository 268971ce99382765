import type { ApplyId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

/** Open applies that a person wants closed and that nobody holds. */
export async function listForced(database: Queryable): Promise<readonly ApplyId[]> {
  const rows = await database.rows<{ id: ApplyId }>(sql`
    select id from applies
    where wish = 'force_close' and state in ('APPLYING', 'ROLLBACKING') and (lease_owner is null or lease_until < now())
    order by requested_at`);
  return rows.map((row) => row.id);
}
