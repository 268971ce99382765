import { setTimeout as sleep } from "node:timers/promises";
import { assertNever } from "@holdfast/core/base/never.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { isForgotten, needsUndo, openTransaction, transactionOf } from "@holdfast/core/ledger/fold.ts";
import type { TransactionState } from "@holdfast/core/ledger/record.ts";
import type { AbortCommand, Command, TunnelCommand } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import type { LookAfterRequest } from "@holdfast/proto/gen/holdfast/v1/guard_pb.ts";
import type { TunnelActResponse } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { reasonOf } from "../log/log.ts";
import type { Refusal } from "../rpc/refusal.ts";
import type { GuardContext } from "./context.ts";
import { armTransaction, changeServer } from "./execute.ts";
import { lookAfter, whereConfirmed } from "./look-after.ts";
import { prepare } from "./prepare.ts";
import { confirm, finalize } from "./settle.ts";
import { actOnTunnel, refusedWhileOpen } from "./tunnel-act.ts";
import { startUndo, undoAndWait } from "./undo.ts";

/**
 * The guard runs transactions. It keeps nothing that it needs in memory: what it finds in the ledger when it starts decides what it does.
 *
 *   G1. A transaction that this process did not begin to change, or whose boot is over, is undone, never continued.
 *   G2. While a transaction is open, boot time is looked at; past the deadline, or without a new session in the reconnect time, it is undone.
 *   G3. A fence below the highest one changes nothing; a higher one is on disk before anything else is done with it.
 *   G4. `confirmed` without `finalized` is finished, however often that takes.
 */

/** Milliseconds between two looks while a transaction is open, and while none is. */
const LOOK_EVERY_MS = 50;
const LOOK_IDLE_MS = 1_000;
/** Milliseconds after which an undo that has been started and has not ended is started again; a second one waits for the first's lock. */
const RESTART_UNDO_AFTER_MS = 15_000;
/** Milliseconds that a guard gives the session to tell of itself after the guard was restarted. */
const GRACE_AFTER_START_MS = 3_000;
const RETRY_FINALIZE_AFTER_MS = 2_000;
/** Acts on tunnels whose answers are kept for who asks again. One of a server is under way at a time, so this is a long memory. */
const REMEMBERED_ACTS = 16;

export class Guard {
  readonly context: GuardContext;
  /** Requests that this process is changing the server for. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #finishing = new Map<string, Promise<void>>();
  readonly #busyUntil = new Map<string, number>();
  readonly #startedAtMs: number;
  #prepares: Promise<unknown> = Promise.resolve();
  /** By request, the newest last. */
  readonly #tunnelActs = new Map<string, Promise<Result<TunnelActResponse, Refusal>>>();
  #newestSessionNs = 0n;
  #stopped = false;

  constructor(context: GuardContext) {
    this.context = context;
    this.#startedAtMs = context.clock.boottimeMs();
  }

  /** True while somebody must look at the clock for this server. */
  hasWork(): boolean {
    const open = openTransaction(this.context.ledger.read());
    return this.#running.size > 0 || (open !== null && open.last !== "prepared" && open.last !== "revert_failed");
  }

  /** Does what a verified command says. The answer is in the ledger afterwards; a refusal has left nothing there. */
  async obey(command: Command, sessionMonotonicNs: bigint): Promise<Result<null, Refusal>> {
    const { verb } = command;
    switch (verb.case) {
      case "prepare": {
        const turn = this.#prepares.then(() => prepare(this.context, command, verb.value));
        this.#prepares = turn.catch(() => undefined);
        return turn;
      }
      case "execute":
        return this.#execute(command, verb.value.nonce);
      case "confirm":
        return this.#confirm(command, verb.value.nonce, sessionMonotonicNs);
      case "abort":
        return this.#abort(command, verb.value);
      case "release":
        return this.#release(command, verb.value.reason);
      case "tunnel":
      case undefined:
        return err({ code: "command.wrong_verb", message: "the command is not one for a transaction" });
      default:
        return assertNever(verb);
    }
  }

