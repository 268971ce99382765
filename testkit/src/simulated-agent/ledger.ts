/**
 * A guard and its ledger in memory, for tests of the control plane: the words, their order and the answers are those of the real one, and
 * every record passes core's LEDGER_NEXT. It changes no machine; `live` is the digest that a machine would have.
 *   G1. A command with a fence below the highest ever seen does nothing. A new Prepare needs a higher one.
 *   G2. A known request is answered with its record; nothing is done twice.
 *   G3. A crash keeps what was written and loses the rest; the boot undoes what was open and finishes what was confirmed.
 */
import { createHash } from "node:crypto";
import type { ServerIs } from "@holdfast/core/apply/state.ts";
import { isUnsettled, type LedgerKind, mayFollow } from "@holdfast/core/ledger/kind.ts";

export interface LedgerCommand {
  readonly requestId: string;
  readonly fence: number;
}

export interface PrepareOf extends LedgerCommand {
  readonly kind: "forward" | "rollback";
  readonly configDigest: string;
  readonly planDigest: string;
  readonly baseGeneration: number;
}

export interface LedgerTransaction {
  readonly requestId: string;
  readonly configDigest: string;
  readonly planDigest: string;
  fence: number;
  readonly records: LedgerKind[];
  nonceSha256: string;
  code: string;
  message: string;
  deadlineMs: number;
  /** What was live before: where the undo goes. */
  before: string;
  begunAtMs: number;
  endedAtMs: number | null;
}

/** How the machine under it misbehaves. */
export interface MachineFaults {
  /** Prepare finds something that forbids it. */
  refusePrepare: { code: string; message: string } | null;
  /** The step cannot be done; the guard undoes. */
  failStep: { code: string; message: string } | null;
  /** The undo cannot restore. */
  failRevert: boolean;
}

export type LedgerAnswer =
  | { readonly kind: "transaction"; readonly transaction: LedgerTransaction }
  /** The ledger has nothing of it. */
  | { readonly kind: "unknown" }
  | { readonly kind: "stale" }
  /** Refused without a record. */
  | { readonly kind: "rejected"; readonly code: string; readonly message: string };

export interface TrialTimes {
  readonly windowMs: number;
  readonly stepMs: number;
}

export class SimulatedLedger {
  readonly transactions = new Map<string, LedgerTransaction>();
  /** Requests that the ledger has forgotten. */
  readonly forgotten = new Set<string>();
  readonly outbox = new Set<string>();
  readonly faults: MachineFaults = { refusePrepare: null, failStep: null, failRevert: false };
  maxFence = 0;
  generation = 0;
  confirmedDigest = "";
  confirmedRequestId = "";
  live = "found";
  lockedCode = "";
  boots = 1;
  /** Called after each record is durable; may throw, as a power cut does. */
  onRecord: (transaction: LedgerTransaction, kind: LedgerKind) => void = () => undefined;
  readonly #times: TrialTimes;

  constructor(times: TrialTimes) {
    this.#times = times;
  }

  get open(): LedgerTransaction | undefined {
    return [...this.transactions.values()].find(
      (transaction) => isUnsettled(last(transaction)) && last(transaction) !== "revert_failed",
    );
  }

  ask(requestId: string): LedgerAnswer {
    if (this.forgotten.has(requestId)) return { kind: "stale" };
    const transaction = this.transactions.get(requestId);
    return transaction === undefined ? { kind: "unknown" } : { kind: "transaction", transaction };
  }

  prepare(command: PrepareOf, nowMs: number): LedgerAnswer {
    if (command.fence < this.maxFence) return this.#fenceTooLow(command.fence); // G1
    const known = this.ask(command.requestId);
    if (known.kind !== "unknown") return this.#obey(command, known); // G2
    if (command.fence <= this.maxFence) return this.#fenceTooLow(command.fence);
    this.maxFence = command.fence;
    if (this.lockedCode !== "") return { kind: "rejected", code: "server.locked", message: this.lockedCode };
    if (this.open !== undefined)
      return { kind: "rejected", code: "transaction.busy", message: `${this.open.requestId} is open` };
    const transaction = this.#begin(command, nowMs);
    const refusal = this.faults.refusePrepare ?? this.#baseMoved(command);
    if (refusal === null) this.#append(transaction, "prepared", nowMs);
    else this.#append(transaction, "refused", nowMs, refusal);
    return { kind: "transaction", transaction };
  }

