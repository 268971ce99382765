import { ConnectError, type Interceptor } from "@connectrpc/connect";
import {
  type AgentSpans,
  joinAgentSpans,
  MOST_SPANS_ON_ANSWER,
  NO_AGENT_SPANS,
  readAgentSpans,
} from "@holdfast/core/trace/agent-span.ts";
import { readTraceparent, TRACEPARENT_HEADER, traceparentOf } from "@holdfast/core/trace/traceparent.ts";
import { SPANS_TRAILER } from "@holdfast/proto/wire/session.ts";
import { Collected, currentTracing, inSpan } from "../trace/tracing.ts";
import { codeOf } from "./refusal.ts";

/**
 * How a trace passes from one process of the agent to the next: the caller's span goes with the call, and what the callee did comes back with
 * its answer, good or bad. A call without a trace passes through untouched. A module in another language may leave all of it out.
 */
export type SpansGo =
  /** Back to who called. */
  | "back"
  /** To whoever keeps them until they are asked for. */
  | ((traceId: string, spans: AgentSpans) => void);

/** For who serves. */
export function tracedService(process: "session" | "guard" | "module", go: SpansGo): Interceptor {
  return (next) => async (request) => {
    const context = readTraceparent(request.header.get(TRACEPARENT_HEADER));
    // A stream lasts as long as its connection and is nothing that a transaction does.
    if (context === null || request.stream) return next(request);
    const collected = new Collected();
    const name = `${process} ${request.method.name}`;
    try {
      const answer = await inSpan({ context, collected }, name, {}, failureOf, () => next(request));
      if (go === "back") answer.trailer.set(SPANS_TRAILER, encode(collected.all()));
      return answer;
    } catch (error) {
      const failure = ConnectError.from(error);
      if (go === "back") failure.metadata.set(SPANS_TRAILER, encode(collected.all()));
      throw failure;
    } finally {
      if (go !== "back") go(context.traceId, collected.all());
    }
  };
}

/** For who calls. */
export const tracedCalls: Interceptor = (next) => async (request) => {
  const tracing = currentTracing();
  if (tracing === null || request.stream) return next(request);
  request.header.set(TRACEPARENT_HEADER, traceparentOf(tracing.context));
  try {
    const answer = await next(request);
    tracing.collected.add(decode(answer.trailer));
    return answer;
  } catch (error) {
    if (error instanceof ConnectError) tracing.collected.add(decode(error.metadata));
    throw error;
  }
};

function failureOf(error: unknown): string {
  return codeOf(ConnectError.from(error));
}

function encode(spans: AgentSpans): string {
  return Buffer.from(JSON.stringify(joinAgentSpans(spans, NO_AGENT_SPANS, MOST_SPANS_ON_ANSWER))).toString("base64");
}

function decode(headers: Headers): AgentSpans {
  const text = headers.get(SPANS_TRAILER);
  if (text === null) return NO_AGENT_SPANS;
  headers.delete(SPANS_TRAILER);
  try {
    return readAgentSpans(JSON.parse(Buffer.from(text, "base64").toString("utf8")), MOST_SPANS_ON_ANSWER);
  } catch {
    return NO_AGENT_SPANS;
  }
}
