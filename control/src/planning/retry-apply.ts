import { whyNotRetry, whyQuarantined } from "@holdfast/core/apply/actions.ts";
import type { ApplyId, RolloutId } from "@holdfast/core/base/id.ts";
import type { Caller } from "../api/caller.ts";
import { notFound, refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { getApply, lockApply } from "../store/applies.ts";
import { getPlan, insertPlan, type NewPlan, type PlanHead } from "../store/plans.ts";
import { releaseTransient } from "../store/quarantines.ts";
import type { ApplyRow } from "../store/tables.ts";
import { type Transaction, transaction } from "../store/transaction.ts";
import { assertApproved, demandOfChange } from "./approvals.ts";
import { bindPlans } from "./bind-plans.ts";
import { composer } from "./compose-for.ts";
import { editsOf } from "./edits.ts";
import { askAndPlan, assignedRefs } from "./plan-change.ts";
import { startRollout } from "./start-rollout.ts";
import { lockChange } from "./store/change-lock.ts";
import { isRetried } from "./store/retried.ts";
import { loadWorld } from "./world.ts";

/**
 * Tries an apply again: a new apply of the same change on the same server, by a new plan. What a person acknowledged for the first plan they
 * have read; a danger that is new refuses it. A quarantine whose cause was transient is released; a lasting one refuses it.
 */
export async function retryApply(house: House, caller: Caller, id: ApplyId): Promise<RolloutId> {
  const first = (await getApply(house.database, id)) ?? notFound("apply with this id");
  const plan = await planAgain(house, caller, first);
  const started = await transaction(house.database, async (tx) => {
    const change = (await lockChange(tx, first.change_id)) ?? notFound("change with this id");
    const apply = await lockApply(tx, id);
    const refusal = whyNotRetry({
      state: apply.state,
      effect: apply.effect,
      retried: await isRetried(tx, id),
      // Asked below, after a transient one was released.
      quarantinedFor: null,
      serverRefuses: null,
    });
    if (refusal !== null) refuse("apply.not_now", refusal);
    const lasting = await releaseTransient(tx, id, caller.userId, caller.actor);
    if (lasting.length > 0) refuse("apply.quarantined", whyQuarantined(lasting[0]?.code ?? "unknown"));
    await insertPlan(tx, plan);
    const world = await loadWorld(tx, house.documents);
    const edits = await editsOf(tx, house.documents, change);
    const compose = composer(house, world, edits);
    const acknowledge = await acknowledgedBefore(
      tx,
      apply,
      world.servers.find((one) => one.id === apply.server_id)?.name ?? "",
    );
    const bound = await bindPlans(
      tx,
      { plans: [{ planId: plan.id, planDigest: plan.plan_digest ?? "" }], acknowledge, overwriteDrift: false },
      {
        caller,
        change,
        kind: "forward",
        world,
        compose: (serverId, row) => {
          const server = world.servers.find((one) => one.id === serverId);
          return server === undefined ? null : compose(server, row.trial ?? {});
        },
        now: composer(house, world, []),
        nowMs: house.nowMs(),
        onRefusedConcurrent: house.onRefusedConcurrent,
      },
    );
    // The floor may ask for another pair of eyes after a failure.
    const demand = await demandOfChange(house, tx, change, world, edits);
    const breakGlass = await assertApproved(tx, change, demand, undefined);
    // Whoever dispatches it finds that it is this apply's retry.
    return startRollout(tx, caller, change, "forward", bound, new Map(), { needed: demand.needed, breakGlass });
  });
  if (!started.ok) throw started.error;
  return started.value;
}

async function planAgain(house: House, caller: Caller, first: ApplyRow): Promise<NewPlan> {
  const read = await transaction(house.database, async (tx) => {
    const change = (await lockChange(tx, first.change_id)) ?? notFound("change with this id");
    const world = await loadWorld(tx, house.documents);
    const server = world.servers.find((one) => one.id === first.server_id) ?? notFound("server of this apply");
    const before = await getPlan(tx, first.plan_id);
    return {
      world,
      composition: composer(house, world, await editsOf(tx, house.documents, change))(server, before?.trial ?? {}),
    };
  });
  if (!read.ok) throw read.error;
  const { world, composition } = read.value;
  const plan = await askAndPlan(house, composition, {
    changeId: first.change_id,
    kind: "forward",
    createdBy: caller.userId,
    beforeRefs: assignedRefs(world, composition),
    findings: [],
  });
  if (plan.status === "unreachable")
    refuse("server.unreachable", `${composition.server.name} cannot be asked now.`, { findings: plan.findings });
  if (plan.plan_digest === null)
    refuse("change.not_plannable", `${composition.server.name} refuses the plan.`, { findings: plan.findings });
  return plan;
}

async function acknowledgedBefore(
  tx: Transaction,
  apply: ApplyRow,
  server: string,
): Promise<{ server: string; code: string; path: string }[]> {
  const plan: PlanHead | undefined = await getPlan(tx, apply.plan_id);
  return (plan?.findings ?? [])
    .filter((finding) => finding.severity === "danger")
    .map(({ code, path }) => ({ server, code, path }));
}
