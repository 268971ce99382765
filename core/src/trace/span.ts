import { LOG_FIELDS } from "../log/fields.ts";

/**
 * One thing that took time, as plain data.
 *   N1. Its name and what stands beside it are words of ours, ids of ours, names of servers and result codes: never an address, a text of a
 *       document, an operand or a secret. A collector is often somebody else's.
 *   N2. It names its parent by an id that whoever goes on after a crash finds again, so a trace never falls apart.
 */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: SpanKind;
  /** Unix milliseconds, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  /** Which of our programs did it. */
  readonly service: "holdfast-control" | "holdfast-agent";
  readonly about: SpanContext;
  readonly events: readonly SpanEvent[];
  /** Of another trace that this one follows from. */
  readonly link: { readonly traceId: string; readonly spanId: string } | null;
  /** Null: it went well. Else the dotted code of why not. */
  readonly failure: string | null;
}

export type SpanKind = "internal" | "server" | "client";

export interface SpanEvent {
  readonly name: string;
  readonly atMs: number;
}

/** The names of what may stand beside a span: those of the log where the log has them, so that one query finds both. */
export const SPAN_FIELDS = {
  requestId: LOG_FIELDS.requestId,
  changeId: LOG_FIELDS.changeId,
  targetHost: LOG_FIELDS.targetHost,
  domain: LOG_FIELDS.domain,
  resultCode: LOG_FIELDS.resultCode,
  applyId: "apply_id",
  state: "state",
  serverIs: "server_is",
  step: "step",
  route: "route",
  via: "via",
  status: "status",
  lostSpans: "lost_spans",
} as const;
export type SpanField = keyof typeof SPAN_FIELDS;
export type SpanContext = { readonly [Field in SpanField]?: string };
