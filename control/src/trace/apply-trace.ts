/**
 * One host transaction as spans: the transaction itself, the commands that were sent for it, what this instance did between them, and what the
 * server's processes did.
 *   T1. What others name as a parent has an id made from the rows (span-id.ts), and is recorded once, by whoever ends it: an instance that was
 *       killed takes away what it alone did, never the trunk.
 *   T2. What an agent tells is asked for after the end, of this trace and this server; it cannot write into another one.
 *   T3. The agent's clock may be any: its spans are put where they belong by what it says the time is.
 */
import { type AgentSpans, MOST_AGENT_SPANS, NO_AGENT_SPANS, readAgentSpans } from "@holdfast/core/trace/agent-span.ts";
import type { Span, SpanContext, SpanEvent } from "@holdfast/core/trace/span.ts";
import {
  readTraceparent,
  TRACEPARENT_HEADER,
  type TraceContext,
  traceparentOf,
} from "@holdfast/core/trace/traceparent.ts";
import type { Transaction as TransactionMessage } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import type { AgentSession } from "../gateway/agent-session.ts";
import { SENT_KINDS, type SentKind } from "../store/host-transactions.ts";
import type { ApplyRow, HostTransactionRow } from "../store/tables.ts";
import type { CallAnswers } from "./call-answers.ts";
import { spanIdOf } from "./span-id.ts";
import type { Traces } from "./traces.ts";

const SPANS_TIMEOUT_MS = 5_000;

interface Told extends AgentSpans {
  /** To be added to the server's times. */
  readonly aheadMs: number;
}

const NOTHING_TOLD: Told = { ...NO_AGENT_SPANS, aheadMs: 0 };

/** What all transactions of an instance are traced with. */
export interface TracedBy {
  readonly traces: Traces;
  readonly answers: CallAnswers;
}

export class ApplyTrace {
  readonly #traces: Traces;
  readonly #session: AgentSession;
  readonly #context: TraceContext;
  readonly #about: SpanContext;
  readonly #requestId: string;
  readonly #nowMs: () => number;
  readonly #answers: CallAnswers;
  #ordinal = 0;

  private constructor(
    { traces, answers }: TracedBy,
    session: AgentSession,
    context: TraceContext,
    about: SpanContext,
    nowMs: () => number,
  ) {
    this.#traces = traces;
    this.#answers = answers;
    this.#session = session;
    this.#context = context;
    this.#about = about;
    this.#requestId = about.requestId ?? "";
    this.#nowMs = nowMs;
  }

  /** Null where this house does not trace, or did not when the request came. */
  static of(
    by: TracedBy,
    session: AgentSession,
    apply: ApplyRow,
    sent: HostTransactionRow,
    nowMs: () => number,
  ): ApplyTrace | null {
    const context = by.traces.isOn ? readTraceparent(sent.traceparent) : null;
    if (context === null) return null;
    const about = {
      requestId: sent.request_id,
      changeId: apply.change_id,
      applyId: apply.id,
      targetHost: session.serverName,
    };
    return new ApplyTrace(by, session, context, about, nowMs);
  }

