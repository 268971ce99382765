import { existsSync } from "node:fs";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { needsUndo, openTransaction } from "@holdfast/core/ledger/fold.ts";
import { handsOf, openLedger, type Role } from "../agent-program.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type KeptHeads, readKeptHeads } from "../guard/audit-head.ts";
import { openGuardContext } from "../guard/guard-role.ts";
import { confirm, finalize } from "../guard/settle.ts";
import { type Ledger } from "../ledger/ledger.ts";
import { undoTransaction } from "../revert/undo-transaction.ts";
import { readIdentity } from "../settings.ts";
import { ask, complain, print } from "./print.ts";
import { auditHeadInWords, headsInData, statusInWords, whyInWords } from "./story.ts";

/**
 * What a person with root on the server can do with no control plane: look, understand, undo, confirm. They act on the ledger like every other
 * process, under its lock, so they cannot get in the way of a guard that does the same.
 */
export async function showStatus(role: Role, json: boolean): Promise<ExitCode> {
  return reading(role, (ledger) => {
    const state = ledger.read();
    const heads = keptHeads(role);
    if (json) {
      const { generation, maxFence, lock, confirmed } = state;
      const auditHead = heads.ok ? headsInData(heads.value) : null;
      // `open` stays the last: the package's scripts, also those of another version, see by the end of the line whether there is one.
      print(JSON.stringify({ generation, maxFence, lock, confirmed, auditHead, open: openTransaction(state) }));
    } else {
      for (const line of statusInWords(state, role.clock.boottimeMs())) print(line);
      if (!heads.ok) print(heads.error);
      else for (const line of auditHeadInWords(heads.value)) print(line);
    }
    return EXIT.done;
  });
}

export async function explainLast(role: Role, requestId: string | undefined): Promise<ExitCode> {
  return reading(role, (ledger) => {
    for (const line of whyInWords(ledger.read(), requestId)) print(line);
    return EXIT.done;
  });
}

export async function undoByHand(role: Role, yes: boolean): Promise<ExitCode> {
  return reading(role, async (ledger) => {
    const open = openTransaction(ledger.read());
    if (open === null || (!needsUndo(open) && open.last !== "prepared" && open.last !== "revert_failed")) {
      complain(
        "There is nothing to undo: no transaction is open. A confirmed change is taken back from the control plane, with a rollback.",
      );
      return EXIT.failed;
    }
    print(statusInWords(ledger.read(), role.clock.boottimeMs()).join("\n"));
    if (!yes && !(await ask("Put the server back to what it was before?"))) {
      complain("Nothing was done. Say --yes to undo without being asked.");
      return EXIT.failed;
    }
    const outcome = await undoTransaction(
      { paths: role.paths, ledger, log: role.log, init: role.init, handsOf: handsOf(role) },
      open.requestId,
      {
        code: "operator.undone_on_server",
        message: "Somebody with root on the server undid it.",
      },
    );
    for (const line of whyInWords(ledger.read(), open.requestId)) print(line);
    return outcome.kind === "failed" ? EXIT.failed : EXIT.done;
  });
}

export async function confirmByHand(role: Role, yes: boolean): Promise<ExitCode> {
  const context = await openGuardContext(role);
  if (!context.ok) {
    complain(context.error);
    return EXIT.failed;
  }
  const { ledger } = context.value;
  try {
    const open = openTransaction(ledger.read());
    if (open?.last !== "on_trial") {
      complain("Nothing is on trial on this server.");
      return EXIT.failed;
    }
    if (!yes) {
      complain(
        `Transaction ${open.requestId} is on trial. Confirming here says that YOU know the server can still be reached over a NEW connection: the shell you sit in proves nothing, it may be an old connection that the firewall keeps alive. Open a second one first, then say --yes.`,
      );
      return EXIT.failed;
    }
    const outcome = await confirm(context.value, {
      requestId: open.requestId,
      fence: Math.max(open.fence, ledger.read().maxFence),
      nonce: null,
      sessionMonotonicNs: 0n,
    });
    if (!outcome.ok) {
      complain("undo" in outcome ? `Not confirmed, it is undone: ${outcome.undo.message}` : outcome.error.message);
      if ("undo" in outcome)
        await undoTransaction({ ...context.value, handsOf: handsOf(role) }, open.requestId, outcome.undo);
      return EXIT.undone;
    }
    const finished = await finalize(context.value, open.requestId);
    if (!finished.ok) complain(`Confirmed. The boot config is not written yet, and is tried again: ${finished.error}`);
    for (const line of whyInWords(ledger.read(), open.requestId)) print(line);
    return EXIT.done;
  } finally {
    context.value.modules.close();
    ledger.close();
  }
}

/** A server that was never enrolled has kept none. */
function keptHeads({ paths }: Role): Result<KeptHeads | null, string> {
  const identity = readIdentity(paths);
  if (!identity.ok) return ok(null);
  const kept = readKeptHeads(paths.auditHead, identity.value.serverId);
  return kept.ok ? kept : err(kept.error.message);
}

async function reading(role: Role, task: (ledger: Ledger) => ExitCode | Promise<ExitCode>): Promise<ExitCode> {
  if (!existsSync(role.paths.ledger)) {
    complain(`There is no ledger in ${role.paths.ledger}: this server is not enrolled, or you are not root.`);
    return EXIT.failed;
  }
  const ledger = await openLedger(role);
  if (!ledger.ok) {
    complain(`${ledger.error}. Are you root?`);
    return EXIT.failed;
  }
  try {
    return await task(ledger.value);
  } finally {
    role.machine.nft.close();
    ledger.value.close();
  }
}
