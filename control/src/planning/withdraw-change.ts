import type { ChangeId } from "@holdfast/core/base/id.ts";
import type { Caller } from "../api/caller.ts";
import { notFound, refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { listApplies } from "../store/applies.ts";
import { move } from "../store/apply-move.ts";
import { withdraw } from "../store/changes.ts";
import { listRollouts, setRolloutState } from "../store/rollouts.ts";
import { StoreFailure } from "../store/store-failure.ts";
import { transaction } from "../store/transaction.ts";
import { assertMayEdit } from "./edit-scope.ts";
import { editsOf } from "./edits.ts";
import { lockChange } from "./store/change-lock.ts";
import { loadWorld } from "./world.ts";

/** More servers than this are in no rollout of ours. */
const MOST = 10_000;

/** Takes a change back before anything changed: what still waits is cancelled, and its rollout halted. */
export async function withdrawChange(house: House, caller: Caller, id: ChangeId, reason: string): Promise<void> {
  const done = await transaction(house.database, async (tx) => {
    const change = (await lockChange(tx, id)) ?? notFound("change with this id");
    // Its author may always take it back: it is their own word.
    if (change.author_id !== caller.userId)
      assertMayEdit(house, caller, await loadWorld(tx, house.documents), await editsOf(tx, house.documents, change));
    if (change.state === "CANCELLED") refuse("change.not_now", "The change has been withdrawn already.");
    const applies = await listApplies(tx, { changeId: id, limit: MOST });
    const begun = applies.find((apply) => apply.state !== "READY" && apply.state !== "CANCELLED");
    if (begun !== undefined)
      refuse("change.not_now", `A server has begun with it (${begun.state}); abort that, or roll the change back.`);
    for (const rollout of await listRollouts(tx, id, null, MOST)) {
      if (rollout.state === "DONE") refuse("change.not_now", "Its rollout is done; roll the change back instead.");
      if (rollout.state !== "HALTED")
        await setRolloutState(
          tx,
          rollout.id,
          "HALTED",
          { code: "change.withdrawn", message: reason === "" ? null : reason },
          caller.actor,
        );
    }
    for (const apply of applies) {
      if (apply.state === "READY")
        await move(
          tx,
          apply,
          { to: "CANCELLED", code: "change.withdrawn", message: reason === "" ? null : reason },
          caller.actor,
        );
    }
    await withdraw(tx, id, caller.actor);
  });
  if (done.ok) return;
  // A server that began in this very moment.
  if (done.error instanceof StoreFailure && done.error.code === "store.lost_race")
    refuse("change.not_now", "A server has begun with it in this moment; abort that instead.");
  throw done.error;
}
