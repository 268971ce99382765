import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { ApplyId, ChangeId, InstanceId, PlanId, RolloutId, ServerId, UserId } from "@holdfast/core/base/id.ts";
import type { Actor } from "./actor.ts";
import { LEASE_MS } from "./apply-claim.ts";
import type { Queryable } from "./database.ts";
import { json, sql } from "./sql.ts";
import { StoreFailure } from "./store-failure.ts";
import type { BreakGlass, RolloutRow, RolloutState, RolloutTargetRow } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

export interface NewRollout {
  readonly id: RolloutId;
  readonly changeId: ChangeId;
  readonly kind: "forward" | "rollback";
  readonly settings: Json;
  readonly requestedBy: UserId;
  readonly targets: readonly NewTarget[];
  /** The request of the API that it began with. */
  readonly traceId?: string;
  /** That request's span; none where it is not traced. */
  readonly traceparent?: string | null;
  /** Where it is begun before its approvals. */
  readonly breakGlass?: BreakGlass;
  /** How many approvals it needed; none when not said. */
  readonly approvalsNeeded?: number;
}

export interface NewTarget {
  readonly serverId: ServerId;
  readonly wave: number;
  readonly position: number;
  readonly planId: PlanId;
  /** Of a rollback: the apply that is rolled back. */
  readonly applyId: ApplyId | null;
}

export async function insertRollout(tx: Transaction, rollout: NewRollout, by: Actor): Promise<RolloutRow> {
  const row = await tx.one<RolloutRow>(sql`
    insert into rollouts (id, change_id, kind, settings, requested_by, trace_id, traceparent, break_glass, approvals_needed)
    values (${rollout.id}, ${rollout.changeId}, ${rollout.kind}, ${json(rollout.settings)}, ${rollout.requestedBy}, ${rollout.traceId ?? null},
            ${rollout.traceparent ?? null}, ${rollout.breakGlass === undefined ? null : json({ ...rollout.breakGlass })}, ${rollout.approvalsNeeded ?? 0})
    returning *`);
  for (const target of rollout.targets) {
    await tx.run(sql`
      insert into rollout_targets (rollout_id, server_id, wave, position, plan_id, apply_id)
      values (${rollout.id}, ${target.serverId}, ${target.wave}, ${target.position}, ${target.planId}, ${target.applyId})`);
  }
  if (rollout.breakGlass !== undefined)
    await said(tx, row, "rollout.glass_broken", null, { ...rollout.breakGlass, change: row.change_id }, by);
  await said(tx, row, "rollout.started", null, { kind: row.kind, servers: rollout.targets.length }, by);
  tx.notify("holdfast_work", { rollout_id: row.id });
  return row;
}

export interface RolloutTrace {
  /** The request of the API that it began with; null of one that no request began. */
  readonly traceId: string | null;
  /** That request's span; null where this house did not trace then. */
  readonly traceparent: string | null;
  readonly servers: number;
}

export async function traceOf(tx: Transaction, id: RolloutId): Promise<RolloutTrace> {
  const row = await tx.one<Pick<RolloutRow, "trace_id" | "traceparent"> & { readonly servers: number }>(
    sql`select trace_id, traceparent, (select count(*)::int from rollout_targets where rollout_id = rollouts.id) as servers
        from rollouts where id = ${id}`,
  );
  return { traceId: row.trace_id, traceparent: row.traceparent, servers: row.servers };
}

export function getRollout(database: Queryable, id: RolloutId): Promise<RolloutRow | undefined> {
  return database.maybe<RolloutRow>(sql`select * from rollouts where id = ${id}`);
}

/** The row held until the transaction ends: what is dispatched now is dispatched in this state. */
export function lockRollout(tx: Transaction, id: RolloutId): Promise<RolloutRow> {
  return tx.one<RolloutRow>(sql`select * from rollouts where id = ${id} for update`);
}

/** Newest first; `before` is the cursor. */
export function listRollouts(
  database: Queryable,
  change: ChangeId | null,
  before: RolloutId | null,
  limit: number,
): Promise<readonly RolloutRow[]> {
  return database.rows<RolloutRow>(sql`
    select * from rollouts
    where (${change}::uuid is null or change_id = ${change}) and (${before}::uuid is null or id < ${before})
    order by id desc limit ${limit}`);
}

export function listTargets(database: Queryable, id: RolloutId): Promise<readonly RolloutTargetRow[]> {
  return database.rows<RolloutTargetRow>(
    sql`select * from rollout_targets where rollout_id = ${id} order by wave, position`,
  );
}

