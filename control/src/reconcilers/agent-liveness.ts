import type { Reconciler } from "./context.ts";
import { listLost } from "./store/unheld.ts";

/** A reboot of a slow server takes this long; anything longer is worth an alarm. */
const LOST_MS = 5 * 60_000;

/** Names, once, each enrolled server whose agent has gone and not come back, and each that did. */
export function agentLiveness(): Reconciler {
  let known: ReadonlySet<string> = new Set();
  return {
    name: "agent-liveness",
    everyMs: 15_000,
    async run({ database, log }) {
      const lost = await listLost(database, LOST_MS);
      for (const { id, name, last_seen_at } of lost) {
        if (!known.has(id))
          log.error(
            { server_id: id, target_host: name, last_seen_at, result_code: "agent.lost" },
            "the agent of a server has been away for more than five minutes",
          );
      }
      const now = new Set<string>(lost.map((server) => server.id));
      for (const id of known)
        if (!now.has(id))
          log.info(
            { server_id: id, result_code: "agent.back" },
            "the agent of a server is back, or the server was released",
          );
      known = now;
    },
  };
}
