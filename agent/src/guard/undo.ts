import { setTimeout as sleep } from "node:timers/promises";
import { needsUndo, transactionOf } from "@holdfast/core/ledger/fold.ts";
import { leaveReason, type UndoReason } from "../ledger/transaction-file.ts";
import { reasonOf } from "../log/log.ts";
import { whereTraced } from "../trace/tracing.ts";
import type { GuardContext } from "./context.ts";

/** Milliseconds. How long a call waits for the undo it asked for; the undo goes on without it. */
const WAIT_FOR_UNDO_MS = 45_000;

/** Asks for the one way back: the revert role does it, in a process of its own, and this one may die. */
export async function startUndo(context: GuardContext, requestId: string, reason: UndoReason): Promise<void> {
  context.log.warn("undo asked for", { requestId, resultCode: reason.code }, { reason: reason.message });
  try {
    leaveReason(context.paths.snapshots, requestId, reason);
  } catch (error) {
    // On a disk that takes nothing any more the undo says its own reason.
    context.log.error("the reason for the undo could not be left", { requestId }, { reason: reasonOf(error) });
  }
  const started = await context.init.startRevert(requestId);
  // The timer that was armed before the first change is the second owner: it starts the same undo at the deadline.
  if (!started.ok)
    context.log.error(
      "the undo could not be started; the armed deadline will start it",
      { requestId },
      { reason: started.error },
    );
}

export function undoAndWait(context: GuardContext, requestId: string, reason: UndoReason): Promise<void> {
  return whereTraced("guard undo", {}, () => startAndWait(context, requestId, reason));
}

async function startAndWait(context: GuardContext, requestId: string, reason: UndoReason): Promise<void> {
  await startUndo(context, requestId, reason);
  const giveUpAt = performance.now() + WAIT_FOR_UNDO_MS;
  while (performance.now() < giveUpAt) {
    const one = transactionOf(context.ledger.read(), requestId);
    if (one === null || !needsUndo(one)) return;
    await sleep(20);
  }
}
