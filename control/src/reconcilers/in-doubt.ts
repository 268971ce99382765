import { systemActor } from "../store/actor.ts";
import { lockApply } from "../store/applies.ts";
import { setPhase } from "../store/apply-move.ts";
import { transaction } from "../store/transaction.ts";
import type { Reconciler } from "./context.ts";
import { listUnheld } from "./store/unheld.ts";

/** A fresh connection after a change takes a second or two; a phase that nobody can vouch for any longer would be a lie. */
const UNHELD_MS = 5_000;

/**
 * Says "in doubt" of an open apply whose server nobody can ask. It is no verdict and decides nothing: the next session's holder claims it, asks
 * the server, and goes on.
 */
export const inDoubt: Reconciler = {
  name: "in-doubt",
  everyMs: 2_000,
  async run({ database, instanceId, log }) {
    for (const { id } of await listUnheld(database, UNHELD_MS)) {
      const said = await transaction(database, async (tx) => {
        const row = await lockApply(tx, id);
        const isHeld =
          row.lease_owner !== null &&
          row.lease_until !== null &&
          row.lease_until.getTime() > row.next_check_at.getTime() + UNHELD_MS;
        if ((row.state !== "APPLYING" && row.state !== "ROLLBACKING") || row.phase === "in_doubt" || isHeld)
          return false;
        await setPhase(tx, row, { phase: "in_doubt" }, systemActor("in-doubt", instanceId));
        return true;
      });
      if (said.ok && said.value)
        log.warn(
          { apply_id: id, result_code: "apply.in_doubt" },
          "nobody can ask the server of this apply; it will be asked when it connects",
        );
    }
  },
};
