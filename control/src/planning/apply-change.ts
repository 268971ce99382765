import type { ChangeId, RolloutId } from "@holdfast/core/base/id.ts";
import type { Caller } from "../api/caller.ts";
import { notFound, refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { transaction } from "../store/transaction.ts";
import { assertApproved, becomeReady, demandOfChange } from "./approvals.ts";
import { type ApplyRequest, bindPlans } from "./bind-plans.ts";
import { composer } from "./compose-for.ts";
import { editsOf } from "./edits.ts";
import { startRollout } from "./start-rollout.ts";
import { lockChange, openRollout } from "./store/change-lock.ts";
import { loadWorld } from "./world.ts";

/** Applies exactly the plans that were reviewed, or refuses with what has moved. All of it is one transaction: it is queued or it is not. */
export async function applyChange(
  house: House,
  caller: Caller,
  id: ChangeId,
  request: ApplyRequest & { readonly breakGlass?: string | undefined },
): Promise<RolloutId> {
  const started = await transaction(house.database, async (tx) => {
    const change = (await lockChange(tx, id)) ?? notFound("change with this id");
    if (change.state === "CANCELLED") refuse("change.not_now", "The change has been withdrawn.");
    if ((await openRollout(tx, id)) !== undefined) {
      house.onRefusedConcurrent();
      refuse("change.under_way", "A rollout of this change is under way already.");
    }
    const world = await loadWorld(tx, house.documents);
    const edits = await editsOf(tx, house.documents, change);
    const compose = composer(house, world, edits);
    const bound = await bindPlans(tx, request, {
      caller,
      change,
      kind: "forward",
      world,
      compose: (serverId, plan) => {
        const server = world.servers.find((one) => one.id === serverId);
        // A wish of the author is in the plan's config, and asking the floor for the same again is never looser.
        return server === undefined ? null : compose(server, plan.trial ?? {});
      },
      now: composer(house, world, []),
      nowMs: house.nowMs(),
      onRefusedConcurrent: house.onRefusedConcurrent,
    });
    const demand = await demandOfChange(house, tx, change, world, edits);
    const breakGlass = await assertApproved(tx, change, demand, request.breakGlass);
    const ready = await becomeReady(tx, change, caller.actor);
    return startRollout(tx, caller, ready, "forward", bound, new Map(), { needed: demand.needed, breakGlass });
  });
  if (!started.ok) {
    if (started.error.code === "store.server_busy") house.onRefusedConcurrent();
    throw started.error;
  }
  return started.value;
}
