import { whyApprovalIsUsed } from "@holdfast/core/apply/actions.ts";
import type { ChangeId } from "@holdfast/core/base/id.ts";
import type { Caller } from "../api/caller.ts";
import { notFound, refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { withdrawApproval } from "../store/changes.ts";
import { transaction } from "../store/transaction.ts";
import { lockChange, openRollout } from "./store/change-lock.ts";
import { appliesToRollBack, isAdopted } from "./store/in-force-by.ts";

/**
 * Takes back what one has approved oneself, nobody else's: whoever thinks that another was wrong withdraws the change. It asks for no permission,
 * because a person who has lost it must still be able to take their word back; and whoever has given none learns nothing of the change.
 * Applying holds the change as well, so of the two at once one sees what the other did.
 */
export async function withdrawOwnApproval(house: House, caller: Caller, id: ChangeId): Promise<void> {
  const done = await transaction(house.database, async (tx) => {
    const change = (await lockChange(tx, id)) ?? notFound("approval of yours of this change");
    if (!(await withdrawApproval(tx, change, caller.userId, caller.actor)))
      notFound("approval of yours of this change");
    const used = whyApprovalIsUsed({
      openRollout: (await openRollout(tx, id)) !== undefined,
      inForce: (await appliesToRollBack(tx, id)).length > 0,
      isAdopted: await isAdopted(tx, id),
    });
    if (used !== null) refuse("change.approval_used", used);
  });
  if (!done.ok) throw done.error;
}
