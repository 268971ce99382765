/**
 * What the ledger on a server can say of one host transaction, in order. Each record is fsynced before the next act.
 *
 *   L1. Whichever of `confirmed` and `reverting` is written first has won; the other is refused for that request for ever (I3).
 *   L2. Nothing on the server changes before `armed` is on disk.
 *   L3. A tombstone (`refused`) answers every later message of that request.
 */
export const LEDGER_KINDS = [
  "prepared",
  "armed",
  "step_begin",
  "step_done",
  "on_trial",
  "confirmed",
  "finalized",
  "reverting",
  "reverted",
  "revert_failed",
  "refused",
] as const;
export type LedgerKind = (typeof LEDGER_KINDS)[number];

/** I23: which record may follow which, for one request. `null` is a request of which the ledger has nothing. */
export const LEDGER_NEXT = {
  prepared: ["armed", "reverted", "refused"],
  armed: ["step_begin", "on_trial", "reverting"],
  step_begin: ["step_done", "reverting"],
  step_done: ["step_begin", "on_trial", "reverting"],
  on_trial: ["confirmed", "reverting"],
  confirmed: ["finalized"],
  finalized: [],
  reverting: ["reverted", "revert_failed"],
  reverted: [],
  revert_failed: ["reverting"],
  refused: [],
} as const satisfies Record<LedgerKind, readonly LedgerKind[]>;

/** The records that may come first for a request. */
export const LEDGER_FIRST = ["prepared", "refused"] as const satisfies readonly LedgerKind[];

/** The records after which a transaction needs nothing more from anybody. */
export const LEDGER_FINAL = ["finalized", "reverted", "refused"] as const satisfies readonly LedgerKind[];

/** True when the record `next` may follow `last` for one request. */
export function mayFollow(last: LedgerKind | null, next: LedgerKind): boolean {
  const allowed: readonly LedgerKind[] = last === null ? LEDGER_FIRST : LEDGER_NEXT[last];
  return allowed.includes(next);
}

/** True while the server is not at rest: an undo may still be due. */
export function isUnsettled(last: LedgerKind): boolean {
  return !(LEDGER_FINAL as readonly LedgerKind[]).includes(last);
}
