import { systemActor } from "../store/actor.ts";
import { transaction } from "../store/transaction.ts";
import { endTunnelAct, listForgottenActs } from "../store/tunnel-acts.ts";
import type { Reconciler } from "./context.ts";

/** Both questions to the agent with their detours, and the database in between. Whoever is slower than this has been told so by the store. */
const FORGOTTEN_SECONDS = 120;

/**
 * Ends acts on tunnels whose instance died between the intent and the end. What came of them nobody can say any more: the act is not done again,
 * and the next one on that server is let in.
 */
export const forgottenActs: Reconciler = {
  name: "forgotten-acts",
  everyMs: 15_000,
  async run({ database, instanceId, log }) {
    const ended = await transaction(database, async (tx) => {
      const rows = await listForgottenActs(tx, FORGOTTEN_SECONDS);
      for (const { id } of rows)
        await endTunnelAct(tx, id, "unknown", "tunnel.outcome_unknown", systemActor("forgotten-acts", instanceId));
      return rows;
    });
    if (!ended.ok) throw ended.error;
    for (const { id, server_id } of ended.value)
      log.warn(
        { request_id: id, server_id, domain: "vpn", result_code: "tunnel.outcome_unknown" },
        "nobody knows what came of an act on a tunnel",
      );
  },
};
