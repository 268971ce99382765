import type { Effect, Phase, ServerIs } from "@holdfast/core/apply/state.ts";
import type { Answer } from "./answer.ts";
import type { TrialView } from "./trial.ts";

/** An operator's wish that the saga reads in the transaction of its next step. */
export const WISHES = ["confirm", "abort", "force_close"] as const;
export type Wish = (typeof WISHES)[number];

/** An open apply, as decisions see it: its row, its host transaction, and what the agent last said. */
export interface SagaView {
  readonly state: "APPLYING" | "ROLLBACKING";
  readonly phase: Phase;
  /** Why an undo has begun, once it has. */
  readonly code: string | null;
  readonly message: string | null;
  readonly wish: Wish | null;
  readonly wishReason: string | null;
  /** The server can prove who it is until then, over sessions that it has still to make. */
  readonly certificateEndsMs: number;
  readonly transaction: TransactionView;
  /** Null: nothing has been heard in this session yet, or what was heard has aged. */
  readonly answer: Answer | null;
  /** The signer of commands has refused what was to be sent. */
  readonly unsigned: { readonly code: string; readonly message: string } | null;
  readonly trial: Pick<TrialView, "rounds" | "freshSinceMs"> | null;
}

export interface TransactionView {
  readonly kind: "forward" | "rollback";
  /** The fence of this claim; every message carries it. */
  readonly fence: number;
  readonly createdAtMs: number;
  readonly prepareSentAtMs: number | null;
  readonly executeSentAtMs: number | null;
  readonly confirmSentAtMs: number | null;
  readonly abortSentAtMs: number | null;
  /** When it was written down that the server is back over a new session, on trial; a person may confirm from then on. */
  readonly freshSinceMs: number | null;
  readonly probes: TrialView["probes"];
  readonly baseline: TrialView["baseline"] | null;
  readonly soakMs: number;
  readonly windowMs: number;
  /** The steps' budgets together. */
  readonly budgetMs: number;
  readonly needsPerson: boolean;
  /** Of a rollback: what the apply was before it. */
  readonly before: BeforeRollback | null;
}

export interface BeforeRollback {
  readonly state: "APPLIED" | "FAILED";
  readonly effect: Effect | null;
  readonly serverIs: ServerIs;
}

/** The last line of an apply, or of its rollback. */
export interface Ending {
  readonly state: "APPLIED" | "FAILED" | "ROLLED_BACK";
  readonly effect: Effect | null;
  readonly serverIs: ServerIs;
  readonly code: string | null;
  readonly message: string | null;
  /** What the host transaction came to; null when it was closed without the agent's word, or was never sent. */
  readonly outcome: "finalized" | "reverted" | "revert_failed" | "refused" | null;
  /** The plan's config is in force: assignments, generation and confirmed digest move. */
  readonly confirmed: boolean;
  /** No applies until somebody has looked. */
  readonly lock: { readonly code: string; readonly reason: string } | null;
  /** The server stops obeying what was sent so far. */
  readonly raiseFence: boolean;
}

export type SagaAction =
  | { readonly kind: "ask" }
  /** Nothing to do for so long; then ask again. An event of the agent or a wish comes in between. */
  | { readonly kind: "wait"; readonly ms: number; readonly phase: Phase }
  | { readonly kind: "raise_fence"; readonly above: number }
  | { readonly kind: "send_prepare" }
  | { readonly kind: "take_baseline" }
  | { readonly kind: "send_execute" }
  | { readonly kind: "probe" }
  | { readonly kind: "send_confirm" }
  /** `undoes`: something may have changed, so the apply is ROLLBACKING from here. */
  | { readonly kind: "send_abort"; readonly undoes: boolean; readonly code: string; readonly message: string }
  /** The server undoes on its own account. */
  | { readonly kind: "begin_undo"; readonly code: string; readonly message: string }
  | { readonly kind: "finish"; readonly ending: Ending };
