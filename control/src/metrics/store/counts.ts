import { readTraceparent } from "@holdfast/core/trace/traceparent.ts";
import { LEASE_LOST } from "../../store/apply-claim.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { Spread } from "../exposition.ts";

/** Upper bounds in seconds: an apply takes from under a second to the whole window of a careful floor. */
export const DURATION_BOUNDS = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 900] as const;

export interface AppliesByResult {
  readonly state: string;
  readonly effect: string | null;
  readonly count: number;
}

/** From events, which only ever become more: an apply that is rolled back after it was APPLIED has ended twice. */
export function appliesByResult(database: Queryable): Promise<readonly AppliesByResult[]> {
  return database.rows<AppliesByResult>(sql`
    select to_state as state, effect, count(*) as count from apply_events
    where to_state in ('APPLIED', 'FAILED', 'ROLLED_BACK', 'CANCELLED') and from_state is distinct from to_state
    group by to_state, effect order by to_state, effect`);
}

export interface Undone {
  readonly code: string;
  readonly count: number;
}

/**
 * Codes come from agents too, also newer ones: the first that were seen have a name of their own, for ever, and all others are one. By how often
 * they come a code could change its name, and a counter fall.
 */
const CODES_MOST = 40;

export function undoneByCode(database: Queryable): Promise<readonly Undone[]> {
  return database.rows<Undone>(sql`
    with counted as (
      select coalesce(code, '') as code, count(*) as count, row_number() over (order by min(id)) as place
      from apply_events where to_state = 'ROLLED_BACK' and from_state is distinct from to_state group by coalesce(code, '')
    )
    select case when place <= ${CODES_MOST} then code else 'other' end as code, sum(count)::bigint as count from counted group by 1 order by 1`);
}

/** How long the audit log is. A number that falls says that its end was cut off. */
export async function auditEntries(database: Queryable): Promise<number> {
  const { entries } = await database.one<{ entries: number }>(
    sql`select coalesce(max(id), 0)::bigint as entries from audit_log`,
  );
  return entries;
}

/** The newest of a bucket, by which its log and its trace are found. */
interface Newest {
  readonly bucket: number;
  readonly seconds: number;
  readonly request_id: string | null;
  readonly traceparent: string | null;
  readonly at: number;
}

interface Counted extends Omit<Spread, "newest"> {
  readonly newest: readonly Newest[];
}

function withExemplars({ newest, ...spread }: Counted): Spread {
  return {
    ...spread,
    newest: newest.flatMap(({ bucket, seconds, request_id: requestId, traceparent, at }) => {
      const traceId = readTraceparent(traceparent)?.traceId;
      const labels = {
        ...(requestId === null ? {} : { request_id: requestId }),
        ...(traceId === undefined ? {} : { trace_id: traceId }),
      };
      return Object.keys(labels).length === 0 ? [] : [{ bucket, exemplar: { labels, value: seconds, at } }];
    }),
  };
}

/** From the claim to the first end, whatever it was: what becomes of it later is no part of how long it took. */
export async function applyDurations(database: Queryable): Promise<Spread> {
  return withExemplars(
    await database.one<Counted>(sql`
    with took as (
      select h.request_id, h.traceparent, extract(epoch from min(e.at))::float8 as at, extract(epoch from min(e.at) - a.started_at)::float8 as seconds
      from applies a join apply_events e on e.apply_id = a.id and e.to_state in ('APPLIED', 'FAILED', 'ROLLED_BACK', 'CANCELLED')
        and e.from_state is distinct from e.to_state
        left join lateral (select request_id, traceparent from host_transactions where apply_id = a.id and kind = 'forward'
                           order by created_at desc limit 1) as h on true
      where a.started_at is not null group by a.id, a.started_at, h.request_id, h.traceparent
    )
    select (select array_agg((select count(*) from took where seconds <= bound)::int order by bound) from unnest(${DURATION_BOUNDS.map(String)}::float8[]) as bound) as buckets,
           (select count(*) from took) as count, coalesce((select sum(seconds) from took), 0) as seconds,
           (select coalesce(jsonb_agg(jsonb_build_object('bucket', bucket, 'seconds', seconds, 'request_id', request_id, 'traceparent', traceparent, 'at', at)), '[]')
            from (select distinct on (bucket) * from
                    (select *, (select count(*) from unnest(${DURATION_BOUNDS.map(String)}::float8[]) as bound where bound < seconds) as bucket from took) as placed
                  order by bucket, at desc) as last_of_bucket) as newest`),
  );
}

/** From the claim to the first step out of APPLYING. */
export function dwellInApplying(database: Queryable): Promise<Spread> {
  return database.one<Spread>(sql`
    with took as (
      select extract(epoch from min(e.at) - a.started_at)::float8 as seconds
      from applies a join apply_events e on e.apply_id = a.id and e.from_state = 'APPLYING' and e.to_state <> 'APPLYING'
      where a.started_at is not null group by a.id, a.started_at
    )
    select (select array_agg((select count(*) from took where seconds <= bound)::int order by bound) from unnest(${DURATION_BOUNDS.map(String)}::float8[]) as bound) as buckets,
           (select count(*) from took) as count, coalesce((select sum(seconds) from took), 0) as seconds`);
}

/**
 * Servers that a change had cut off from somebody, the control plane or others: from the order to change until they were known to be as
 * before. Undone for any other reason, nobody was locked out.
 */
export const LOCKED_OUT = ["trial.no_reconnect", "apply.probe_failed"] as const;

