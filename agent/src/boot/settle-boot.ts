import { openTransaction } from "@holdfast/core/ledger/fold.ts";
import { undoTransaction, type UndoContext, type UndoOutcome } from "../revert/undo-transaction.ts";

/** Whether this start is a boot: an init system says so by starting the boot unit; a program that was started by hand must compare. */
export type BootEvidence = { readonly kind: "boot_unit" } | { readonly kind: "boot_id"; readonly now: string };

/**
 * What a power cut or a restart left, settled before the network is up: a trial does not survive its boot. What was only prepared is closed,
 * what had begun is undone, what was confirmed is left for `recover` to finish. The boot unit needs no boot id: a container that is restarted
 * may keep that of its machine, and its timers are gone all the same.
 */
export async function settleBoot(context: UndoContext, evidence: BootEvidence): Promise<UndoOutcome | null> {
  const open = openTransaction(context.ledger.read());
  if (open === null || open.last === "confirmed" || open.last === "revert_failed") return null;
  // Started again in the middle of a trial: the guard goes on with it.
  if (evidence.kind === "boot_id" && open.bootId === evidence.now) return null;
  return undoTransaction(context, open.requestId, {
    code: "server.rebooted",
    message: "The server was restarted before this was confirmed.",
  });
}
