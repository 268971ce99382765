import type { ChangeId, RolloutId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { ChangeRow } from "../../store/tables.ts";

/** The change held until the transaction ends: of two that apply it at once, one sees the other's rollout. */
export function lockChange(tx: Queryable, id: ChangeId): Promise<ChangeRow | undefined> {
  return tx.maybe<ChangeRow>(sql`select * from changes where id = ${id} for update`);
}

/** A rollout of this change that has not ended, or whose last servers are still on their way. */
export function openRollout(database: Queryable, change: ChangeId): Promise<{ readonly id: RolloutId } | undefined> {
  return database.maybe<{ id: RolloutId }>(sql`
    select r.id from rollouts r
    where r.change_id = ${change}
      and (r.state in ('RUNNING', 'PAUSED') or exists (select from applies a where a.rollout_id = r.id and a.state in ('APPLYING', 'ROLLBACKING')))
    order by r.created_at limit 1`);
}