  /** Metadata of a command: what the server does with it is its child. */
  headersFor(kind: SentKind): Readonly<Record<string, string>> {
    return { [TRACEPARENT_HEADER]: traceparentOf({ ...this.#context, spanId: this.#callId(kind) }) };
  }

  answered(kind: SentKind, failure: string | null): void {
    this.#answers.came(this.#requestId, kind, { atMs: this.#nowMs(), failure });
  }

  /** Something that this instance does on the way. */
  async during<T>(name: string, work: () => Promise<T>): Promise<T> {
    const startMs = this.#nowMs();
    this.#ordinal += 1;
    // The claim's time keeps it apart from what another instance has done under the same number.
    const spanId = spanIdOf(`saga ${name} ${this.#ordinal} ${startMs}`, this.#requestId);
    const record = (failure: string | null): void =>
      this.#record({ spanId, parentSpanId: this.#context.spanId, name: `saga ${name}`, startMs, failure });
    try {
      const done = await work();
      record(null);
      return done;
    } catch (error) {
      record("saga.trouble");
      throw error;
    }
  }

  /** The trunk, when everything is over and in the database. It waits for the agent's own spans for a moment; nothing waits for it. */
  async ended(apply: ApplyRow, sent: HostTransactionRow, said: TransactionMessage | null): Promise<void> {
    const endMs = this.#nowMs();
    const answers = this.#answers.take(this.#requestId);
    const told = await this.#ask();
    this.#traces.lostByAgents(told.lost);
    for (const kind of SENT_KINDS) {
      const startMs = sent[`${kind}_sent_at`]?.getTime();
      if (startMs === undefined) continue;
      // Sent by an instance that is gone: that it left is known, not when the answer came.
      const answer = answers.get(kind) ?? { atMs: startMs, failure: "call.taken_over" };
      this.#record({
        spanId: this.#callId(kind),
        parentSpanId: this.#context.spanId,
        name: `call ${kind}`,
        kind: "client",
        startMs,
        endMs: answer.atMs,
        failure: answer.failure,
      });
    }
    for (const { id, parent, name, startMs, endMs: until, domain, step, failure } of told.spans) {
      this.#record({
        spanId: id,
        parentSpanId: parent,
        name,
        kind: name.startsWith("native ") ? "internal" : "server",
        startMs: startMs + told.aheadMs,
        endMs: until + told.aheadMs,
        service: "holdfast-agent",
        about: { domain: domain ?? "", step: step ?? "" },
        failure: failure ?? null,
      });
    }
    const cause = readTraceparent(sent.traced_from);
    const isSame = cause?.traceId === this.#context.traceId;
    const isDone = apply.state === (sent.kind === "forward" ? "APPLIED" : "ROLLED_BACK");
    this.#record({
      spanId: this.#context.spanId,
      parentSpanId: isSame ? cause.spanId : null,
      link: isSame ? null : cause,
      name: sent.kind === "forward" ? "apply" : "rollback",
      startMs: sent.created_at.getTime(),
      endMs,
      about: {
        state: apply.state,
        serverIs: apply.server_is,
        ...(told.lost === 0 ? {} : { lostSpans: String(told.lost) }),
      },
      events: eventsOf(said, told.aheadMs),
      failure: isDone ? null : (apply.code ?? "apply.refused"),
    });
  }

  async #ask(): Promise<Told> {
    const askedMs = this.#nowMs();
    try {
      const { spansJson, nowMs } = await this.#session.client.spans(
        { traceId: this.#context.traceId },
        { timeoutMs: SPANS_TIMEOUT_MS },
      );
      const aheadMs = (askedMs + this.#nowMs()) / 2 - nowMs;
      if (!Number.isFinite(aheadMs)) return NOTHING_TOLD;
      return { ...readAgentSpans(JSON.parse(spansJson), MOST_AGENT_SPANS), aheadMs };
    } catch {
      // An agent of before knows no such question, and one that is away is not waited for.
      return NOTHING_TOLD;
    }
  }

  #callId(kind: SentKind): string {
    return spanIdOf(`call ${kind}`, this.#requestId);
  }

  #record(
    span: Pick<Span, "spanId" | "parentSpanId" | "name" | "startMs" | "failure"> &
      Partial<Pick<Span, "kind" | "endMs" | "service" | "about" | "events" | "link">>,
  ): void {
    this.#traces.record({
      kind: "internal",
      endMs: this.#nowMs(),
      service: "holdfast-control",
      events: [],
      link: null,
      ...span,
      traceId: this.#context.traceId,
      about: { ...this.#about, ...span.about },
    });
  }
}

/** Without a trace it is the work alone. */
export function traced<T>(trace: ApplyTrace | null, name: string, work: () => Promise<T>): Promise<T> {
  return trace === null ? work() : trace.during(name, work);
}

/** The ledger's records, whoever wrote them: also what the way back did, that has no connection to anybody. */
function eventsOf(said: TransactionMessage | null, aheadMs: number): readonly SpanEvent[] {
  return (said?.entries ?? []).slice(0, MOST_AGENT_SPANS).flatMap(({ kind, atMs }) => {
    const at = Number(atMs) + aheadMs;
    return /^[a-z_]{1,40}$/.test(kind) && at > 0 && at < 8.64e15 ? [{ name: kind, atMs: at }] : [];
  });
}
