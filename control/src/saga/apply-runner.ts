import type { Json } from "@holdfast/core/base/canonical-json.ts";
/**
 * Carries one claimed apply over one session: decides, commits the intent, sends, hears, decides again.
 *   P1. The intent is committed before the message leaves, and no message leaves inside a transaction (I15).
 *   P2. What it knows beyond the rows is only the last answer and the probes since the claim. A kill at any line loses nothing else.
 *   P3. Every write is compare-and-set on the claim. One that fails means that somebody else has it, or that an operator has spoken: look again.
 *   P4. It lives and dies with its session: another session is another claim with another fence.
 */
import type { InstanceId } from "@holdfast/core/base/id.ts";
import type { ProbeResult } from "@holdfast/core/plan/probe.ts";
import type { Transaction as TransactionMessage } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import type { Logger } from "pino";
import { checkReceipt } from "../authority/receipt.ts";
import type { AgentSession } from "../gateway/agent-session.ts";
import { probeRound } from "../probe/probe-round.ts";
import type { InboundVantage } from "../probe/vantage.ts";
import type { SecretStore } from "../secrets/secret-store.ts";
import { secretsForServer } from "../secrets/secrets-for-server.ts";
import type { CommandSigner } from "../signer/command-signer.ts";
import { agentActor, systemActor } from "../store/actor.ts";
import { getApply, lockApply } from "../store/applies.ts";
import { renewLease } from "../store/apply-claim.ts";
import { raiseFence, setProgress } from "../store/apply-move.ts";
import type { Database } from "../store/database.ts";
import { listKeys } from "../store/enrolment.ts";
import { getHostTransaction } from "../store/host-transactions.ts";
import type { PlanHead } from "../store/plans.ts";
import { StoreFailure } from "../store/store-failure.ts";
import type { ApplyRow, HostTransactionRow } from "../store/tables.ts";
import { transaction, type Transaction } from "../store/transaction.ts";
import { ApplyTrace, traced, type TracedBy } from "../trace/apply-trace.ts";
import { type Answer, phaseOfWire, readAnswer } from "./answer.ts";
import { SENT_AS, type Sending, type Sent, sendToAgent } from "./calls.ts";
import { backOffMs, decide } from "./decide.ts";
import { intentOf } from "./intent.ts";
import { recordEnding } from "./record-ending.ts";
import type { ProbeRound } from "./trial.ts";
import { viewOf } from "./view-of-rows.ts";
import type { Ending, SagaAction, SagaView } from "./view.ts";
import { Wakeable } from "./wakeable.ts";
import { writeIntent } from "./write-intent.ts";

export interface RunnerOptions {
  readonly database: Database;
  readonly commands: CommandSigner;
  readonly secrets: SecretStore;
  readonly vantage: InboundVantage;
  readonly instanceId: InstanceId;
  readonly session: AgentSession;
  readonly tracedBy: TracedBy;
  readonly log: Logger;
}

export interface ClaimedApply {
  readonly apply: ApplyRow;
  readonly sent: HostTransactionRow;
  readonly plan: PlanHead;
  /** Prepare is marked as sent and was not sent yet: the claim has committed its intent. */
  readonly isPrepareDue: boolean;
}

export type RunEnd =
  /** Nothing is left to do. */
  | "finished"
  /** The session is over, or the engine is: the work is free for the next. */
  | "let_go"
  /** A newer claim has it. */
  | "taken_over";

export class ApplyRunner {
  readonly #options: RunnerOptions;
  readonly #plan: PlanHead;
  readonly #sleeper = new Wakeable();
  readonly #tries = new Map<SagaAction["kind"], number>();
  readonly #dbClock: () => number;
  readonly #trace: ApplyTrace | null;
  #apply: ApplyRow;
  #sent: HostTransactionRow;
  #answer: Answer | null = null;
  /** The message that #answer was read from: its receipt is the evidence. */
  #said: TransactionMessage | null = null;
  #lastPhase: Answer["phase"] | null = null;
  #heard: TransactionMessage | null = null;
  #baseline: Readonly<Record<string, ProbeResult>> | null = null;
  readonly #rounds: ProbeRound[] = [];
  #freshSinceMs: number | null = null;
  #executedHere = false;
  #call: { readonly kind: Sending["kind"]; readonly controller: AbortController } | null = null;
  #receiptKeys: readonly Buffer[] | null = null;
  /** What the signer does not sign: the way back is all that is left. */
  #unsigned: SagaView["unsigned"] = null;
  #isPrepareDue: boolean;
  #end: RunEnd | null = null;
  #storeTrouble = 0;