/** Claims a running rollout that nobody leads. One statement, and its fence rises: two instances never lead the same one. */
export function claimRollout(tx: Transaction, instance: InstanceId): Promise<RolloutRow | undefined> {
  return tx.maybe<RolloutRow>(sql`
    with candidate as (
      select id from rollouts
      where state = 'RUNNING' and (lease_owner is null or lease_until < now() or lease_owner = ${instance})
        and (wave_opens_at is null or wave_opens_at <= now())
      order by created_at, id
      limit 1
      for update skip locked
    )
    update rollouts r
    set fence = r.fence + 1, lease_owner = ${instance}, lease_until = now() + make_interval(secs => ${LEASE_MS}::float8 / 1000), version = r.version + 1
    from candidate c where r.id = c.id
    returning r.*`);
}

/** All that run and whose next wave is due, for whoever looks after them without a lease. */
export function listRunning(database: Queryable): Promise<readonly RolloutRow[]> {
  return database.rows<RolloutRow>(sql`
    select * from rollouts where state = 'RUNNING' and (wave_opens_at is null or wave_opens_at <= now()) order by created_at, id`);
}

/** Opens the next wave, now or after a pause. Compare-and-set on version and fence: `store.lost_race`. */
export async function openWave(
  tx: Transaction,
  rollout: RolloutRow,
  wave: number,
  pauseSeconds: number,
): Promise<RolloutRow> {
  const row = await tx.maybe<RolloutRow>(sql`
    update rollouts
    set current_wave = ${wave}, wave_opens_at = now() + make_interval(secs => ${pauseSeconds}::float8), version = version + 1
    where id = ${rollout.id} and state = 'RUNNING' and version = ${rollout.version} and fence = ${rollout.fence}
    returning *`);
  return orLostRace(row, rollout);
}

export interface RolloutEnd {
  readonly code: string | null;
  readonly message: string | null;
}

const MAY_BECOME = {
  RUNNING: ["PAUSED", "HALTED", "DONE"],
  PAUSED: ["RUNNING", "HALTED"],
  HALTED: [],
  DONE: [],
} as const satisfies Record<RolloutState, readonly RolloutState[]>;

/** Pauses, resumes, halts or ends a rollout. Works whoever leads it: what is dispatched after this sees it. */
export async function setRolloutState(
  tx: Transaction,
  id: RolloutId,
  to: RolloutState,
  why: RolloutEnd,
  by: Actor,
): Promise<RolloutRow> {
  const before = await lockRollout(tx, id);
  const allowed: readonly RolloutState[] = MAY_BECOME[before.state];
  if (!allowed.includes(to))
    throw new StoreFailure("store.wrong_state", `the rollout is ${before.state}`, { rollout_id: id });
  const isEnd = to === "HALTED" || to === "DONE";
  const row = await tx.one<RolloutRow>(sql`
    update rollouts
    set state = ${to}, halt_code = ${why.code}, halt_message = ${why.message}, finished_at = case when ${isEnd} then now() end,
        lease_owner = case when ${isEnd} then null else lease_owner end, lease_until = case when ${isEnd} then null else lease_until end,
        version = version + 1
    where id = ${id} returning *`);
  await said(
    tx,
    row,
    `rollout.${to.toLowerCase()}`,
    { state: before.state },
    { state: to, code: why.code, message: why.message },
    by,
  );
  tx.notify("holdfast_work", { rollout_id: id });
  return row;
}

/** Says which apply a target has become, in the transaction that dispatches it. */
export async function setTargetApply(
  tx: Transaction,
  rollout: RolloutId,
  server: ServerId,
  apply: ApplyId,
): Promise<void> {
  const touched = await tx.run(sql`
    update rollout_targets set apply_id = ${apply} where rollout_id = ${rollout} and server_id = ${server}`);
  if (touched !== 1)
    throw new StoreFailure("store.not_found", "the server is no target of the rollout", {
      rollout_id: rollout,
      server_id: server,
    });
}

/** Servers that an apply has under way now, over all rollouts: what the floor's `atOnce` limits. */
export async function countOpen(database: Queryable): Promise<number> {
  const { open } = await database.one<{ open: number }>(sql`
    select count(*) as open from applies where state in ('APPLYING', 'ROLLBACKING')`);
  return open;
}

function orLostRace(row: RolloutRow | undefined, rollout: RolloutRow): RolloutRow {
  if (row !== undefined) return row;
  throw new StoreFailure("store.lost_race", `rollout ${rollout.id} has been moved on by another`, {
    rollout_id: rollout.id,
  });
}

async function said(
  tx: Transaction,
  rollout: RolloutRow,
  action: string,
  old: Json,
  now: Json,
  by: Actor,
): Promise<void> {
  tx.audit({ ...by, action, object: `rollout/${rollout.id}`, old, new: now, resultCode: "ok" });
  tx.notify("holdfast_events", { kind: "rollout", action, rollout_id: rollout.id, change_id: rollout.change_id });
}