  /**
   * An operator's act on a tunnel. It is no transaction: what keeps it from being done twice, by whoever kept the signed command, is a fence that
   * is higher than any before and on the disk first. Whoever lost the answer asks again and gets it, as long as this process lives.
   */
  async actOnTunnel(command: Command): Promise<Result<TunnelActResponse, Refusal>> {
    const { verb, requestId } = command;
    if (verb.case !== "tunnel")
      return err({ code: "command.wrong_verb", message: "the command is not about a tunnel" });
    const known = this.#tunnelActs.get(requestId);
    if (known !== undefined) return known;
    const acting = this.#actOnce(command, verb.value);
    this.#tunnelActs.set(requestId, acting);
    for (const [oldest] of this.#tunnelActs) {
      if (this.#tunnelActs.size <= REMEMBERED_ACTS) break;
      this.#tunnelActs.delete(oldest);
    }
    return acting;
  }

  async #actOnce(command: Command, wish: TunnelCommand): Promise<Result<TunnelActResponse, Refusal>> {
    const fence = Number(command.fence);
    const state = this.context.ledger.read();
    const { maxFence } = state;
    // Before the fence: raised under an open transaction, it would keep that one's own confirmation out.
    const open = openTransaction(state);
    if (open !== null) return ok(refusedWhileOpen(wish, open));
    if (fence <= maxFence)
      return err({
        code: "guard.fence_stale",
        message: `fence ${fence} is not above ${maxFence}: this was asked before, or something else has claimed this server since`,
      });
    const fresh = await this.#checkFence(fence);
    return fresh.ok ? ok(await actOnTunnel(this.context, command, wish)) : fresh;
  }

  /** What is put back is so in turn with what is prepared: no plan is made on a server in the middle of it. */
  async lookAfter({
    domains,
    confirmedOnly,
  }: Pick<LookAfterRequest, "domains" | "confirmedOnly">): ReturnType<typeof lookAfter> {
    const asked = this.context.modules.available.filter((one) => domains.length === 0 || domains.includes(one));
    const wanted = confirmedOnly ? whereConfirmed(this.context, asked) : asked;
    return lookAfter(this.context, wanted, (keep) => {
      const turn = this.#prepares.then(keep);
      this.#prepares = turn.catch(() => undefined);
      return turn;
    });
  }

  sessionEstablished(monotonicNs: bigint): void {
    if (monotonicNs > this.#newestSessionNs) this.#newestSessionNs = monotonicNs;
  }

  /** Looks at the clock and at the ledger until `stop`. */
  async watch(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#look();
      } catch (error) {
        this.context.log.error("the guard could not look at the ledger", {}, { reason: reasonOf(error) });
      }
      await sleep(this.hasWork() ? LOOK_EVERY_MS : LOOK_IDLE_MS);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #execute(command: Command, nonce: string): Promise<Result<null, Refusal>> {
    const { requestId } = command;
    const fence = Number(command.fence);
    const running = this.#running.get(requestId);
    if (running !== undefined) {
      await running;
      return ok(null);
    }
    const one = transactionOf(this.context.ledger.read(), requestId);
    if (one === null)
      return err({ code: "guard.not_prepared", message: `transaction ${requestId} is not prepared here` });
    const fresh = await this.#checkFence(fence);
    if (!fresh.ok) return fresh;
    if (one.last !== "prepared") return ok(null);
    if (!/^[0-9a-f]{64}$/.test(nonce))
      return err({ code: "guard.nonce", message: "the nonce must be 32 bytes in lower-case hex" });
    let refusal: Refusal | null = null;
    const run = (async () => {
      const armed = await armTransaction(this.context, requestId, fence, nonce);
      if (!armed.ok) {
        refusal = armed.error;
        return;
      }
      const executed = await changeServer(this.context, requestId);
      if (executed.kind === "undo") await undoAndWait(this.context, requestId, executed.reason);
    })().finally(() => this.#running.delete(requestId));
    this.#running.set(requestId, run);
    await run;
    return refusal === null ? ok(null) : err(refusal);
  }

  async #confirm(command: Command, nonce: string, sessionMonotonicNs: bigint): Promise<Result<null, Refusal>> {
    const { requestId } = command;
    const fence = Number(command.fence);
    const fresh = await this.#checkFence(fence);
    if (!fresh.ok) return fresh;
    const outcome = await confirm(this.context, { requestId, fence, nonce, sessionMonotonicNs });
    if (!outcome.ok && "undo" in outcome) {
      await undoAndWait(this.context, requestId, outcome.undo);
      return ok(null);
    }
    if (!outcome.ok) return outcome;
    await this.#finish(requestId);
    return ok(null);
  }