export async function recoveries(database: Queryable): Promise<Spread> {
  return withExemplars(
    await database.one<Counted>(sql`
    with took as (
      select request_id, traceparent, extract(epoch from finished_at)::float8 as at,
             extract(epoch from finished_at - execute_sent_at)::float8 as seconds
      from host_transactions
      where outcome = 'reverted' and outcome_code = any(${[...LOCKED_OUT]}::text[]) and execute_sent_at is not null
    )
    select (select array_agg((select count(*) from took where seconds <= bound)::int order by bound) from unnest(${DURATION_BOUNDS.map(String)}::float8[]) as bound) as buckets,
           (select count(*) from took) as count, coalesce((select sum(seconds) from took), 0) as seconds,
           (select coalesce(jsonb_agg(jsonb_build_object('bucket', bucket, 'seconds', seconds, 'request_id', request_id, 'traceparent', traceparent, 'at', at)), '[]')
            from (select distinct on (bucket) * from
                    (select *, (select count(*) from unnest(${DURATION_BOUNDS.map(String)}::float8[]) as bound where bound < seconds) as bucket from took) as placed
                  order by bucket, at desc) as last_of_bucket) as newest`),
  );
}

export interface PhaseSpread extends Spread {
  readonly phase: string;
}

/** How long applies stayed in each phase: from entering it to whatever came next. One that they are in has no length yet. */
export function phaseDurations(database: Queryable): Promise<readonly PhaseSpread[]> {
  return database.rows<PhaseSpread>(sql`
    with entered as (
      select id, apply_id, at, phase, (to_state, phase) is distinct from lag((to_state, phase)) over w as is_new
      from apply_events window w as (partition by apply_id order by id)
    ), took as (
      select phase, extract(epoch from lead(at) over (partition by apply_id order by id) - at)::float8 as seconds from entered where is_new
    )
    select phase, array_agg(at_most order by bound) as buckets, max(count) as count, max(seconds) as seconds
    from (select phase, bound, count(*) filter (where seconds <= bound)::int as at_most, count(*) as count, sum(seconds) as seconds
          from took cross join unnest(${DURATION_BOUNDS.map(String)}::float8[]) as bound
          where phase is not null and seconds is not null group by phase, bound) as counted
    group by phase order by phase`);
}

export interface AppliesOfPolicy {
  readonly policy: string;
  readonly state: string;
  readonly count: number;
}

/** As with codes: the first policies of which an apply has ended have a name of their own, for ever, and all others are one. */
export const POLICIES_MOST = 50;

/** Ends of applies for each policy that was in them. */
export function appliesByPolicy(database: Queryable): Promise<readonly AppliesOfPolicy[]> {
  return database.rows<AppliesOfPolicy>(sql`
    with ended as (
      select d.name, e.to_state as state, e.id
      from apply_events e join applies a on a.id = e.apply_id
           cross join lateral jsonb_to_recordset(a.revisions) as revision (document_id uuid)
           join documents d on d.id = revision.document_id and d.kind = 'Policy'
      where e.to_state in ('APPLIED', 'FAILED', 'ROLLED_BACK', 'CANCELLED') and e.from_state is distinct from e.to_state
    ), known as (
      select name, row_number() over (order by min(id), name) as place from ended group by name
    )
    select case when place <= ${POLICIES_MOST} then ended.name else '' end as policy, ended.state, count(*) as count
    from ended join known using (name) group by 1, 2 order by 1, 2`);
}

/** Claims of an apply whose holder had not let go of it: it was killed, cut off from the database, or asleep for longer than its lease. */
export async function leasesLost(database: Queryable): Promise<number> {
  const { lost } = await database.one<{ lost: number }>(
    sql`select count(*) as lost from apply_events where code = ${LEASE_LOST}`,
  );
  return lost;
}

export interface DomainEnds {
  readonly domain: string;
  readonly outcome: string;
  readonly count: number;
}

/** Host transactions by how they ended, for each domain that had a step in them. */
export function endsByDomain(database: Queryable): Promise<readonly DomainEnds[]> {
  return database.rows<DomainEnds>(sql`
    select step.domain, t.outcome, count(*) as count
    from host_transactions t join plans p on p.id = t.plan_id
         cross join lateral (select distinct one ->> 'domain' as domain from jsonb_array_elements(p.steps) as one) as step
    where t.outcome is not null and step.domain is not null
    group by step.domain, t.outcome order by step.domain, t.outcome`);
}

export interface OldestOpen {
  readonly state: string;
  readonly seconds: number;
}

export function oldestOpen(database: Queryable): Promise<readonly OldestOpen[]> {
  return database.rows<OldestOpen>(sql`
    select state, extract(epoch from now() - min(coalesce(started_at, requested_at)))::float8 as seconds
    from applies where state in ('READY', 'APPLYING', 'ROLLBACKING') group by state order by state`);
}

export interface Fleet {
  readonly enrolled: number;
  readonly connected: number;
  readonly drifted: number;
  readonly locked: number;
  readonly quarantines: number;
  readonly certificate_seconds: number | null;
}

export function fleet(database: Queryable): Promise<Fleet> {
  return database.one<Fleet>(sql`
    select count(*) as enrolled, count(*) filter (where session_instance is not null) as connected,
           count(*) filter (where drift <> '[]') as drifted, count(*) filter (where locked_code is not null) as locked,
           (select count(*) from quarantines where released_at is null) as quarantines,
           (select extract(epoch from min(not_after) - now())::float8 from agent_keys k join servers s on s.id = k.server_id
            where k.state = 'active' and s.enrolment = 'enrolled') as certificate_seconds
    from servers where enrolment = 'enrolled'`);
}
