import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { ApplyRow } from "../../store/tables.ts";

/** Open applies of which something was sent, that nobody has held for so long, and that do not say so yet. */
export function listUnheld(database: Queryable, sinceMs: number): Promise<readonly ApplyRow[]> {
  return database.rows<ApplyRow>(sql`
    select a.* from applies a join host_transactions t on t.request_id = a.request_id
    where a.state in ('APPLYING', 'ROLLBACKING') and a.phase <> 'in_doubt' and t.prepare_sent_at is not null
      and (a.lease_owner is null or a.lease_until < now())
      and a.next_check_at < now() - make_interval(secs => ${sinceMs}::float8 / 1000)
    order by a.requested_at`);
}

/** Applies under way since long after their window that nobody holds and nobody has decided to undo, though Execute was sent. */
export function listStuckForward(database: Queryable, graceMs: number): Promise<readonly ApplyRow[]> {
  return database.rows<ApplyRow>(sql`
    select a.* from applies a join host_transactions t on t.request_id = a.request_id
    where a.state = 'APPLYING' and t.execute_sent_at is not null and t.outcome is null
      and (a.lease_owner is null or a.lease_until < now())
      and t.execute_sent_at + make_interval(secs => ((t.trial->>'budgetMs')::float8 + (t.trial->>'windowMs')::float8 + ${graceMs}::float8) / 1000) < now()
    order by a.started_at`);
}
