import { setTimeout as sleep } from "node:timers/promises";
import { transactionOf } from "@holdfast/core/ledger/fold.ts";
import { handsOf, openLedger, type Role } from "../agent-program.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { leftReason, type UndoReason } from "../ledger/transaction-file.ts";
import { runAbout } from "../log/about.ts";
import { logCommands } from "../log/commands.ts";
import { tellReady } from "../os/processes.ts";
import { undoTransaction, type UndoContext } from "./undo-transaction.ts";

export interface RevertWish {
  readonly requestId: string;
  /** Wait for that long first: this process is the one that holds the deadline where no init system does. */
  readonly afterMs: number | null;
  readonly reason: UndoReason | null;
  readonly readyDescriptor: number | null;
}

const DEADLINE: UndoReason = { code: "trial.deadline", message: "Nobody confirmed before the deadline." };

/** Milliseconds between two looks at boot time while waiting: a suspended machine wakes up late. */
const LOOK_EVERY_MS = 250;

/** The role `revert`: the one way back, as a process that needs nobody. */
export async function runRevert(role: Role, wish: RevertWish): Promise<ExitCode> {
  const { requestId } = wish;
  const dueMs = role.clock.boottimeMs() + (wish.afterMs ?? 0);
  if (wish.readyDescriptor !== null) tellReady(wish.readyDescriptor);
  if (wish.afterMs !== null)
    while (role.clock.boottimeMs() < dueMs)
      await sleep(Math.min(LOOK_EVERY_MS, Math.max(1, dueMs - role.clock.boottimeMs())));
  const ledger = await openLedger(role);
  if (!ledger.ok) {
    role.log.error("the undo cannot start", { requestId }, { reason: ledger.error });
    return EXIT.failed;
  }
  const context: UndoContext = {
    paths: role.paths,
    ledger: ledger.value,
    log: role.log,
    init: role.init,
    handsOf: handsOf(role),
  };
  const reason = wish.reason ?? leftReason(role.paths.snapshots, requestId) ?? DEADLINE;
  logCommands(role.log);
  const outcome = await runAbout({ requestId }, () => undoTransaction(context, requestId, reason));
  const last = transactionOf(ledger.value.read(), requestId)?.last;
  role.machine.nft.close();
  ledger.value.close();
  if (outcome.kind === "failed") {
    role.log.error(
      "the server could not be put back",
      { requestId, resultCode: "undo.failed" },
      { reason: outcome.message, ledger: last },
    );
    return EXIT.failed;
  }
  return EXIT.done;
}
