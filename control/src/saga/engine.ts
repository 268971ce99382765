/**
 * The part of one instance that works. It claims what is due on the servers that are connected here and gives each claim a runner.
 *   E1. Work follows the connection: only the instance that holds a server's session claims its applies.
 *   E2. One server, one runner; a runner's lease is let go before the next claim of its server.
 *   E3. A notification is a hint; looking again finds the same work without it.
 */
import type { InstanceId, ServerId } from "@holdfast/core/base/id.ts";
import type { Transaction as TransactionMessage } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import type { Logger } from "pino";
import type { AgentSession } from "../gateway/agent-session.ts";
import type { AgentSessions } from "../gateway/agent-sessions.ts";
import { isThisMachine } from "../probe/own-address.ts";
import type { InboundVantage } from "../probe/vantage.ts";
import type { SecretStore } from "../secrets/secret-store.ts";
import type { CommandSigner } from "../signer/command-signer.ts";
import { systemActor } from "../store/actor.ts";
import { claimNext, LEASE_MS, releaseLeases } from "../store/apply-claim.ts";
import type { Database } from "../store/database.ts";
import { getHostTransaction, markSent, requirePerson } from "../store/host-transactions.ts";
import { getPlan } from "../store/plans.ts";
import { traceOf } from "../store/rollouts.ts";
import { StoreFailure } from "../store/store-failure.ts";
import type { HostTransactionRow } from "../store/tables.ts";
import { type Transaction, transaction } from "../store/transaction.ts";
import type { WorkNotice } from "../store/work-notice.ts";
import type { TracedBy } from "../trace/apply-trace.ts";
import { CallAnswers } from "../trace/call-answers.ts";
import { NO_TRACES, type Traces } from "../trace/traces.ts";
import { ApplyRunner, type ClaimedApply } from "./apply-runner.ts";
import { beginForward } from "./begin.ts";
import { outlivesTrial } from "./decide.ts";
import { closeForced } from "./force-close.ts";
import { takeLateOutcome } from "./late-outcome.ts";

export interface EngineOptions {
  readonly database: Database;
  readonly sessions: AgentSessions;
  readonly commands: CommandSigner;
  readonly secrets: SecretStore;
  readonly vantage: InboundVantage;
  readonly instanceId: InstanceId;
  /** Nowhere when not said. */
  readonly traces?: Traces;
  readonly log: Logger;
}

/** Three tries to renew fit into a lease. */
const RENEW_MS = LEASE_MS / 3;
/** Claims at once: many servers come back together after an outage. */
const CLAIMERS = 4;
const ACKNOWLEDGE_TIMEOUT_MS = 5_000;

/** With the request of the API that its rollout began with. */
interface TracedApply extends ClaimedApply {
  readonly traceId: string | null;
}

