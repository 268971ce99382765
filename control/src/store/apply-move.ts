/**
 * How an apply changes. Every change is compare-and-set on what the caller has read: id, state, version and fence, and touches exactly one
 * row or fails with `store.lost_race`. So an instance that was asleep, however long, changes nothing.
 */
import { isOpen, type ApplyState, type Effect, type Phase, type ServerIs } from "@holdfast/core/apply/state.ts";
import type { ApplyId, ChangeId, PlanId, RequestId, RolloutId, ServerId, UserId } from "@holdfast/core/base/id.ts";
import type { Actor } from "./actor.ts";
import { writeApplyEvent } from "./apply-event.ts";
import type { Queryable } from "./database.ts";
import { json, sql } from "./sql.ts";
import { StoreFailure } from "./store-failure.ts";
import type { ApplyRow, RevisionRef, Wish } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

export interface NewApply {
  readonly id: ApplyId;
  readonly changeId: ChangeId;
  readonly rolloutId: RolloutId;
  readonly serverId: ServerId;
  readonly planId: PlanId;
  readonly wave: number;
  readonly revisions: readonly RevisionRef[];
  readonly requestedBy: UserId;
  readonly retryOf: ApplyRow | null;
}

/** Puts an apply into the queue. A server that has one waiting or under way is refused by name: `store.server_busy`. */
export async function insertReady(tx: Transaction, apply: NewApply, by: Actor): Promise<ApplyRow> {
  // One at a time per server, so that of two that come together one sees the other.
  const server = await tx.one<{ name: string }>(sql`select name from servers where id = ${apply.serverId} for update`);
  const other = await tx.maybe<Pick<ApplyRow, "id" | "change_id" | "state">>(sql`
    select id, change_id, state from applies where server_id = ${apply.serverId} and state in ('READY', 'APPLYING', 'ROLLBACKING') limit 1`);
  if (other !== undefined) {
    throw new StoreFailure("store.server_busy", `another change is ${other.state} on ${server.name}`, {
      server: server.name,
      server_id: apply.serverId,
      apply_id: other.id,
      change_id: other.change_id,
      state: other.state,
    });
  }
  const row = await tx.one<ApplyRow>(sql`
    insert into applies (id, change_id, rollout_id, server_id, plan_id, wave, revisions, requested_by, retry_of, retry_count)
    values (${apply.id}, ${apply.changeId}, ${apply.rolloutId}, ${apply.serverId}, ${apply.planId}, ${apply.wave},
            ${json(apply.revisions.map((ref) => ({ ...ref })))}, ${apply.requestedBy}, ${apply.retryOf?.id ?? null},
            ${apply.retryOf === null ? 0 : apply.retryOf.retry_count + 1})
    returning *`);
  await writeApplyEvent(tx, row, null, by, "apply.ready");
  tx.notify("holdfast_work", { server_id: apply.serverId });
  return row;
}

/** What an apply becomes. What is not said stays, but for what the state itself decides: see the fields. */
export interface Move {
  readonly to: Exclude<ApplyState, "DRAFT" | "READY">;
  /** In an open state; `dispatched` when not said. */
  readonly phase?: Phase;
  /** For FAILED, and only there. */
  readonly effect?: Effect;
  /** APPLIED is `as_requested`, ROLLED_BACK and what changed nothing `as_before`, whatever is said. */
  readonly serverIs?: ServerIs;
  readonly code?: string | null;
  readonly message?: string | null;
  readonly requestId?: RequestId;
  readonly deadlineAt?: Date | null;
  readonly nextCheckMs?: number;
  readonly lastStep?: string | null;
}

