import { assertNever } from "../base/never.ts";
import { err, ok, type Result } from "../base/result.ts";
import { isUnsettled, mayFollow } from "./kind.ts";
import {
  isServerRecord,
  type LedgerRecord,
  type LedgerState,
  type RecordDraft,
  type TransactionDraft,
  type TransactionState,
} from "./record.ts";

/**
 * The ledger's records, folded into what the server is bound to.
 *
 *   D1. At most one transaction is open; another may be prepared only when none is.
 *   D2. The highest fence never falls (I9). A new transaction needs a higher one; a tombstone too.
 *   D3. `confirmed` raises the generation by exactly one and becomes what is in force.
 *   D4. `revert_failed` locks the server until somebody releases it (I22).
 *   D5. What is forgotten is answered as stale, never as unknown.
 */
export const EMPTY_LEDGER: LedgerState = {
  nextSequence: 0,
  maxFence: 0,
  generation: 0,
  confirmed: null,
  lock: null,
  forgottenUpTo: "",
  head: "",
  transactions: [],
};

/** Outcomes that are remembered though acknowledged. Enough for a control plane that was restored from a backup of some days ago. */
export const REMEMBERED_OUTCOMES = 64;
/** Outcomes that are remembered at all; the carried state must fit into one record. */
export const MOST_OUTCOMES = 128;

export type LedgerRefusal =
  | { readonly code: "ledger.not_next"; readonly message: string }
  | { readonly code: "ledger.fence_stale"; readonly message: string }
  | { readonly code: "ledger.busy"; readonly message: string }
  | { readonly code: "ledger.generation"; readonly message: string };

/** Whether the record may be written now. The one gate in front of every append. */
export function checkNext(state: LedgerState, draft: RecordDraft): Result<null, LedgerRefusal> {
  if (isServerRecord(draft)) return ok(null);
  const before = transactionOf(state, draft.requestId);
  if (!mayFollow(before?.last ?? null, draft.kind)) {
    return err({
      code: "ledger.not_next",
      message: `${draft.kind} may not follow ${before?.last ?? "nothing"} for ${draft.requestId}`,
    });
  }
  if (before === null) {
    if (draft.fence <= state.maxFence) {
      return err({ code: "ledger.fence_stale", message: `fence ${draft.fence} is not above ${state.maxFence}` });
    }
    const open = openTransaction(state);
    // A tombstone changes nothing, and a server whose undo failed must be able to say no.
    const mayRefuse = draft.kind === "refused" && open?.last === "revert_failed";
    if (open !== null && !mayRefuse) return err({ code: "ledger.busy", message: `${open.requestId} is open` });
  }
  if (before !== null && draft.fence < before.fence) {
    return err({
      code: "ledger.fence_stale",
      message: `fence ${draft.fence} is below ${before.fence}, which a record of ${draft.requestId} already carries`,
    });
  }
  if (draft.kind === "confirmed" && draft.detail.generation !== state.generation + 1) {
    return err({
      code: "ledger.generation",
      message: `generation ${draft.detail.generation} does not follow ${state.generation}`,
    });
  }
  return ok(null);
}

/** Folds one record in. An error means that the ledger holds what it could never have written: damage. */
export function foldRecord(state: LedgerState, record: LedgerRecord, hash: string): Result<LedgerState, string> {
  if (record.kind !== "carried") {
    if (record.sequence !== state.nextSequence) {
      return err(`record ${record.sequence} stands where ${state.nextSequence} belongs`);
    }
    const legal = checkNext(state, record);
    if (!legal.ok) return err(legal.error.message);
  }
  return ok(foldEvidence(state, record, hash));
}

/**
 * Folds a record in without asking whether it may follow: for what stands behind damage, where records between are lost. Each of them is
 * whole and was written by this ledger, so a `confirmed` there is never undone, and a fence there never falls.
 */
export function foldEvidence(state: LedgerState, record: LedgerRecord, hash: string): LedgerState {
  const maxFence = Math.max(state.maxFence, record.fence);
  const next: LedgerState = { ...state, nextSequence: record.sequence + 1, maxFence, head: hash };
  if (!isServerRecord(record)) return foldTransaction(next, record, hash);
  switch (record.kind) {
    case "carried":
      return { ...record.detail.state, nextSequence: record.sequence + 1, head: hash };
    case "fence_raised":
      return next;
    case "locked":
      return { ...next, lock: record.detail };
    case "released":
      return { ...next, lock: null, transactions: next.transactions.map(release) };
    case "acknowledged": {
      const { requestIds } = record.detail;
      const acknowledge = (one: TransactionState): TransactionState =>
        requestIds.includes(one.requestId) && isOutcome(one) ? { ...one, acknowledged: true } : one;
      return { ...next, transactions: next.transactions.map(acknowledge) };
    }
    default:
      return assertNever(record);
  }
}

function release(one: TransactionState): TransactionState {
  return one.last === "revert_failed" ? { ...one, released: true } : one;
}

/**
 * What a new segment begins with. Old outcomes are dropped when they were acknowledged, or when there are more than a control plane that
 * acknowledges at all could have left; the single steps of settled transactions are dropped too.
 */