export class SagaEngine {
  readonly #options: EngineOptions;
  readonly #runners = new Map<ServerId, ApplyRunner>();
  readonly #running = new Set<Promise<void>>();
  readonly #tracedBy: TracedBy;
  readonly #renewing: NodeJS.Timeout;
  #claiming: Promise<void> | null = null;
  #claimAgain = false;
  #isClosed = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#tracedBy = { traces: options.traces ?? NO_TRACES, answers: new CallAnswers() };
    options.sessions.listen({
      opened: () => this.wake(),
      transaction: (session, message) => this.#runners.get(session.serverId)?.hear(message),
      outcome: (session, message) =>
        void this.#outcome(session, message).catch((error: unknown) =>
          this.#trouble(error, "an outcome could not be taken"),
        ),
    });
    this.#renewing = setInterval(() => this.#renewLeases(), RENEW_MS);
  }

  /** Looks for work now. */
  wake(): void {
    if (this.#isClosed) return;
    if (this.#claiming !== null) {
      this.#claimAgain = true;
      return;
    }
    this.#claiming = this.#claimAll()
      .catch((error: unknown) => this.#trouble(error, "work could not be claimed"))
      .finally(() => {
        this.#claiming = null;
        if (!this.#claimAgain) return;
        this.#claimAgain = false;
        this.wake();
      });
  }

  /** `hand_over` lets go of everything, so that another instance goes on at once; `drop` tells nobody, as a kill would. */
  async close(how: "hand_over" | "drop"): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#renewing);
    for (const runner of this.#runners.values()) runner.stop(how === "drop" ? "taken_over" : "let_go");
    await this.#claiming;
    await Promise.all(this.#running);
  }

  /** A notification of the work channel; null when some may have been missed. */
  notified(notice: WorkNotice | null): void {
    if (this.#isClosed) return;
    // It is about a rollout: one that goes on again has applies to be claimed.
    if (notice !== null && notice.serverId === null) return this.wake();
    const server = notice?.serverId ?? null;
    for (const [id, runner] of this.#runners) {
      if (server === null || server === id)
        void runner.lookAtWish().catch((error: unknown) => this.#trouble(error, "a wish could not be read"));
    }
    if (server === null) {
      void closeForced(this.#options.database, this.#options.instanceId).catch((error: unknown) =>
        this.#trouble(error, "forced closes could not be done"),
      );
    }
    // A server with a runner has its next claim when that ends.
    if (server === null || (this.#options.sessions.of(server) !== undefined && !this.#runners.has(server))) this.wake();
  }

  #renewLeases(): void {
    for (const runner of this.#runners.values()) {
      void runner.keepLease().catch((error: unknown) => this.#trouble(error, "a lease could not be renewed"));
    }
  }

  async #claimAll(): Promise<void> {
    let claimers = 1;
    const claimUntilNone = async (): Promise<void> => {
      while (await this.#claimOneOfIdle()) {
        // Where there was one there may be many, and most wakes find none at all.
        if (claimers === CLAIMERS) continue;
        claimers += 1;
        await Promise.all([claimUntilNone(), claimUntilNone()]);
        return;
      }
    };
    await claimUntilNone();
  }

  #idle(): readonly ServerId[] {
    return this.#options.sessions
      .all()
      .map((session) => session.serverId)
      .filter((id) => !this.#runners.has(id));
  }

  /** False when nothing is due. */
  async #claimOneOfIdle(): Promise<boolean> {
    const idle = this.#isClosed ? [] : this.#idle();
    const claimed = idle.length === 0 ? null : await this.#claimOne(idle);
    if (claimed === null) return false;
    const session = this.#options.sessions.of(claimed.apply.server_id);
    if (session === undefined || this.#isClosed) await this.#letGo([claimed.apply.server_id]);
    else this.#start(claimed, session);
    return true;
  }

  async #claimOne(idle: readonly ServerId[]): Promise<TracedApply | null> {
    const { database, instanceId } = this.#options;
    const by = systemActor("saga", instanceId);
    const result = await transaction(database, async (tx): Promise<TracedApply | null> => {
      const apply = await claimNext(tx, instanceId, idle, by);
      if (apply === undefined) return null;
      const sent = apply.request_id === null ? undefined : await getHostTransaction(tx, apply.request_id);
      const trace = await traceOf(tx, apply.rollout_id);
      const { traceId } = trace;
      const plan = await getPlan(tx, sent?.plan_id ?? apply.plan_id);
      if (plan === undefined)
        throw new StoreFailure("store.not_found", `the plan of apply ${apply.id} is gone`, { apply_id: apply.id });
      const session = this.#options.sessions.of(apply.server_id);
      if (sent !== undefined)
        return { apply, sent: await withPerson(tx, sent, session), plan, traceId, isPrepareDue: false };
      const forward = await beginForward(tx, apply, plan, trace, by);
      const begun = { ...forward, sent: await withPerson(tx, forward.sent, session) };
      const endsMs = session?.notAfterMs ?? 0;
      if (!outlivesTrial(endsMs, begun.sent.trial, begun.sent.created_at.getTime()))
        return { ...begun, plan, traceId, isPrepareDue: false };
      // The intent to prepare is committed with the claim: one transaction less for every apply.
      return {
        ...begun,
        sent: await markSent(tx, begun.sent.request_id, "prepare", begun.apply),
        plan,
        traceId,
        isPrepareDue: true,
      };
    });
    if (result.ok) return result.value;
    // Another instance was faster: the poll comes by again.
    if (result.error.code !== "store.server_busy") this.#trouble(result.error, "work could not be claimed");
    // Perhaps a claim is held here that has no runner: let go, or its work would wait for the end of the lease.
    if (result.error.code === "store.commit_unknown") await this.#letGo(this.#idle());
    return null;
  }

  #start(claimed: TracedApply, session: AgentSession): void {
    const log = claimed.traceId === null ? this.#options.log : this.#options.log.child({ trace_id: claimed.traceId });
    const runner = new ApplyRunner(claimed, { ...this.#options, tracedBy: this.#tracedBy, session, log });
    const serverId = claimed.apply.server_id;
    this.#runners.set(serverId, runner);
    const run = this.#run(runner, serverId);
    this.#running.add(run);
    void run.finally(() => this.#running.delete(run));
  }

  async #run(runner: ApplyRunner, serverId: ServerId): Promise<void> {
    try {
      if ((await runner.run()) === "let_go") await this.#letGo([serverId]);
    } catch (error) {
      // A bug. The lease runs out, and the next claim begins at the rows again.
      this.#trouble(error, "a saga broke");
    } finally {
      this.#runners.delete(serverId);
      this.wake();
    }
  }

  async #letGo(servers: readonly ServerId[]): Promise<void> {
    const { database, instanceId } = this.#options;
    const released = await transaction(database, (tx) => releaseLeases(tx, { instance: instanceId, servers }));
    if (!released.ok) this.#trouble(released.error, "a lease could not be let go; it runs out by itself");
  }

  async #outcome(session: AgentSession, message: TransactionMessage): Promise<void> {
    const runner = this.#runners.get(session.serverId);
    if (runner?.requestId === message.requestId) return runner.hear(message);
    const taken = await takeLateOutcome(this.#options.database, session, message, this.#options.instanceId);
    if (taken === "acknowledge")
      await session.client.acknowledge({ requestIds: [message.requestId] }, { timeoutMs: ACKNOWLEDGE_TIMEOUT_MS });
    if (taken === "not_believed")
      this.#options.log.error(
        { server_id: session.serverId, request_id: message.requestId, result_code: "apply.receipt_invalid" },
        "an outcome without a valid receipt was not taken",
      );
    if (taken === "leave_to_saga") this.wake();
  }

  #trouble(error: unknown, what: string): void {
    const code = error instanceof StoreFailure ? error.code : "saga.trouble";
    this.#options.log.warn({ result_code: code, err: error }, what);
  }
}

/** Nothing that this machine can see proves that others can still come in to it: somebody outside has to say so. */
async function withPerson(
  tx: Transaction,
  sent: HostTransactionRow,
  session: AgentSession | undefined,
): Promise<HostTransactionRow> {
  if (session === undefined || sent.trial.needsPerson || !isThisMachine(session)) return sent;
  return requirePerson(tx, sent.request_id);
}
