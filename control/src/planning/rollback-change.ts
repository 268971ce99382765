import type { ApplyId, ChangeId, RolloutId } from "@holdfast/core/base/id.ts";
import type { Caller } from "../api/caller.ts";
import { notFound, refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { getApply } from "../store/applies.ts";
import { getServer } from "../store/servers.ts";
import { transaction } from "../store/transaction.ts";
import { type ApplyRequest, bindPlans } from "./bind-plans.ts";
import { composer } from "./compose-for.ts";
import { appliesOf, planRollback, withoutChange } from "./plan-rollback.ts";
import { startRollout } from "./start-rollout.ts";
import { lockChange, openRollout } from "./store/change-lock.ts";
import { loadWorld } from "./world.ts";

/** Rolls back by exactly the plans that were reviewed, in waves and on trial like any other change. */
export async function rollbackChange(
  house: House,
  caller: Caller,
  id: ChangeId,
  request: ApplyRequest,
): Promise<RolloutId> {
  const started = await transaction(house.database, async (tx) => {
    const change = (await lockChange(tx, id)) ?? notFound("change with this id");
    if ((await openRollout(tx, id)) !== undefined) {
      house.onRefusedConcurrent();
      refuse("change.under_way", "A rollout of this change is under way; abort or halt that.");
    }
    const world = await loadWorld(tx, house.documents);
    const without = await withoutChange(tx, house, world, change);
    const bound = await bindPlans(tx, request, {
      caller,
      change,
      kind: "rollback",
      world,
      compose: (serverId) => without.find(({ apply }) => apply.server_id === serverId)?.composition ?? null,
      now: composer(house, world, []),
      nowMs: house.nowMs(),
      onRefusedConcurrent: house.onRefusedConcurrent,
    });
    return startRollout(tx, caller, change, "rollback", bound, appliesOf(without));
  });
  if (!started.ok) throw started.error;
  return started.value;
}

/**
 * Rolls one server back with one press: planned and bound in one go. What a person must look at first (a finding of severity danger, a later
 * change in the way) refuses it and sends them to the plan.
 */
export async function rollbackApply(house: House, caller: Caller, id: ApplyId): Promise<RolloutId> {
  const apply = (await getApply(house.database, id)) ?? notFound("apply with this id");
  const server = await getServer(house.database, apply.server_id);
  const [plan] = await planRollback(house, caller, "apply", apply.change_id, apply.server_id);
  if (plan === undefined || plan.plan_digest === null || plan.status === "refused") {
    refuse("rollback.conflict", `${server?.name ?? "The server"} cannot be rolled back with one press.`, {
      findings: plan?.findings ?? [],
    });
  }
  if (plan.status === "unreachable")
    refuse("server.unreachable", `${server?.name ?? "The server"} cannot be asked now.`, { findings: plan.findings });
  return rollbackChange(house, caller, apply.change_id, {
    plans: [{ planId: plan.id, planDigest: plan.plan_digest }],
    acknowledge: [],
    overwriteDrift: false,
  });
}
