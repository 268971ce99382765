import { SERVER_IS, type ServerIs } from "@holdfast/core/apply/state.ts";
import { type Transaction, TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";

/** What an agent can say of a request, in the ledger's words. `unknown` and `stale` are no verdicts. */
export const ANSWER_PHASES = [
  "unknown",
  "stale",
  "prepared",
  "armed",
  "changing",
  "on_trial",
  "confirmed",
  "finalized",
  "reverting",
  "reverted",
  "revert_failed",
  "refused",
] as const;
export type AnswerPhase = (typeof ANSWER_PHASES)[number];

/** `missing` and `invalid` prove nothing: an outcome without a valid receipt is not recorded. */
export type ReceiptVerdict = "valid" | "missing" | "invalid";

export interface Answer {
  readonly phase: AnswerPhase;
  readonly maxFence: number;
  readonly code: string;
  readonly message: string;
  readonly serverIs: ServerIs;
  readonly lastStep: string;
  readonly remainingMs: number;
  readonly generation: number;
  readonly liveDigest: string;
  readonly receipt: ReceiptVerdict;
  /** Learnt over a session that the control plane accepted after on_trial was written. */
  readonly fresh: boolean;
}

/** Null for a phase that this version does not know: no answer is better than a guessed one. */
const PHASE_OF_WIRE = {
  [TransactionPhase.UNSPECIFIED]: null,
  [TransactionPhase.UNKNOWN]: "unknown",
  [TransactionPhase.STALE]: "stale",
  [TransactionPhase.PREPARED]: "prepared",
  [TransactionPhase.ARMED]: "armed",
  [TransactionPhase.CHANGING]: "changing",
  [TransactionPhase.ON_TRIAL]: "on_trial",
  [TransactionPhase.CONFIRMED]: "confirmed",
  [TransactionPhase.FINALIZED]: "finalized",
  [TransactionPhase.REVERTING]: "reverting",
  [TransactionPhase.REVERTED]: "reverted",
  [TransactionPhase.REVERT_FAILED]: "revert_failed",
  [TransactionPhase.REFUSED]: "refused",
} as const satisfies Record<TransactionPhase, AnswerPhase | null>;

export function phaseOfWire(phase: TransactionPhase): AnswerPhase | null {
  const phases: Partial<Record<number, AnswerPhase | null>> = PHASE_OF_WIRE; // a newer agent may say a number that is not here
  return phases[phase] ?? null;
}

/** Reads an agent's message. `fresh` needs both sides: the agent's word, and that it is not the session over which Execute was sent. */
export function readAnswer(message: Transaction, receipt: ReceiptVerdict, overOtherSession: boolean): Answer | null {
  const phase = phaseOfWire(message.phase);
  if (phase === null) return null;
  return {
    phase,
    maxFence: Number(message.maxFence),
    code: message.code,
    message: message.message,
    serverIs: SERVER_IS.find((word) => word === message.serverIs) ?? "unknown",
    lastStep: message.lastStep,
    remainingMs: Number(message.remainingMs),
    generation: Number(message.generation),
    liveDigest: message.liveDigest,
    receipt,
    fresh: message.sessionIsFresh && overOtherSession,
  };
}