  constructor(claimed: ClaimedApply, options: RunnerOptions) {
    this.#options = options;
    this.#apply = claimed.apply;
    this.#sent = claimed.sent;
    this.#plan = claimed.plan;
    this.#isPrepareDue = claimed.isPrepareDue;
    // The claim set next_check_at to the database's own now: times in rows and here are of one clock, and it cannot jump.
    const claimedAtMs = claimed.apply.next_check_at.getTime() - performance.now();
    this.#dbClock = () => claimedAtMs + performance.now();
    this.#trace = ApplyTrace.of(options.tracedBy, options.session, claimed.apply, claimed.sent, this.#dbClock);
  }

  get apply(): ApplyRow {
    return this.#apply;
  }

  get requestId(): string {
    return this.#sent.request_id;
  }

  async run(): Promise<RunEnd> {
    this.#options.session.onClosed(() => this.stop("let_go"));
    while (this.#end === null) {
      try {
        await this.#step();
        this.#storeTrouble = 0;
      } catch (error) {
        if (!(error instanceof StoreFailure)) throw error;
        await this.#afterStoreFailure(error);
      }
    }
    return this.#end;
  }

  stop(end: "let_go" | "taken_over"): void {
    this.#end ??= end;
    this.#call?.controller.abort();
    this.#sleeper.wake();
  }

