import type { Span } from "@holdfast/core/trace/span.ts";
import { readTraceparent, traceparentOf } from "@holdfast/core/trace/traceparent.ts";
import { spanIdOf, traceIdOfRequest } from "./span-id.ts";

export interface TracedRequest {
  /** The request's own id. */
  readonly id: string;
  /** As it came. Somebody else's trace is gone on with only for who is let in: the gate has decided that before this is asked. */
  readonly traceparent: string | string[] | undefined;
}

/** The span of a request of the API: a child of what the caller says, or the first of a trace under the request's own id. */
export function traceparentOfRequest({ id, traceparent }: TracedRequest): string {
  const from = fromCaller(traceparent);
  return traceparentOf({ traceId: from?.traceId ?? traceIdOfRequest(id), spanId: spanIdOf("request", id) });
}

export interface AnsweredRequest extends TracedRequest {
  readonly route: string;
  /** How they are signed in: from a browser, the command line, or by a token. */
  readonly via: string;
  readonly status: number;
  readonly startMs: number;
  readonly endMs: number;
  /** The code that it was refused with. */
  readonly failure: string | null;
}

export function spanOfRequest(request: AnsweredRequest): Span {
  const own = readTraceparent(traceparentOfRequest(request));
  if (own === null) throw new Error("a request's id makes no trace");
  return {
    ...own,
    parentSpanId: fromCaller(request.traceparent)?.spanId ?? null,
    name: `api ${request.route}`,
    kind: "server",
    startMs: request.startMs,
    endMs: request.endMs,
    service: "holdfast-control",
    about: { route: request.route, via: request.via, status: String(request.status) },
    events: [],
    link: null,
    failure: request.failure,
  };
}

function fromCaller(traceparent: TracedRequest["traceparent"]) {
  return typeof traceparent === "string" ? readTraceparent(traceparent) : null;
}
