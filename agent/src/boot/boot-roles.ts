import { handsOf, openLedger, type Role } from "../agent-program.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { UndoContext } from "../revert/undo-transaction.ts";
import { recoverConfirmed } from "./recover-confirmed.ts";
import { settleBoot, type BootEvidence } from "./settle-boot.ts";
import { tendConfirmed } from "./tend-confirmed.ts";

/** The role `boot`: before the network is up. */
export function runBoot(role: Role, evidence: BootEvidence): Promise<ExitCode> {
  return withLedger(role, async (context) => {
    const outcome = await settleBoot(context, evidence);
    if (outcome?.kind !== "failed") return EXIT.done;
    role.log.error(
      "what the last boot left could not be put back",
      { resultCode: "undo.failed" },
      { reason: outcome.message },
    );
    return EXIT.failed;
  });
}

/** The role `recover`: after the system's own firewall and sysctl units. */
export function runRecover(role: Role): Promise<ExitCode> {
  return withLedger(role, async (context) => {
    const recovered = await recoverConfirmed(context);
    if (recovered.ok) return EXIT.done;
    role.log.error(
      "what is confirmed could not be put into force",
      { resultCode: "recover.failed" },
      { reason: recovered.error },
    );
    return EXIT.failed;
  });
}

/** The role `tend`: from time to time. */
export function runTend(role: Role): Promise<ExitCode> {
  return withLedger(role, async (context) => {
    const tended = await tendConfirmed(context);
    if (tended.ok) return EXIT.done;
    role.log.error(
      "what is confirmed could not be looked after",
      { resultCode: "tend.failed" },
      { reason: tended.error },
    );
    return EXIT.failed;
  });
}

async function withLedger(role: Role, task: (context: UndoContext) => Promise<ExitCode>): Promise<ExitCode> {
  const ledger = await openLedger(role);
  if (!ledger.ok) {
    role.log.error("the ledger cannot be opened", {}, { reason: ledger.error });
    return EXIT.failed;
  }
  try {
    // Nothing of ours runs yet: there is no module to stop and no timer to tidy up.
    return await task({ paths: role.paths, ledger: ledger.value, log: role.log, init: null, handsOf: handsOf(role) });
  } finally {
    role.machine.nft.close();
    ledger.value.close();
  }
}