export function pruneState(state: LedgerState): LedgerState {
  const settled = state.transactions.filter((one) => !isOpen(one) && one.requestId !== state.confirmed?.requestId);
  const acknowledged = settled.filter((one) => one.acknowledged);
  const dropped = new Set([
    ...acknowledged.slice(0, Math.max(0, acknowledged.length - REMEMBERED_OUTCOMES)),
    ...settled.slice(0, Math.max(0, settled.length - MOST_OUTCOMES)),
  ]);
  let forgottenUpTo = state.forgottenUpTo;
  for (const { requestId } of dropped) if (requestId > forgottenUpTo) forgottenUpTo = requestId;
  const transactions = state.transactions
    .filter((one) => !dropped.has(one))
    .map((one) =>
      isOpen(one) ? one : { ...one, entries: one.entries.filter((entry) => !entry.kind.startsWith("step_")) },
    );
  return { ...state, forgottenUpTo, transactions };
}

export function transactionOf(state: LedgerState, requestId: string): TransactionState | null {
  return state.transactions.find((one) => one.requestId === requestId) ?? null;
}

/** The transaction that is not at rest, if there is one. */
export function openTransaction(state: LedgerState): TransactionState | null {
  return state.transactions.find(isOpen) ?? null;
}

function isOpen(one: TransactionState): boolean {
  return isUnsettled(one.last) && !(one.last === "revert_failed" && one.released);
}

/** True once the ledger holds a verdict that a receipt can be signed for. */
export function isOutcome(one: TransactionState): boolean {
  return one.last === "revert_failed" || one.last === "confirmed" || !isUnsettled(one.last);
}

/** True when something may have been changed and neither is confirmed nor undone: the way back is still due. */
export function needsUndo(one: TransactionState): boolean {
  return (
    one.last === "armed" ||
    one.last === "step_begin" ||
    one.last === "step_done" ||
    one.last === "on_trial" ||
    one.last === "reverting"
  );
}

/** Whether a request that is not known was forgotten (D5) rather than never seen. */
export function isForgotten(state: LedgerState, requestId: string): boolean {
  return transactionOf(state, requestId) === null && requestId <= state.forgottenUpTo;
}

function foldTransaction(state: LedgerState, record: TransactionDraft & LedgerRecord, hash: string): LedgerState {
  const before = transactionOf(state, record.requestId);
  const base: TransactionState = {
    ...(before ?? { ...BLANK, requestId: record.requestId, generation: state.generation }),
    last: record.kind,
    fence: Math.max(before?.fence ?? 0, record.fence),
    bootId: record.bootId,
    head: hash,
    atMs: record.atMs,
    acknowledged: false,
    released: false,
    entries: [...(before?.entries ?? []), { kind: record.kind, atMs: record.atMs, detail: detailInWords(record) }],
  };
  const after = withDetail(base, record);
  const transactions = [...state.transactions.filter((one) => one.requestId !== record.requestId), after];
  const next = { ...state, transactions };
  if (record.kind === "confirmed") {
    return {
      ...next,
      generation: record.detail.generation,
      confirmed: { requestId: record.requestId, configDigest: record.detail.configDigest },
    };
  }
  if (record.kind === "revert_failed") {
    return {
      ...next,
      lock: {
        code: "server.restore_failed",
        reason: `${record.detail.domains.join(", ")} could not be put back: ${record.detail.message}`,
      },
    };
  }
  // An undo that came through in the end takes the lock of its own failure away, and no other lock.
  if (record.kind === "reverted" && state.lock?.code === "server.restore_failed") return { ...next, lock: null };
  return next;
}

const BLANK: Omit<TransactionState, "requestId" | "last" | "fence" | "bootId" | "head" | "atMs" | "generation"> = {
  prepared: null,
  armed: null,
  onTrial: null,
  confirmed: null,
  lastStep: null,
  begun: [],
  why: null,
  findings: [],
  liveDigest: "",
  changed: false,
  revertAttempts: 0,
  released: false,
  acknowledged: false,
  entries: [],
};

function withDetail(one: TransactionState, record: TransactionDraft): TransactionState {
  switch (record.kind) {
    case "prepared":
      return { ...one, prepared: record.detail };
    case "armed":
      return { ...one, armed: record.detail };
    case "step_begin": {
      const { domain } = record.detail;
      return {
        ...one,
        changed: true,
        lastStep: { ...record.detail, done: false },
        begun: one.begun.includes(domain) ? one.begun : [...one.begun, domain],
      };
    }
    case "step_done":
      return { ...one, lastStep: one.lastStep === null ? null : { ...one.lastStep, done: true } };
    case "on_trial":
      return { ...one, onTrial: record.detail };
    case "confirmed":
      return { ...one, confirmed: record.detail, generation: record.detail.generation };
    case "finalized":
      return { ...one, liveDigest: record.detail.liveDigest };
    case "reverting":
      return { ...one, why: one.why ?? record.detail };
    case "reverted":
      return {
        ...one,
        why: { code: record.detail.code, message: record.detail.message },
        liveDigest: record.detail.liveDigest,
        changed: record.detail.changed,
      };
    case "revert_failed":
      return { ...one, revertAttempts: record.detail.attempt };
    case "refused":
      return {
        ...one,
        why: { code: record.detail.code, message: record.detail.message },
        findings: record.detail.findings,
      };
    default:
      return assertNever(record);
  }
}

function detailInWords(record: TransactionDraft): string {
  switch (record.kind) {
    case "prepared":
      return `${record.detail.transactionKind}, ${record.detail.domains.join(", ")}`;
    case "step_begin":
      return record.detail.title;
    case "step_done":
      return record.detail.stepId;
    case "confirmed":
    case "finalized":
      return `generation ${record.detail.generation}`;
    case "reverting":
    case "reverted":
    case "revert_failed":
    case "refused":
      return record.detail.code;
    case "armed":
    case "on_trial":
      return "";
    default:
      return assertNever(record);
  }
}