  /** Arms; the steps follow by `advance`. */
  execute(command: LedgerCommand & { readonly nonce: string }, nowMs: number): LedgerAnswer {
    if (command.fence < this.maxFence) return this.#fenceTooLow(command.fence);
    const known = this.ask(command.requestId);
    if (known.kind !== "transaction") return known;
    const { transaction } = known;
    this.maxFence = command.fence;
    if (last(transaction) === "prepared") {
      transaction.nonceSha256 = sha256(command.nonce);
      transaction.deadlineMs = nowMs + this.#times.stepMs + this.#times.windowMs;
      this.#append(transaction, "armed", nowMs);
    }
    return known;
  }

  /** The next durable act of a transaction that is under way; false when there is none without somebody's word. */
  advance(requestId: string, nowMs: number): boolean {
    const transaction = this.transactions.get(requestId);
    if (transaction === undefined) return false;
    switch (last(transaction)) {
      case "armed":
        this.#append(transaction, "step_begin", nowMs);
        this.live = this.faults.failStep === null ? transaction.configDigest : `half of ${transaction.configDigest}`;
        return true;
      case "step_begin":
        if (this.faults.failStep !== null) this.#append(transaction, "reverting", nowMs, this.faults.failStep);
        else this.#append(transaction, "step_done", nowMs);
        return true;
      case "step_done":
        transaction.deadlineMs = Math.min(transaction.deadlineMs, nowMs + this.#times.windowMs);
        this.#append(transaction, "on_trial", nowMs);
        return true;
      case "confirmed":
        this.#append(transaction, "finalized", nowMs);
        return true;
      case "reverting":
        this.#restore(transaction, nowMs);
        return true;
      case "prepared":
      case "on_trial":
      case "finalized":
      case "reverted":
      case "revert_failed":
      case "refused":
        return false;
    }
  }

  confirm(command: LedgerCommand & { readonly nonce: string }, sessionIsFresh: boolean, nowMs: number): LedgerAnswer {
    if (command.fence < this.maxFence) return this.#fenceTooLow(command.fence);
    const known = this.ask(command.requestId);
    if (known.kind !== "transaction") return known;
    const { transaction } = known;
    this.maxFence = command.fence;
    if (last(transaction) !== "on_trial") return known;
    if (nowMs >= transaction.deadlineMs) {
      this.tick(nowMs);
      return known;
    }
    if (!sessionIsFresh)
      return { kind: "rejected", code: "confirm.old_session", message: "asked over a session from before the change" };
    if (sha256(command.nonce) !== transaction.nonceSha256)
      return { kind: "rejected", code: "confirm.wrong_nonce", message: "the nonce is not that of Execute" };
    this.generation += 1;
    this.confirmedDigest = transaction.configDigest;
    this.confirmedRequestId = transaction.requestId;
    this.#append(transaction, "confirmed", nowMs);
    return known;
  }

  abort(command: LedgerCommand & { readonly code: string; readonly message: string }, nowMs: number): LedgerAnswer {
    if (command.fence < this.maxFence) return this.#fenceTooLow(command.fence);
    const known = this.ask(command.requestId);
    if (known.kind === "stale") return known;
    this.maxFence = command.fence;
    if (known.kind === "unknown") {
      const tombstone = this.#begin({ ...command, configDigest: "", planDigest: "" }, nowMs);
      this.#append(tombstone, "refused", nowMs, command);
      return { kind: "transaction", transaction: tombstone };
    }
    if (known.kind !== "transaction") return known;
    const { transaction } = known;
    const kind = last(transaction);
    if (kind === "prepared") this.#append(transaction, "refused", nowMs, command);
    else if (mayFollow(kind, "reverting") && kind !== "revert_failed")
      this.#append(transaction, "reverting", nowMs, command);
    return known;
  }

  /** The server's own clock: the deadline decides without anybody's word. */
  tick(nowMs: number, code = "trial.deadline"): void {
    const open = this.open;
    if (open === undefined || !mayFollow(last(open), "reverting") || nowMs < open.deadlineMs) return;
    this.#append(open, "reverting", nowMs, { code, message: "not confirmed in time" });
    this.#restore(open, nowMs);
  }

  /** The server undoes what is on trial at once, as when no session came back in time. */
  undoNow(code: string, nowMs: number): void {
    const open = this.open;
    if (open === undefined || !mayFollow(last(open), "reverting")) return;
    this.#append(open, "reverting", nowMs, { code, message: code });
    this.#restore(open, nowMs);
  }

  /** Power is lost and comes back: G3. */
  reboot(nowMs: number): void {
    this.boots += 1;
    const open = this.open;
    if (open === undefined) return;
    const kind = last(open);
    if (kind === "confirmed") this.#append(open, "finalized", nowMs);
    else if (kind === "prepared")
      this.#append(open, "reverted", nowMs, {
        code: "boot.nothing_changed",
        message: "power was lost before anything changed",
      });
    else {
      if (kind !== "reverting")
        this.#append(open, "reverting", nowMs, { code: "boot.other_boot", message: "power was lost during the trial" });
      this.#restore(open, nowMs);
    }
  }

  release(): void {
    this.lockedCode = "";
  }

  #restore(transaction: LedgerTransaction, nowMs: number): void {
    if (this.faults.failRevert) {
      this.lockedCode = "server.restore_failed";
      this.live = "mixed";
      this.#append(transaction, "revert_failed", nowMs);
      return;
    }
    this.live = transaction.before;
    this.#append(transaction, "reverted", nowMs);
  }

  #begin(
    command: LedgerCommand & { readonly configDigest: string; readonly planDigest: string },
    nowMs: number,
  ): LedgerTransaction {
    const { requestId, fence, configDigest, planDigest } = command;
    const transaction: LedgerTransaction = {
      requestId,
      configDigest,
      planDigest,
      fence,
      records: [],
      nonceSha256: "",
      code: "",
      message: "",
      deadlineMs: 0,
      before: this.live,
      begunAtMs: nowMs,
      endedAtMs: null,
    };
    this.transactions.set(requestId, transaction);
    return transaction;
  }

  #obey(command: LedgerCommand, known: LedgerAnswer): LedgerAnswer {
    this.maxFence = Math.max(this.maxFence, command.fence);
    return known;
  }

  #baseMoved(command: PrepareOf): { code: string; message: string } | null {
    if (command.baseGeneration === this.generation) return null;
    return {
      code: "plan.base_moved",
      message: `planned on generation ${command.baseGeneration}, the server is at ${this.generation}`,
    };
  }

  #fenceTooLow(fence: number): LedgerAnswer {
    return { kind: "rejected", code: "fence.too_low", message: `fence ${fence} is below ${this.maxFence}` };
  }

  #append(
    transaction: LedgerTransaction,
    kind: LedgerKind,
    nowMs: number,
    why?: { readonly code: string; readonly message: string },
  ): void {
    const before = transaction.records.at(-1) ?? null;
    if (!mayFollow(before, kind)) throw new Error(`the ledger may not write ${kind} after ${before}`);
    transaction.records.push(kind);
    if (why !== undefined) {
      transaction.code = why.code;
      transaction.message = why.message;
    }
    if (kind === "finalized" || kind === "reverted" || kind === "refused" || kind === "revert_failed") {
      transaction.endedAtMs = nowMs;
      this.outbox.add(transaction.requestId);
    }
    this.onRecord(transaction, kind);
  }
}

export function last(transaction: LedgerTransaction): LedgerKind {
  const kind = transaction.records.at(-1);
  if (kind === undefined) throw new Error(`${transaction.requestId} has no record`);
  return kind;
}

/** What a read-back of the server would say at the end of this transaction. */
export function serverIsAfter(transaction: LedgerTransaction): ServerIs {
  switch (last(transaction)) {
    case "finalized":
    case "confirmed":
      return "as_requested";
    case "revert_failed":
      return "mixed";
    case "prepared":
    case "reverted":
    case "refused":
      return "as_before";
    case "armed":
    case "step_begin":
    case "step_done":
    case "on_trial":
    case "reverting":
      return "unknown";
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
