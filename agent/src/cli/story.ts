import { assertNever } from "@holdfast/core/base/never.ts";
import { openTransaction } from "@holdfast/core/ledger/fold.ts";
import type { LedgerState, TransactionState } from "@holdfast/core/ledger/record.ts";
import { headInText, type KeptHeads, keyName } from "../guard/audit-head.ts";
import { deadlineOf } from "../guard/transaction-message.ts";

/** The ledger in words, for somebody who sits at this very server and has no control plane at hand. */
export function statusInWords(state: LedgerState, boottimeMs: number): readonly string[] {
  const lines = [
    `Generation ${state.generation}${state.confirmed === null ? " (as found at enrolment)" : `, confirmed by ${state.confirmed.requestId}`}`,
  ];
  const open = openTransaction(state);
  lines.push(open === null ? "No transaction is open." : openInWords(open, boottimeMs));
  if (state.lock !== null)
    lines.push(
      `LOCKED (${state.lock.code}): ${state.lock.reason}`,
      "No applies are taken until somebody has looked and released it from the control plane.",
    );
  return lines;
}

function openInWords(open: TransactionState, boottimeMs: number): string {
  const deadline = deadlineOf(open);
  const left =
    deadline === null ? "" : `; undone by itself in ${Math.max(0, Math.ceil((deadline - boottimeMs) / 1000))} s`;
  return `Transaction ${open.requestId} is ${phaseInWords(open)}${left}.`;
}

function phaseInWords(one: TransactionState): string {
  switch (one.last) {
    case "prepared":
      return "prepared; nothing has changed";
    case "armed":
      return "armed; nothing has changed yet";
    case "step_begin":
    case "step_done":
      return `changing the server (${one.lastStep?.title ?? ""})`;
    case "on_trial":
      return "on trial: the change is live and not confirmed";
    case "confirmed":
      return "confirmed; the boot config is being written";
    case "finalized":
      return "confirmed and finished";
    case "reverting":
      return "being undone";
    case "reverted":
      return one.changed ? "undone: the server is as it was before" : "closed before anything changed";
    case "revert_failed":
      return "NOT undone: a part could not be put back";
    case "refused":
      return "refused; nothing was changed";
    default:
      return assertNever(one.last);
  }
}

/** What this server keeps of the control plane's audit log, so that it can be held against the log by hand. */
export function auditHeadInWords(heads: KeptHeads | null): readonly string[] {
  if (heads === null) return ["Audit log: no head of it was handed to this server yet."];
  const { newest, ended, signerKey } = heads;
  return [
    `Audit log: ${newest.entries} entries at ${newest.at}${newest.epoch === 1 ? "" : `, epoch ${newest.epoch}`}, signed by the key ${keyName(signerKey)}.`,
    `  holdfast audit verify --kept ${newest.entries}:${newest.head}`,
    ...ended.map(
      (one) => `  Epoch ${one.epoch} ended here with ${one.entries} entries at ${one.at}, head ${one.head}.`,
    ),
  ];
}

/** The same for machines. */
export function headsInData(heads: KeptHeads | null) {
  if (heads === null) return null;
  return { signerKey: heads.signerKey, newest: headInText(heads.newest), ended: heads.ended.map(headInText) };
}

/** The last transaction from its beginning to where it stands. */
export function whyInWords(state: LedgerState, requestId: string | undefined): readonly string[] {
  const one =
    requestId === undefined
      ? state.transactions.at(-1)
      : state.transactions.find((known) => known.requestId === requestId);
  if (one === undefined)
    return [
      requestId === undefined
        ? "Nothing has been applied to this server yet."
        : `The ledger has nothing of ${requestId}.`,
    ];
  const { prepared } = one;
  const lines = [
    `Transaction ${one.requestId}${prepared === null ? "" : ` (${prepared.transactionKind}, change ${prepared.changeId || "unknown"}, by ${prepared.actor || "unknown"})`}`,
  ];
  for (const entry of one.entries)
    lines.push(
      `  ${new Date(entry.atMs).toISOString()}  ${entry.kind.replace("_", " ").padEnd(13)} ${entry.detail}`.trimEnd(),
    );
  lines.push(`It is ${phaseInWords(one)}.`);
  if (one.why !== null) lines.push(`Why: ${one.why.message} (${one.why.code})`);
  for (const finding of one.findings)
    lines.push(`  ${finding.severity}: ${finding.path}: ${finding.message} ${finding.remedy}`);
  return lines;
}
