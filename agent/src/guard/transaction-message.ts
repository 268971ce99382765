import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServerIs } from "@holdfast/core/apply/state.ts";
import { isForgotten, transactionOf } from "@holdfast/core/ledger/fold.ts";
import type { LedgerKind } from "@holdfast/core/ledger/kind.ts";
import type { LedgerState, TransactionState } from "@holdfast/core/ledger/record.ts";
import { TransactionPhase, type TransactionSchema } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import type { ReceiptSigner } from "./receipt.ts";

export type TransactionMessage = MessageInitShape<typeof TransactionSchema>;

const PHASE = {
  prepared: TransactionPhase.PREPARED,
  armed: TransactionPhase.ARMED,
  step_begin: TransactionPhase.CHANGING,
  step_done: TransactionPhase.CHANGING,
  on_trial: TransactionPhase.ON_TRIAL,
  confirmed: TransactionPhase.CONFIRMED,
  finalized: TransactionPhase.FINALIZED,
  reverting: TransactionPhase.REVERTING,
  reverted: TransactionPhase.REVERTED,
  revert_failed: TransactionPhase.REVERT_FAILED,
  refused: TransactionPhase.REFUSED,
} as const satisfies Record<LedgerKind, TransactionPhase>;

export interface Asker {
  readonly serverId: string;
  readonly signer: ReceiptSigner;
  readonly boottimeMs: number;
  /** When the session that asks was established, nanoseconds of CLOCK_MONOTONIC; 0 when it is not known. */
  readonly sessionMonotonicNs: bigint;
}

/** What the ledger says of one request, for the wire. A request it has nothing of is `unknown` or `stale`: no verdicts. */
export function transactionMessage(state: LedgerState, requestId: string, asker: Asker): TransactionMessage {
  const one = transactionOf(state, requestId);
  const maxFence = BigInt(state.maxFence);
  if (one === null) {
    const phase = isForgotten(state, requestId) ? TransactionPhase.STALE : TransactionPhase.UNKNOWN;
    return { requestId, phase, maxFence, generation: BigInt(state.generation) };
  }
  const receipt = asker.signer.sign(one, asker.serverId);
  return {
    requestId,
    phase: PHASE[one.last],
    fence: BigInt(one.fence),
    maxFence,
    code: one.why?.code ?? "",
    message: one.why?.message ?? "",
    serverIs: serverIs(one),
    lastStep: one.lastStep === null ? "" : `${one.lastStep.stepId}: ${one.lastStep.title}`,
    remainingMs: BigInt(Math.max(0, (deadlineOf(one) ?? asker.boottimeMs) - asker.boottimeMs)),
    generation: BigInt(one.generation),
    liveDigest: one.liveDigest,
    ...(receipt === null ? {} : { receipt: { body: receipt.body, signature: receipt.signature } }),
    findings: one.findings.map((finding) => ({ ...finding })),
    entries: one.entries.map((entry) => ({ kind: entry.kind, atMs: BigInt(entry.atMs), detail: entry.detail })),
    sessionIsFresh: isFresh(one, asker.sessionMonotonicNs),
  };
}

/** A session that was established after on_trial was written. Before there is nothing it could be fresher than. */
export function isFresh(one: TransactionState, sessionMonotonicNs: bigint): boolean {
  return one.onTrial !== null && sessionMonotonicNs > BigInt(one.onTrial.monotonicNs);
}

/** Boot time at which the server undoes by itself; null while nothing is armed. */
export function deadlineOf(one: TransactionState): number | null {
  switch (one.last) {
    case "armed":
    case "step_begin":
    case "step_done":
      return one.armed?.deadlineMs ?? null;
    case "on_trial":
      return one.onTrial?.deadlineMs ?? null;
    case "prepared":
    case "confirmed":
    case "finalized":
    case "reverting":
    case "reverted":
    case "revert_failed":
    case "refused":
      return null;
  }
}

function serverIs(one: TransactionState): ServerIs {
  switch (one.last) {
    case "prepared":
    case "refused":
    case "reverted":
    case "armed":
      return "as_before";
    case "on_trial":
    case "confirmed":
    case "finalized":
      return "as_requested";
    case "step_begin":
    case "step_done":
      return "mixed";
    case "reverting":
      return one.changed ? "mixed" : "as_before";
    case "revert_failed":
      return "unknown";
  }
}