  async #abort(command: Command, reason: AbortCommand): Promise<Result<null, Refusal>> {
    const { requestId } = command;
    const fence = Number(command.fence);
    const { ledger } = this.context;
    const state = ledger.read();
    const one = transactionOf(state, requestId);
    if (one === null) {
      // STALE is answered by who reads the ledger next: an old fence or a forgotten request gets no verdict here.
      if (isForgotten(state, requestId) || fence <= state.maxFence) return ok(null);
      const tombstone = await ledger.append({
        kind: "refused",
        requestId,
        fence,
        detail: { code: reason.code, message: reason.message, findings: [] },
      });
      return tombstone.ok ? ok(null) : err({ code: "guard.busy", message: tombstone.error.message });
    }
    const fresh = await this.#checkFence(fence);
    if (!fresh.ok) return fresh;
    if (one.last === "prepared") {
      const undone = await ledger.append({
        kind: "reverted",
        requestId,
        fence,
        detail: { code: reason.code, message: reason.message, liveDigest: "", changed: false },
      });
      // Somebody was quicker, with Execute perhaps: then it is undone like any other.
      if (undone.ok) return ok(null);
    }
    const now = transactionOf(ledger.read(), requestId);
    if (now !== null && needsUndo(now))
      await undoAndWait(this.context, requestId, { code: reason.code, message: reason.message });
    return ok(null);
  }

  async #release(command: Command, reason: string): Promise<Result<null, Refusal>> {
    const { ledger, log } = this.context;
    const fence = Number(command.fence);
    const fresh = await this.#checkFence(fence);
    if (!fresh.ok) return fresh;
    if (ledger.read().lock === null) return ok(null);
    const released = await ledger.append({
      kind: "released",
      requestId: "",
      fence,
      detail: { reason, actor: command.actor },
    });
    if (!released.ok) return err({ code: "ledger.unwritable", message: released.error.message });
    log.warn("lock released", { requestId: command.requestId, actor: command.actor }, { reason });
    return ok(null);
  }

  /** G3. */
  async #checkFence(fence: number): Promise<Result<null, Refusal>> {
    const { ledger } = this.context;
    const { maxFence } = ledger.read();
    if (fence < maxFence)
      return err({
        code: "guard.fence_stale",
        message: `fence ${fence} is below ${maxFence}: another holder has claimed this server`,
      });
    if (fence === maxFence) return ok(null);
    const raised = await ledger.append({ kind: "fence_raised", requestId: "", fence, detail: {} });
    return raised.ok ? ok(null) : err({ code: "ledger.unwritable", message: raised.error.message });
  }

  async #look(): Promise<void> {
    const open = openTransaction(this.context.ledger.read());
    if (open === null || this.#running.has(open.requestId)) return;
    const now = this.context.clock.boottimeMs();
    if ((this.#busyUntil.get(open.requestId) ?? 0) > now) return;
    const reason = this.#reasonToUndo(open, now);
    if (reason !== null) {
      this.#busyUntil.set(open.requestId, now + RESTART_UNDO_AFTER_MS);
      await startUndo(this.context, open.requestId, reason);
    } else if (open.last === "confirmed") {
      this.#busyUntil.set(open.requestId, now + RETRY_FINALIZE_AFTER_MS);
      await this.#finish(open.requestId);
    }
  }

  #reasonToUndo(open: TransactionState, now: number): { code: string; message: string } | null {
    switch (open.last) {
      case "armed":
      case "step_begin":
      case "step_done":
        return { code: "guard.interrupted", message: "the process that changed the server ended before it was done" };
      case "reverting":
        return open.why ?? { code: "guard.interrupted", message: "an undo ended before it was done" };
      case "on_trial": {
        if (open.bootId !== this.context.clock.bootId())
          return { code: "server.rebooted", message: "the server was restarted during the trial" };
        if (open.onTrial === null || now >= open.onTrial.deadlineMs)
          return { code: "trial.deadline", message: "nobody confirmed before the deadline" };
        const reconnectBy = Math.max(open.onTrial.reconnectByMs, this.#startedAtMs + GRACE_AFTER_START_MS);
        const reconnected = this.#newestSessionNs > BigInt(open.onTrial.monotonicNs);
        if (!reconnected && now >= reconnectBy)
          return {
            code: "trial.no_reconnect",
            message: "after the change the agent could not open a new session with the control plane",
          };
        return null;
      }
      case "prepared":
      case "confirmed":
      case "finalized":
      case "reverted":
      case "revert_failed":
      case "refused":
        return null;
      default:
        return assertNever(open.last);
    }
  }

  /** One at a time for each request: Confirm asks for it, and whoever looks may see it unfinished meanwhile. */
  async #finish(requestId: string): Promise<void> {
    const running = this.#finishing.get(requestId) ?? this.#finishOnce(requestId);
    this.#finishing.set(requestId, running);
    await running;
    this.#finishing.delete(requestId);
  }

  async #finishOnce(requestId: string): Promise<void> {
    const done = await finalize(this.context, requestId);
    if (!done.ok)
      this.context.log.error(
        "what is confirmed could not be made the boot config; it is tried again",
        { requestId },
        { reason: done.error },
      );
  }
}
