import { randomBytes } from "node:crypto";
import type { Fence, RequestId } from "@holdfast/core/base/id.ts";
import type { Actor } from "../store/actor.ts";
import { move, setPhase } from "../store/apply-move.ts";
import { insertHostTransaction } from "../store/host-transactions.ts";
import { newId } from "../store/new-id.ts";
import type { PlanHead } from "../store/plans.ts";
import type { RolloutTrace } from "../store/rollouts.ts";
import { lockServer } from "../store/servers.ts";
import { StoreFailure } from "../store/store-failure.ts";
import type { ApplyRow, HostTransactionRow } from "../store/tables.ts";
import type { Transaction } from "../store/transaction.ts";
import { traceOfTransaction } from "../trace/transaction-trace.ts";
import { trialOf } from "./trial-times.ts";

export interface Begun {
  readonly apply: ApplyRow;
  readonly sent: HostTransactionRow;
}

/** Gives a claimed apply its forward transaction, in the transaction that claims it: from here on its request id is its name for ever. */
export async function beginForward(
  tx: Transaction,
  apply: ApplyRow,
  plan: PlanHead,
  trace: RolloutTrace,
  by: Actor,
): Promise<Begun> {
  const sent = await insertTransaction(tx, apply, plan, trace, { kind: "forward", fence: apply.fence, before: null });
  return { apply: await setPhase(tx, apply, { phase: "dispatched", requestId: sent.request_id }, by), sent };
}

/**
 * Puts an ended apply on its way back, by a rollback's plan. A rollback is a transaction on trial like any other; whoever holds the server's
 * connection claims it.
 */
export async function beginRollback(
  tx: Transaction,
  apply: ApplyRow,
  plan: PlanHead,
  trace: RolloutTrace,
  by: Actor,
): Promise<ApplyRow> {
  if (apply.state !== "APPLIED" && apply.state !== "FAILED") {
    throw new StoreFailure("store.illegal_transition", `an apply that is ${apply.state} cannot be rolled back`, {
      apply_id: apply.id,
    });
  }
  const { fence } = await lockServer(tx, apply.server_id);
  const before = { state: apply.state, effect: apply.effect, serverIs: apply.server_is };
  const sent = await insertTransaction(tx, apply, plan, trace, { kind: "rollback", fence, before });
  return move(
    tx,
    apply,
    {
      to: "ROLLBACKING",
      phase: "dispatched",
      code: null,
      message: null,
      requestId: sent.request_id,
      deadlineAt: null,
      lastStep: null,
    },
    by,
  );
}

function insertTransaction(
  tx: Transaction,
  apply: ApplyRow,
  plan: PlanHead,
  trace: RolloutTrace,
  { kind, fence, before }: Pick<HostTransactionRow, "kind" | "before"> & { readonly fence: Fence | null },
): Promise<HostTransactionRow> {
  if (plan.config_digest === null || plan.plan_digest === null || plan.trial === null || fence === null) {
    throw new StoreFailure("store.wrong_state", `plan ${plan.id} is ${plan.status} and cannot be applied`, {
      plan_id: plan.id,
    });
  }
  const requestId = newId<RequestId>();
  return insertHostTransaction(tx, {
    requestId,
    applyId: apply.id,
    serverId: apply.server_id,
    kind,
    planId: plan.id,
    fence,
    // Known to this house only: whoever confirms has read it here.
    nonce: randomBytes(32).toString("hex"),
    configDigest: plan.config_digest,
    planDigest: plan.plan_digest,
    trial: trialOf(plan.trial, plan),
    before,
    trace: traceOfTransaction(trace, requestId),
  });
}
