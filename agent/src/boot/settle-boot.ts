import { openTransaction } from "@holdfast/core/ledger/fold.ts";
import type { Clock } from "../os/clock.ts";
import { undoTransaction, type UndoContext, type UndoOutcome } from "../revert/undo-transaction.ts";

/**
 * What a power cut or a restart left, settled before the network is up: a trial does not survive its boot. What was only prepared is closed,
 * what had begun is undone, what was confirmed is left for `recover` to finish.
 */
export async function settleBoot(context: UndoContext, clock: Clock): Promise<UndoOutcome | null> {
  const open = openTransaction(context.ledger.read());
  if (open === null || open.last === "confirmed" || open.last === "revert_failed") return null;
  // Started by hand while everything runs: the deadline is somebody else's.
  if (open.bootId === clock.bootId()) return null;
  return undoTransaction(context, open.requestId, {
    code: "server.rebooted",
    message: "The server was restarted before this was confirmed.",
  });
}
