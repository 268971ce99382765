import { systemActor } from "../store/actor.ts";
import { holdDuty } from "../store/duties.ts";
import { transaction } from "../store/transaction.ts";
import type { Reconciler } from "./context.ts";
import { listUnendedLooks, type UnendedLook } from "./store/unended-looks.ts";

const EVERY_MS = 60_000;
/** Two looks: whoever dies is followed, and two never write the same end. */
const LEASE_MS = 2 * EVERY_MS;

/** Seconds after which a run or a look is over, whatever happened, with some minutes for a slow instance that still writes its own end. */
const OVER = { tool: 6 * 60, packets: 40 * 60 } as const;

const ENDED = {
  "server.tool_begun": { action: "server.tool_ended", code: "tools.lost" },
  "server.packets_watched": { action: "server.packets_watch_ended", code: "packets.lost" },
} as const satisfies Record<UnendedLook["action"], { readonly action: string; readonly code: string }>;

/**
 * Writes down that a look at a server is over whose instance died, or could not reach the database when it ended: on the server it has ended by
 * itself, and whoever reads the log must not take it for one that still goes on.
 */
export function unendedLooks(over: { readonly tool: number; readonly packets: number } = OVER): Reconciler {
  return {
    name: "unended-looks",
    everyMs: EVERY_MS,
    async run({ database, instanceId, log }) {
      if (!(await holdDuty(database, "unended-looks", instanceId, LEASE_MS))) return;
      const ended = await transaction(database, async (tx) => {
        const looks = await listUnendedLooks(tx, over.tool, over.packets);
        for (const look of looks) {
          const { action, code } = ENDED[look.action];
          const tool = look.new?.tool;
          tx.audit({
            ...systemActor("unended-looks", instanceId),
            action,
            object: look.object,
            serverId: look.server_id,
            requestId: look.request_id,
            new: { ...(tool === undefined ? {} : { tool }), outcome: "lost" },
            resultCode: code,
          });
        }
        return looks;
      });
      if (!ended.ok) throw ended.error;
      for (const { action, server_id, request_id } of ended.value)
        log.warn(
          { server_id, request_id, result_code: ENDED[action].code },
          "a look at a server has ended without anybody who said so",
        );
    },
  };
}
