import type { ChangeId, Digest } from "@holdfast/core/base/id.ts";
import type { Caller } from "../api/caller.ts";
import { notFound, refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { approve, listApprovals } from "../store/changes.ts";
import { listNewestPlans } from "../store/plans.ts";
import { transaction } from "../store/transaction.ts";
import { becomeReady, demandOfChange } from "./approvals.ts";
import { composer } from "./compose-for.ts";
import { concernedBy } from "./concerned.ts";
import { editsOf } from "./edits.ts";
import { assertReach } from "./scope.ts";
import { assertFresh } from "./step-up.ts";
import { lockChange } from "./store/change-lock.ts";
import { loadWorld } from "./world.ts";

/**
 * Approves exactly the content that was read. The last approval that is asked for makes the change READY. One that is READY is approved where
 * more is asked for by now: its newest plan is riskier, or it was applied before its approvals.
 */
export async function approveChange(house: House, caller: Caller, id: ChangeId, digest: string): Promise<void> {
  const approved = await transaction(house.database, async (tx) => {
    const change = (await lockChange(tx, id)) ?? notFound("change with this id");
    if (change.state === "CANCELLED") refuse("change.not_now", `The change is ${change.state}.`);
    if (change.author_id === caller.userId) refuse("change.approval_of_own", "You are the author of this change.");
    if (change.digest !== digest)
      refuse("etag.moved", "The change has been edited since you read it; look at it again.");
    if ((await listNewestPlans(tx, id, "forward")).length === 0)
      refuse("change.not_now", "It has not been planned yet; there is nothing to look at.");
    const world = await loadWorld(tx, house.documents);
    const edits = await editsOf(tx, house.documents, change);
    const concerned = concernedBy(house, world, edits);
    assertReach(
      caller,
      "approve",
      world,
      concerned.map(({ server, selected, composed }) => ({
        server,
        labelsAfter: selected.labels,
        domains: Object.keys(composed.config?.domains ?? {}),
      })),
    );
    const before = composer(house, world, []);
    assertFresh(
      caller,
      concerned.flatMap(({ server, composed }) => [composed.floor, before(server).composed.floor]),
    );
    const { needed } = await demandOfChange(house, tx, change, world, edits);
    const given = (await listApprovals(tx, id)).length;
    if (change.state === "READY" && given >= needed) refuse("change.not_now", "It has the approvals that it needs.");
    await approve(tx, id, caller.userId, digest as Digest, caller.actor);
    if (needed > 0 && (await listApprovals(tx, id)).length >= needed) await becomeReady(tx, change, caller.actor);
  });
  if (!approved.ok) throw approved.error;
}
