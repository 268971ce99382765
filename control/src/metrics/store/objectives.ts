import type { Counted, ObjectiveName } from "@holdfast/core/objective/objective.ts";
import { OBJECTIVE_DAYS, OBJECTIVES, WISHED_BACK } from "@holdfast/core/objective/objective.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import { LOCKED_OUT } from "./counts.ts";

/** The numbers behind each objective, over the same events that the metrics are counted from, on the servers that this session may see. */
export async function countObjectives(database: Queryable): Promise<Readonly<Record<ObjectiveName, Counted>>> {
  const [success, inTime, recovery] = await Promise.all([
    succeeded(database),
    endedInTime(database),
    recovered(database),
  ]);
  return { success, in_time: inTime, recovery };
}

/** An apply that is rolled back after it was APPLIED has ended twice; where somebody wanted that, the second end counts for neither side. */
function succeeded(database: Queryable): Promise<Counted> {
  return database.one<Counted>(sql`
    select count(*) filter (where to_state = 'APPLIED')::int as good,
           count(*) filter (where to_state <> 'ROLLED_BACK' or coalesce(code, '') !~ ${`^(${WISHED_BACK})$`})::int as all
    from apply_events
    where to_state in ('APPLIED', 'FAILED', 'ROLLED_BACK') and from_state is distinct from to_state
      and at > now() - make_interval(days => ${OBJECTIVE_DAYS})`);
}

/** By the first end: what becomes of it later is no part of how long it took. */
function endedInTime(database: Queryable): Promise<Counted> {
  return database.one<Counted>(sql`
    with took as (
      select extract(epoch from min(e.at) - a.started_at)::float8 as seconds
      from applies a join apply_events e on e.apply_id = a.id and e.to_state in ('APPLIED', 'FAILED', 'ROLLED_BACK', 'CANCELLED')
        and e.from_state is distinct from e.to_state
      where a.started_at is not null
      group by a.id, a.started_at
      having min(e.at) > now() - make_interval(days => ${OBJECTIVE_DAYS})
    )
    select count(*) filter (where seconds <= ${OBJECTIVES.in_time.withinSeconds})::int as good, count(*)::int as all from took`);
}

function recovered(database: Queryable): Promise<Counted> {
  return database.one<Counted>(sql`
    select count(*) filter (where finished_at - execute_sent_at <= make_interval(secs => ${OBJECTIVES.recovery.withinSeconds}))::int as good,
           count(*)::int as all
    from host_transactions
    where outcome = 'reverted' and outcome_code = any(${[...LOCKED_OUT]}::text[]) and execute_sent_at is not null
      and finished_at > now() - make_interval(days => ${OBJECTIVE_DAYS})`);
}
