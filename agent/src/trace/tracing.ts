import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import {
  type AgentSpan,
  type AgentSpans,
  joinAgentSpans,
  MOST_AGENT_SPANS,
  NO_AGENT_SPANS,
} from "@holdfast/core/trace/agent-span.ts";
import type { TraceContext } from "@holdfast/core/trace/traceparent.ts";

/**
 * What this process does in a trace, as plain data; no package is loaded for it, and without a trace nothing of this runs.
 *   A3. A server has no way to a collector and gets none: spans go back on the answers, process by process, to the session, and the control
 *       plane asks for them when everything is over.
 *   A4. There is an end to how many are kept, and nothing waits for one.
 */
export interface Tracing {
  readonly context: TraceContext;
  /** Of the call under way: its answer takes them along. */
  readonly collected: Collected;
}

export class Collected {
  #kept: AgentSpans = NO_AGENT_SPANS;

  add(more: AgentSpans): void {
    this.#kept = joinAgentSpans(this.#kept, more, MOST_AGENT_SPANS);
  }

  all(): AgentSpans {
    return this.#kept;
  }
}

export type SpanDetails = Pick<AgentSpan, "domain" | "step">;

const TRACING = new AsyncLocalStorage<Tracing>();

export function currentTracing(): Tracing | null {
  return TRACING.getStore() ?? null;
}

/** Does the work as a span of its own; `failureOf` says why it did not go well. */
export async function inSpan<T>(
  tracing: Tracing,
  name: string,
  details: SpanDetails,
  failureOf: (error: unknown) => string,
  work: () => Promise<T>,
): Promise<T> {
  const id = newSpanId();
  const startMs = Date.now();
  const started = performance.now();
  const end = (failure: string | null): void =>
    add(tracing, {
      id,
      parent: tracing.context.spanId,
      name,
      startMs,
      endMs: startMs + performance.now() - started,
      ...details,
      ...(failure === null ? {} : { failure }),
    });
  try {
    const done = await TRACING.run({ ...tracing, context: { ...tracing.context, spanId: id } }, work);
    end(null);
    return done;
  } catch (error) {
    end(failureOf(error));
    throw error;
  }
}

/** The work alone, unless it is part of a trace. */
export function whereTraced<T>(name: string, details: SpanDetails, work: () => Promise<T>): Promise<T> {
  const tracing = currentTracing();
  return tracing === null ? work() : inSpan(tracing, name, details, () => "agent.failed", work);
}

/** A native command that has just ended. Of its words only the program's name. */
export function noteCommand(program: string, isFailed: boolean, milliseconds: number): void {
  const tracing = currentTracing();
  if (tracing === null) return;
  const endMs = Date.now();
  add(tracing, {
    id: newSpanId(),
    parent: tracing.context.spanId,
    name: `native ${program.slice(program.lastIndexOf("/") + 1)}`,
    startMs: endMs - milliseconds,
    endMs,
    ...(isFailed ? { failure: "native.failed" } : {}),
  });
}

function add(tracing: Tracing, span: AgentSpan): void {
  tracing.collected.add({ spans: [span], lost: 0 });
}

function newSpanId(): string {
  return randomBytes(8).toString("hex");
}