/** One step of core's table. Ends the lease where the state is no longer open. */
export async function move(tx: Transaction, apply: ApplyRow, step: Move, by: Actor): Promise<ApplyRow> {
  const open = isOpen(step.to);
  const effect = step.to === "FAILED" ? (step.effect ?? "unknown") : null;
  const row = await tx.maybe<ApplyRow>(sql`
    update applies
    set state = ${step.to}, phase = ${open ? (step.phase ?? "dispatched") : null}, effect = ${effect},
        server_is = ${serverIsAfter(apply, step, effect)},
        code = ${step.code === undefined ? apply.code : step.code}, message = ${step.message === undefined ? apply.message : step.message},
        request_id = ${step.requestId ?? apply.request_id},
        deadline_at = ${step.deadlineAt === undefined ? apply.deadline_at : step.deadlineAt},
        last_step = ${step.lastStep === undefined ? apply.last_step : step.lastStep},
        next_check_at = now() + make_interval(secs => ${step.nextCheckMs ?? 0}::float8 / 1000),
        finished_at = case when ${open} then null else now() end,
        lease_owner = case when ${open} then lease_owner end, lease_until = case when ${open} then lease_until end,
        wish = case when ${open} then wish end, wish_by = case when ${open} then wish_by end, wish_reason = case when ${open} then wish_reason end,
        version = version + 1
    where id = ${apply.id} and state = ${apply.state} and version = ${apply.version} and fence is not distinct from ${apply.fence}
    returning *`);
  const moved = orLostRace(row, apply);
  await writeApplyEvent(tx, moved, apply.state, by, "apply.moved");
  // Work that nobody holds: a rollback of something that had ended, or a server that is free for the next. What has ended moves rollouts on.
  if (moved.lease_owner === null)
    tx.notify("holdfast_work", { server_id: moved.server_id, ...(open ? {} : { rollout_id: moved.rollout_id }) });
  return moved;
}

export interface PhaseChange {
  readonly phase: Phase;
  readonly serverIs?: ServerIs;
  readonly requestId?: RequestId;
  readonly code?: string | null;
  readonly message?: string | null;
  readonly deadlineAt?: Date | null;
  readonly nextCheckMs?: number;
  readonly lastStep?: string | null;
}

/** Another phase inside an open state. */
export async function setPhase(tx: Transaction, apply: ApplyRow, change: PhaseChange, by: Actor): Promise<ApplyRow> {
  const row = await tx.maybe<ApplyRow>(sql`
    update applies
    set phase = ${change.phase}, server_is = ${change.serverIs ?? apply.server_is}, request_id = ${change.requestId ?? apply.request_id},
        code = ${change.code === undefined ? apply.code : change.code}, message = ${change.message === undefined ? apply.message : change.message},
        deadline_at = ${change.deadlineAt === undefined ? apply.deadline_at : change.deadlineAt},
        last_step = ${change.lastStep === undefined ? apply.last_step : change.lastStep},
        next_check_at = now() + make_interval(secs => ${change.nextCheckMs ?? 0}::float8 / 1000),
        version = version + case when (phase, server_is, code, request_id) is distinct from
          (${change.phase}, ${change.serverIs ?? apply.server_is}, ${change.code === undefined ? apply.code : change.code},
           ${change.requestId ?? apply.request_id}::uuid) then 1 else 0 end
    where id = ${apply.id} and state = ${apply.state} and version = ${apply.version} and fence is not distinct from ${apply.fence}
      and state in ('APPLYING', 'ROLLBACKING')
    returning *`);
  const changed = orLostRace(row, apply);
  if (changed.version !== apply.version) await writeApplyEvent(tx, changed, apply.state, by, "apply.phase");
  return changed;
}

export interface Progress {
  readonly lastStep?: string;
  readonly deadlineAt?: Date;
  readonly nextCheckMs?: number;
}

/** What a person watches and the next look, from whoever holds the newest claim. Decides nothing, so it disturbs nobody. */
export async function setProgress(
  database: Queryable,
  apply: Pick<ApplyRow, "id" | "fence">,
  progress: Progress,
): Promise<boolean> {
  const touched = await database.run(sql`
    update applies
    set last_step = coalesce(${progress.lastStep ?? null}, last_step), deadline_at = coalesce(${progress.deadlineAt ?? null}, deadline_at),
        next_check_at = coalesce(now() + make_interval(secs => ${progress.nextCheckMs ?? null}::float8 / 1000), next_check_at)
    where id = ${apply.id} and fence = ${apply.fence} and state in ('APPLYING', 'ROLLBACKING')`);
  return touched === 1;
}

