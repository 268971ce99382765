import type { ApplyId, ChangeId, InstanceId, RolloutId, ServerId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "./database.ts";
import { sql } from "./sql.ts";
import type { ApplyEventRow, ApplyRow } from "./tables.ts";

export function getApply(database: Queryable, id: ApplyId): Promise<ApplyRow | undefined> {
  return database.maybe<ApplyRow>(sql`select * from applies where id = ${id}`);
}

/** The row as it is now, held until the transaction ends. */
export function lockApply(tx: Queryable, id: ApplyId): Promise<ApplyRow> {
  return tx.one<ApplyRow>(sql`select * from applies where id = ${id} for update`);
}

export interface ApplyFilter {
  readonly states?: readonly ApplyRow["state"][];
  readonly serverId?: ServerId;
  readonly changeId?: ChangeId;
  readonly rolloutId?: RolloutId;
  /** Only applies whose id sorts before this one, newest first: the cursor. */
  readonly before?: ApplyId;
  readonly limit: number;
}

/** Newest first; ids are UUIDv7. */
export function listApplies(database: Queryable, filter: ApplyFilter): Promise<readonly ApplyRow[]> {
  return database.rows<ApplyRow>(sql`
    select * from applies
    where (${filter.states ?? null}::text[] is null or state = any(${filter.states ?? null}))
      and (${filter.serverId ?? null}::uuid is null or server_id = ${filter.serverId ?? null})
      and (${filter.changeId ?? null}::uuid is null or change_id = ${filter.changeId ?? null})
      and (${filter.rolloutId ?? null}::uuid is null or rollout_id = ${filter.rolloutId ?? null})
      and (${filter.before ?? null}::uuid is null or id < ${filter.before ?? null})
    order by id desc
    limit ${filter.limit}`);
}

export function listApplyEvents(database: Queryable, id: ApplyId): Promise<readonly ApplyEventRow[]> {
  return database.rows<ApplyEventRow>(sql`select * from apply_events where apply_id = ${id} order by id`);
}

/** What this instance holds and must look at now. */
export function listDue(database: Queryable, instance: InstanceId): Promise<readonly ApplyRow[]> {
  return database.rows<ApplyRow>(sql`
    select * from applies
    where lease_owner = ${instance} and state in ('APPLYING', 'ROLLBACKING') and next_check_at <= now()
    order by next_check_at`);
}

/** Open longer than its deadline and the grace allow. One on trial inside its window is not stuck. `longestMs` stands for an unknown deadline. */
export function listStuck(database: Queryable, graceMs: number, longestMs: number): Promise<readonly ApplyRow[]> {
  return database.rows<ApplyRow>(sql`
    select * from applies
    where state in ('APPLYING', 'ROLLBACKING')
      and coalesce(deadline_at, started_at + make_interval(secs => ${longestMs}::float8 / 1000)) + make_interval(secs => ${graceMs}::float8 / 1000) < now()
    order by started_at`);
}

/** Nobody knows what the server has done: for the alarm, and for the person who may force it closed. */
export function listInDoubt(database: Queryable): Promise<readonly ApplyRow[]> {
  return database.rows<ApplyRow>(sql`
    select * from applies where state in ('APPLYING', 'ROLLBACKING') and phase = 'in_doubt' order by started_at`);
}

/** Open applies that nobody holds, or whose holder has been silent beyond its lease. */
export function listAbandoned(database: Queryable): Promise<readonly ApplyRow[]> {
  return database.rows<ApplyRow>(sql`
    select * from applies
    where state in ('APPLYING', 'ROLLBACKING') and (lease_owner is null or lease_until < now())
    order by requested_at`);
}

export interface QueueDepth {
  readonly state: ApplyRow["state"];
  readonly phase: ApplyRow["phase"];
  readonly count: number;
}

/** For the metrics: how many wait and how many are under way, by phase. */
export function queueDepth(database: Queryable): Promise<readonly QueueDepth[]> {
  return database.rows<QueueDepth>(sql`
    select state, phase, count(*) as count from applies where state in ('READY', 'APPLYING', 'ROLLBACKING') group by state, phase order by state, phase`);
}
