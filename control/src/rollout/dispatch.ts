import type { ApplyId, InstanceId, RolloutId } from "@holdfast/core/base/id.ts";
import { assertNever } from "@holdfast/core/base/never.ts";
/**
 * Moves rollouts on: what is due is dispatched, opened, halted or finished in one transaction that holds the rollout's row, so whoever paused
 * or halted it a moment before is heard, and two instances never do it twice. No lease is needed: nothing outside is waited for.
 */
import type { WaveSettings } from "@holdfast/core/compose/floor-settings.ts";
import { nextRolloutAction, type RolloutTarget, type TargetStatus } from "@holdfast/core/rollout/progress.ts";
import type { Logger } from "pino";
import { beginRollback } from "../saga/begin.ts";
import { type Actor, systemActor } from "../store/actor.ts";
import { getApply, lockApply } from "../store/applies.ts";
import { insertReady, move } from "../store/apply-move.ts";
import type { Database } from "../store/database.ts";
import { newId } from "../store/new-id.ts";
import { getPlan } from "../store/plans.ts";
import { listRunning, lockRollout, openWave, setRolloutState, setTargetApply, traceOf } from "../store/rollouts.ts";
import { StoreFailure } from "../store/store-failure.ts";
import type { RolloutRow } from "../store/tables.ts";
import { transaction, type Transaction } from "../store/transaction.ts";
import {
  countElsewhere,
  databaseNowMs,
  findRetried,
  listOrphaned,
  listTargetStatus,
  lockDispatch,
  type TargetRow,
} from "./store/target-status.ts";

/** Moves every rollout that runs. One that cannot be moved now holds up none of the others. */
export async function dispatchDue(database: Database, instance: InstanceId, log: Logger): Promise<void> {
  const by = systemActor("rollout", instance);
  for (const { id } of await listRunning(database)) {
    const result = await transaction(database, (tx) => moveOn(tx, id, by));
    if (!result.ok)
      log.warn(
        { rollout_id: id, result_code: result.error.code, err: result.error },
        "the rollout could not be moved on; it will be tried again",
      );
  }
  for (const orphan of await listOrphaned(database)) {
    await transaction(database, async (tx) => {
      const row = await lockApply(tx, orphan.id);
      if (row.state === "READY")
        await move(
          tx,
          row,
          { to: "CANCELLED", code: "rollout.halted", message: "its rollout was halted before this server's turn" },
          by,
        );
    });
  }
}

/** One rollout, as far as it goes now: a wave that ended well opens the next in the same transaction. */
async function moveOn(tx: Transaction, id: RolloutId, by: Actor): Promise<void> {
  await lockDispatch(tx);
  let rollout = await lockRollout(tx, id);
  const nowMs = await databaseNowMs(tx);
  for (;;) {
    const rows = await listTargetStatus(tx, id);
    const action = nextRolloutAction(
      {
        state: rollout.state,
        currentWave: rollout.current_wave,
        waveOpensAtMs: rollout.wave_opens_at?.getTime() ?? null,
        settings: rollout.settings as unknown as WaveSettings,
        targets: rows.map((row) => targetOf(rollout, row)),
        underWayElsewhere: await countElsewhere(tx, id),
      },
      nowMs,
    );
    switch (action.kind) {
      case "nothing":
        return;
      case "dispatch":
        return dispatch(tx, rollout, rows, action.serverIds, by);
      case "next_wave":
        rollout = await openWave(tx, rollout, action.wave, (action.opensAtMs - nowMs) / 1_000);
        break;
      case "halt":
        await setRolloutState(tx, id, "HALTED", { code: action.code, message: action.message }, by);
        return;
      case "finish":
        await setRolloutState(tx, id, "DONE", { code: null, message: null }, by);
        return;
      default:
        assertNever(action, "rollout action");
    }
  }
}

async function dispatch(
  tx: Transaction,
  rollout: RolloutRow,
  rows: readonly TargetRow[],
  serverIds: readonly string[],
  by: Actor,
): Promise<void> {
  for (const row of rows) {
    // A server with something else under way waits: its turn comes when that has ended.
    if (!serverIds.includes(row.server_id) || row.is_busy) continue;
    if (rollout.kind === "forward") await dispatchForward(tx, rollout, row, by);
    else await dispatchRollback(tx, rollout, row, by);
  }
}

async function dispatchForward(tx: Transaction, rollout: RolloutRow, row: TargetRow, by: Actor): Promise<void> {
  const plan = await getPlan(tx, row.plan_id);
  if (plan === undefined)
    throw new StoreFailure("store.not_found", `the plan for ${row.server_name} is gone`, { plan_id: row.plan_id });
  const id: ApplyId = newId();
  await insertReady(
    tx,
    {
      id,
      changeId: rollout.change_id,
      rolloutId: rollout.id,
      serverId: row.server_id,
      planId: row.plan_id,
      wave: row.wave,
      revisions: plan.revisions,
      requestedBy: rollout.requested_by,
      retryOf: (await findRetried(tx, row.server_id, row.plan_id)) ?? null,
    },
    by,
  );
  await setTargetApply(tx, rollout.id, row.server_id, id);
}

async function dispatchRollback(tx: Transaction, rollout: RolloutRow, row: TargetRow, by: Actor): Promise<void> {
  const plan = await getPlan(tx, row.plan_id);
  const apply = row.apply_id === null ? undefined : await getApply(tx, row.apply_id);
  if (plan === undefined || apply === undefined)
    throw new StoreFailure("store.not_found", `what is rolled back on ${row.server_name} is gone`, {
      plan_id: row.plan_id,
    });
  await beginRollback(tx, await lockApply(tx, apply.id), plan, await traceOf(tx, rollout.id), by);
}

function targetOf(rollout: RolloutRow, row: TargetRow): RolloutTarget {
  const { server_id: serverId, server_name: serverName, wave, position, code } = row;
  return {
    serverId,
    serverName,
    wave,
    position,
    code,
    status: rollout.kind === "forward" ? forwardStatus(row) : rollbackStatus(row),
  };
}

function forwardStatus({ state }: TargetRow): TargetStatus {
  switch (state) {
    case null:
      return "waiting";
    case "READY":
    case "APPLYING":
    case "ROLLBACKING":
      return "under_way";
    case "APPLIED":
      return "good";
    case "CANCELLED":
      return "withdrawn";
    case "FAILED":
    case "ROLLED_BACK":
      return "bad";
    default:
      return assertNever(state, "apply state");
  }
}

function rollbackStatus({ state, is_begun }: TargetRow): TargetStatus {
  switch (state) {
    case "APPLIED":
    case "FAILED":
      return is_begun ? "bad" : "waiting";
    case "ROLLBACKING":
      return "under_way";
    case "ROLLED_BACK":
      return "good";
    // Nothing of it is on the server.
    case null:
    case "READY":
    case "APPLYING":
    case "CANCELLED":
      return "withdrawn";
    default:
      return assertNever(state, "apply state");
  }
}