/** The server's agent has seen a higher fence than ours (a restored backup): it is believed, and this claim goes on above it. */
export async function raiseFence(tx: Transaction, apply: ApplyRow, above: number, by: Actor): Promise<ApplyRow> {
  const { fence } = await tx.one<{ fence: number }>(sql`
    update servers set fence = greatest(fence, ${above}) + 1 where id = ${apply.server_id} returning fence`);
  const row = await tx.maybe<ApplyRow>(sql`
    update applies set fence = ${fence}, version = version + 1
    where id = ${apply.id} and state = ${apply.state} and version = ${apply.version} and fence is not distinct from ${apply.fence}
    returning *`);
  const raised = orLostRace(row, apply);
  await writeApplyEvent(tx, raised, apply.state, by, "apply.fence_raised");
  return raised;
}

/**
 * An operator's wish for an open apply and for exactly the transaction that they were looking at. A stronger wish takes a weaker one's
 * place: abort over confirm, force_close over both. `store.wrong_state` when there is nothing to wish for.
 */
export async function setWish(
  tx: Transaction,
  apply: ApplyId,
  request: RequestId | null,
  wish: Wish,
  user: UserId,
  reason: string,
  by: Actor,
): Promise<ApplyRow> {
  const row = await tx.maybe<ApplyRow>(sql`
    update applies set wish = ${wish}, wish_by = ${user}, wish_reason = ${reason}, next_check_at = now()
    where id = ${apply} and state in ('APPLYING', 'ROLLBACKING') and request_id is not distinct from ${request}
      and array_position(array['confirm', 'abort', 'force_close'], ${wish})
          >= coalesce(array_position(array['confirm', 'abort', 'force_close'], wish), 0)
    returning *`);
  if (row === undefined) {
    throw new StoreFailure(
      "store.wrong_state",
      `the apply is not open with this transaction, or a stronger wish than ${wish} is there already`,
      { apply_id: apply },
    );
  }
  tx.audit({
    ...by,
    action: `apply.wish_${wish}`,
    object: `apply/${apply}`,
    serverId: row.server_id,
    ...(row.request_id === null ? {} : { requestId: row.request_id }),
    new: { wish, reason },
    resultCode: "ok",
  });
  tx.notify("holdfast_work", { server_id: row.server_id });
  return row;
}

export interface TakenWish {
  readonly wish: Wish;
  readonly wish_by: UserId;
  readonly wish_reason: string;
}

/** Takes the wish out of the row, in the transaction that acts on it. Undefined when there is none. */
export function takeWish(tx: Transaction, apply: Pick<ApplyRow, "id" | "fence">): Promise<TakenWish | undefined> {
  return tx.maybe<TakenWish>(sql`
    with taken as (
      select id, wish, wish_by, wish_reason from applies where id = ${apply.id} and fence = ${apply.fence} and wish is not null for update
    )
    update applies a set wish = null, wish_by = null, wish_reason = null from taken t where a.id = t.id
    returning t.wish, t.wish_by, t.wish_reason`);
}

function serverIsAfter(apply: ApplyRow, step: Move, effect: Effect | null): ServerIs {
  if (step.to === "APPLIED") return "as_requested";
  if (step.to === "ROLLED_BACK" || step.to === "CANCELLED" || effect === "none") return "as_before";
  return step.serverIs ?? (step.to === "FAILED" ? "unknown" : apply.server_is);
}

function orLostRace(row: ApplyRow | undefined, apply: ApplyRow): ApplyRow {
  if (row !== undefined) return row;
  throw new StoreFailure(
    "store.lost_race",
    `apply ${apply.id} is no longer ${apply.state} at version ${apply.version} with fence ${apply.fence ?? "none"}`,
    {
      apply_id: apply.id,
    },
  );
}
