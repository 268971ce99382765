import { STUCK_GRACE_MS } from "../saga/decide.ts";
import { systemActor } from "../store/actor.ts";
import { lockApply } from "../store/applies.ts";
import { move } from "../store/apply-move.ts";
import { transaction } from "../store/transaction.ts";
import type { Reconciler } from "./context.ts";
import { listStuckForward } from "./store/unheld.ts";

/**
 * I14: decides to undo what was executed and has neither been confirmed nor undone long after its window, while its server is away. The decision is
 * the row's; the Abort leaves as soon as there is a session, and only the server's answer ends it. What is held, its runner judges by itself.
 */
export const stuckApplies: Reconciler = {
  name: "stuck-applies",
  everyMs: 5_000,
  async run({ database, instanceId, log }) {
    for (const { id, version } of await listStuckForward(database, STUCK_GRACE_MS)) {
      const moved = await transaction(database, async (tx) => {
        const row = await lockApply(tx, id);
        if (row.version !== version) return false;
        const message =
          "neither confirmed nor undone long after its window, and the server does not answer; it will be undone when it does";
        await move(
          tx,
          row,
          { to: "ROLLBACKING", phase: "in_doubt", code: "apply.stuck", message },
          systemActor("stuck-applies", instanceId),
        );
        return true;
      });
      if (moved.ok && moved.value) log.error({ apply_id: id, result_code: "apply.stuck" }, "an apply is stuck");
    }
  },
};