  /** Something the agent said of this transaction on its own account. */
  hear(message: TransactionMessage): void {
    if (message.requestId !== this.#sent.request_id) return;
    this.#heard = message;
    this.#sleeper.wake();
  }

  /** Perhaps an operator has a wish. One that ends things does not wait for the answer of what is under way. */
  async lookAtWish(): Promise<void> {
    const row = await getApply(this.#options.database, this.#apply.id);
    if (row === undefined || this.#end !== null) return;
    if (row.fence !== this.#apply.fence) return this.stop("taken_over");
    if (row.wish === this.#apply.wish) return;
    this.#apply = { ...this.#apply, wish: row.wish, wish_by: row.wish_by, wish_reason: row.wish_reason };
    if (row.wish !== "confirm") this.#call?.controller.abort();
    this.#sleeper.wake();
  }

  async keepLease(): Promise<void> {
    if (!(await renewLease(this.#options.database, this.#apply, this.#options.instanceId))) this.stop("taken_over");
  }

  #view(): SagaView {
    const freshSinceMs = this.#sent.fresh_since?.getTime() ?? this.#freshSinceMs;
    return viewOf(this.#apply, this.#sent, this.#plan, {
      certificateEndsMs: this.#options.session.notAfterMs,
      answer: this.#answer,
      unsigned: this.#unsigned,
      baseline: this.#baseline,
      trial: this.#freshSinceMs === null || freshSinceMs === null ? null : { rounds: this.#rounds, freshSinceMs },
    });
  }

  async #step(): Promise<void> {
    const action: SagaAction = this.#isPrepareDue ? { kind: "send_prepare" } : decide(this.#view(), this.#dbClock());
    this.#isPrepareDue = false;
    switch (action.kind) {
      case "finish":
        return this.#finish(action.ending);
      case "raise_fence":
        return this.#raiseFence(action.above);
      case "wait":
        if (!(await this.#commitIntent(action))) return;
        if (!(await this.#sleeper.sleep(action.ms))) this.#answer = null; // aged: ask again
        return this.#readHeard();
      case "take_baseline":
        this.#baseline = await traced(this.#trace, "baseline", () => this.#probe());
        return;
      case "probe": {
        // That it is on trial is committed while the probes are out: a silent port takes a second, and people watch the countdown.
        const probing = traced(this.#trace, "probe", () => this.#probe());
        const told = this.#commitIntent({ kind: "wait", ms: 0, phase: "on_trial" });
        const [results] = await Promise.all([probing, told]);
        this.#rounds.push({ atMs: this.#dbClock(), results });
        return;
      }
      case "begin_undo":
        await this.#commitIntent(action);
        return;
      case "ask":
      case "send_prepare":
      case "send_execute":
      case "send_confirm":
      case "send_abort":
        return this.#send(action);
    }
  }

  async #send(action: Sending): Promise<void> {
    if (!(await this.#mayTry(action.kind)) || !(await this.#commitIntent(action))) return;
    if (action.kind === "send_execute") this.#executedHere = true;
    const controller = new AbortController();
    this.#call = { kind: action.kind, controller };
    const { session, commands, secrets, database } = this.#options;
    const context = {
      session,
      commands,
      secrets: () =>
        secretsForServer(secrets, database, session, this.#sent.request_id, this.#plan.secrets, this.#log()),
      apply: this.#apply,
      sent: this.#sent,
      trace: this.#trace,
      signal: controller.signal,
    };
    const result = await sendToAgent(action, context);
    this.#call = null;
    if (action.kind !== "ask")
      this.#trace?.answered(SENT_AS[action.kind], result.kind === "answered" ? null : `call.${result.kind}`);
    if (this.#end !== null) return;
    if (result.kind === "answered") return this.#read(result.value);
    if (result.kind === "unsigned") return this.#notSigned(action.kind, result);
    this.#log().info(
      { result_code: `call.${result.kind}`, call: action.kind, detail: result.message },
      "no verdict; the server will be asked",
    );
    this.#answer = null;
  }

  /** Nothing left for the server. What the signer does not sign is given up; while it is away the same is tried again, later and later. */
  #notSigned(kind: Sending["kind"], { refused, code, message }: Extract<Sent, { kind: "unsigned" }>): void {
    this.#log().error({ result_code: code, call: kind, detail: message }, "the command was not signed");
    if (refused && kind !== "send_abort") this.#unsigned = { code, message };
    this.#answer = null;
  }

  /** Waits longer before each repetition that has brought nothing new. False when something else came meanwhile. */
  async #mayTry(kind: SagaAction["kind"]): Promise<boolean> {
    const tries = this.#tries.get(kind) ?? 0;
    if (tries > 0 && (await this.#sleeper.sleep(backOffMs(tries)))) {
      await this.#readHeard();
      return false;
    }
    this.#tries.set(kind, tries + 1);
    return this.#end === null;
  }

  /** True when the intent is in the database, and nobody has wished for something else meanwhile. */
  async #commitIntent(
    action:
      | Exclude<SagaAction, { kind: "finish" | "raise_fence" | "ask" | "probe" | "take_baseline" }>
      | (Sending & { kind: "ask" }),
  ): Promise<boolean> {
    const intent = intentOf(this.#view(), action);
    if (intent === null) return true;
    const written = await this.#transact(async (tx) => {
      const row = await this.#locked(tx);
      // An operator or a reconciler has spoken since this was decided: decide again.
      if (row.wish !== this.#apply.wish || row.version !== this.#apply.version) return { apply: row, sent: null };
      return writeIntent(tx, row, this.#sent, intent, {
        baseline: this.#baseline,
        freshSessionId: this.#freshSinceMs === null ? null : this.#options.session.id,
        rounds: this.#rounds,
        nowMs: this.#dbClock(),
        by: systemActor("saga", this.#options.instanceId),
      });
    });
    this.#apply = written.apply;
    if (written.sent === null) return false;
    this.#sent = written.sent;
    this.#log().info({ result_code: "ok", next: action.kind, phase: this.#apply.phase }, "the next act is committed");
    return true;
  }

  async #finish(ending: Ending): Promise<void> {
    const { session, instanceId } = this.#options;
    const by =
      ending.outcome === null
        ? systemActor("saga", instanceId)
        : agentActor(session.serverId, session.remoteAddress, instanceId);
    const answer = this.#answer;
    const evidence =
      answer === null
        ? null
        : { receipt: receiptJson(this.#said), generation: answer.generation, lastStep: answer.lastStep };
    this.#apply = await traced(this.#trace, "record ending", () =>
      this.#transact(async (tx) =>
        recordEnding(tx, await this.#locked(tx), this.#sent, this.#plan, ending, evidence, by),
      ),
    );
    this.#end = "finished";
    this.#log().info(
      { result_code: ending.code ?? "ok", state: ending.state, server_is: ending.serverIs },
      "apply ended",
    );
    void this.#trace?.ended(this.#apply, this.#sent, this.#said);
    if (ending.outcome !== null) {
      // The outcome is ours now; should this get lost, the outbox says it again over the next session.
      void session.client
        .acknowledge({ requestIds: [this.#sent.request_id] }, { timeoutMs: ACKNOWLEDGE_TIMEOUT_MS })
        .catch(() => undefined);
    }
  }

  async #raiseFence(above: number): Promise<void> {
    if (!(await this.#mayTry("raise_fence"))) return;
    this.#apply = await this.#transact(async (tx) =>
      raiseFence(tx, await this.#locked(tx), above, systemActor("saga", this.#options.instanceId)),
    );
    this.#answer = null;
  }

  /** The row, held, as long as this claim is the newest. */
  async #locked(tx: Transaction): Promise<ApplyRow> {
    const row = await lockApply(tx, this.#apply.id);
    if (row.fence !== this.#apply.fence || row.lease_owner !== this.#options.instanceId) {
      throw new StoreFailure("store.lost_race", "a newer claim has this apply", { apply_id: row.id });
    }
    return row;
  }

  async #transact<T>(body: (tx: Transaction) => Promise<T>): Promise<T> {
    const result = await transaction(this.#options.database, body);
    if (!result.ok) throw result.error;
    return result.value;
  }

  async #afterStoreFailure(failure: StoreFailure): Promise<void> {
    this.#storeTrouble += 1;
    if (failure.code !== "store.lost_race") {
      this.#log().warn({ result_code: failure.code, err: failure }, "the database did not take it; reading again");
      await this.#sleeper.sleep(backOffMs(this.#storeTrouble));
    }
    if (this.#end !== null) return;
    try {
      const apply = await getApply(this.#options.database, this.#apply.id);
      const sent = await getHostTransaction(this.#options.database, this.#sent.request_id);
      if (
        apply === undefined ||
        sent === undefined ||
        apply.fence !== this.#apply.fence ||
        apply.lease_owner !== this.#options.instanceId
      ) {
        return this.stop("taken_over");
      }
      this.#apply = apply;
      this.#sent = sent;
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error; // still away: the next step fails as well and comes back here
    }
  }

  async #readHeard(): Promise<void> {
    const heard = this.#heard;
    this.#heard = null;
    if (heard !== null && this.#end === null) await this.#read(heard);
  }

  async #read(message: TransactionMessage): Promise<void> {
    const answer = readAnswer(message, await this.#judgeReceipt(message), !this.#executedHere);
    this.#answer = answer;
    this.#said = message;
    if (answer === null) return;
    // News begins every count anew; an answer to a question only that of asking.
    if (answer.phase === this.#lastPhase) this.#tries.delete("ask");
    else this.#tries.clear();
    this.#lastPhase = answer.phase;
    if (answer.lastStep !== "" && answer.lastStep !== this.#apply.last_step) await this.#tellStep(answer.lastStep);
    if (answer.phase === "on_trial" && answer.fresh) this.#freshSinceMs ??= this.#dbClock();
  }

  /** For whoever watches; the version does not move by it. */
  async #tellStep(lastStep: string): Promise<void> {
    if (await setProgress(this.#options.database, this.#apply, { lastStep }))
      this.#apply = { ...this.#apply, last_step: lastStep };
  }

  async #judgeReceipt(message: TransactionMessage): Promise<Answer["receipt"]> {
    if (message.receipt === undefined) return "missing";
    const { session, database } = this.#options;
    this.#receiptKeys ??= (await listKeys(database, session.serverId))
      .filter((key) => key.state !== "revoked")
      .map((key) => key.receipt_public_key);
    const outcome = phaseOfWire(message.phase) ?? "";
    const verdict = checkReceipt(message.receipt, this.#receiptKeys, {
      serverId: session.serverId,
      requestId: this.#sent.request_id,
      outcome,
    });
    if (verdict === "invalid")
      this.#log().error(
        { result_code: "apply.receipt_invalid", outcome },
        "the server's receipt is not signed by its guard",
      );
    return verdict;
  }

  #probe(): Promise<Readonly<Record<string, ProbeResult>>> {
    return probeRound(this.#plan.probes, this.#options.session, this.#options.vantage);
  }

  #log(): Logger {
    return this.#options.log.child({
      request_id: this.#sent.request_id,
      apply_id: this.#apply.id,
      change_id: this.#apply.change_id,
      server_id: this.#apply.server_id,
      target_host: this.#options.session.serverName,
    });
  }
}

const ACKNOWLEDGE_TIMEOUT_MS = 5_000;

function receiptJson(message: TransactionMessage | null): Json {
  const receipt = message?.receipt;
  return receipt === undefined
    ? null
    : { body: receipt.body, signature: Buffer.from(receipt.signature).toString("base64") };
}
