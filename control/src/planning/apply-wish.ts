import { type ApplyActions, applyActions } from "@holdfast/core/apply/actions.ts";
import type { ApplyId } from "@holdfast/core/base/id.ts";
import type { Caller } from "../api/caller.ts";
import { notFound, refuse } from "../api/refused.ts";
import type { House } from "../house.ts";
import { lockApply } from "../store/applies.ts";
import { move, setWish } from "../store/apply-move.ts";
import { getHostTransaction } from "../store/host-transactions.ts";
import type { ApplyRow, Wish } from "../store/tables.ts";
import { type Transaction, transaction } from "../store/transaction.ts";

const BUTTON = { confirm: "confirm", abort: "abort", force_close: "forceClose" } as const satisfies Record<
  Wish,
  keyof ApplyActions
>;

/**
 * An operator's wish for an apply: confirm, abort, or give up on it. The table of actions decides whether it is possible, and the wish is
 * bound to the very transaction that is under way now; the saga carries it out. One that still waits for its turn is cancelled at once.
 */
export async function wishFor(
  house: House,
  caller: Caller,
  id: ApplyId,
  wish: Wish,
  reason: string,
  /** What else must hold, asked once the table of actions has agreed; refuses by itself. */
  also: (tx: Transaction, apply: ApplyRow) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const done = await transaction(house.database, async (tx) => {
    const apply = await lockApply(tx, id);
    const refusal = applyActions(await viewOf(tx, apply))[BUTTON[wish]];
    if (refusal !== null) refuse("apply.not_now", refusal);
    await also(tx, apply);
    if (apply.state === "READY") {
      await move(
        tx,
        apply,
        { to: "CANCELLED", code: "apply.aborted", message: reason === "" ? null : reason },
        caller.actor,
      );
      return;
    }
    await setWish(tx, id, apply.request_id, wish, caller.userId, reason, caller.actor);
  });
  if (done.ok) return;
  if (done.error.code === "store.not_found") notFound("apply with this id");
  throw done.error;
}

/** What the three wishes depend on; the server's own state does not matter to them. */
async function viewOf(tx: Transaction, apply: ApplyRow) {
  const sent = apply.request_id === null ? undefined : await getHostTransaction(tx, apply.request_id);
  return {
    state: apply.state,
    phase: apply.phase,
    effect: apply.effect,
    wish: apply.wish,
    needsPerson: sent?.trial.needsPerson ?? false,
    isRollback: sent?.kind === "rollback",
    superseded: false,
    retried: false,
    quarantinedFor: null,
    serverRefuses: null,
  };
}
