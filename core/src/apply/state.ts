/**
 * The life of a change on one server, as data: the only moves there are (I13). Everything that asks "may this happen?" asks this table: the database's trigger, the API's
 * refusals, the console's buttons, the picture in the docs and the model test.
 *
 *   A1. APPLYING and ROLLBACKING are the only open states; at most one apply per server is open (I10).
 *   A2. ROLLED_BACK is never inferred: the agent read the server back and signed a receipt.
 *   A3. FAILED says what it left behind: effect `none`, `restore_failed` or `unknown`.
 */
export const APPLY_STATES = [
  "DRAFT",
  "READY",
  "APPLYING",
  "APPLIED",
  "FAILED",
  "ROLLBACKING",
  "ROLLED_BACK",
  "CANCELLED",
] as const;
export type ApplyState = (typeof APPLY_STATES)[number];

/** What the outcome left on the server, for FAILED. */
export const EFFECTS = ["none", "restore_failed", "unknown"] as const;
export type Effect = (typeof EFFECTS)[number];

/** The second fact, always shown beside the outcome. */
export const SERVER_IS = ["as_before", "as_requested", "mixed", "unknown"] as const;
export type ServerIs = (typeof SERVER_IS)[number];

/** The one vocabulary of phases inside APPLYING and ROLLBACKING, which is the ledger's. */
export const PHASES = [
  "dispatched",
  "prepared",
  "armed",
  "changing",
  "on_trial",
  "confirming",
  "finalizing",
  "reverting",
  "in_doubt",
] as const;
export type Phase = (typeof PHASES)[number];

/** Who or what may cause a transition. */
export type Cause =
  | "validated_and_approved"
  | "claimed"
  | "withdrawn"
  | "aborted_before_change"
  | "agent_finalized"
  | "refused_unchanged"
  | "abort_or_undo_began"
  | "operator_rollback"
  | "agent_reverted"
  | "rollback_confirmed"
  | "restore_failed"
  | "forced_closed"
  | "already_confirmed"
  | "rollback_was_undone";

export interface Transition {
  readonly to: ApplyState;
  readonly causes: readonly Cause[];
}

export const TRANSITIONS = {
  DRAFT: [{ to: "READY", causes: ["validated_and_approved"] }],
  READY: [
    { to: "APPLYING", causes: ["claimed"] },
    { to: "CANCELLED", causes: ["withdrawn", "aborted_before_change"] },
  ],
  APPLYING: [
    { to: "APPLIED", causes: ["agent_finalized"] },
    { to: "FAILED", causes: ["refused_unchanged"] },
    { to: "ROLLBACKING", causes: ["abort_or_undo_began", "operator_rollback"] },
  ],
  APPLIED: [{ to: "ROLLBACKING", causes: ["operator_rollback"] }],
  ROLLBACKING: [
    { to: "ROLLED_BACK", causes: ["agent_reverted", "rollback_confirmed"] },
    { to: "FAILED", causes: ["restore_failed", "forced_closed"] },
    { to: "APPLIED", causes: ["already_confirmed", "rollback_was_undone"] },
  ],
  FAILED: [{ to: "ROLLBACKING", causes: ["operator_rollback"] }],
  ROLLED_BACK: [],
  CANCELLED: [],
} as const satisfies Record<ApplyState, readonly Transition[]>;

/** True for the two states in which a host transaction may be under way. */
export function isOpen(state: ApplyState): boolean {
  return state === "APPLYING" || state === "ROLLBACKING";
}

/** True when the table has the step; FAILED with effect `none` has nothing to roll back. */
export function mayMove(from: ApplyState, to: ApplyState, effect: Effect | null = null): boolean {
  if (from === "FAILED" && to === "ROLLBACKING" && effect === "none") return false;
  const row: readonly Transition[] = TRANSITIONS[from];
  return row.some((transition) => transition.to === to);
}
