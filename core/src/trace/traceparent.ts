/** W3C Trace Context, level 1: how a trace is carried from one process to the next, in HTTP, in gRPC metadata and in a row. */
export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero: the span that whatever comes next is a child of. */
  readonly spanId: string;
}

export const TRACEPARENT_HEADER = "traceparent";

/** Version 00 exactly; a later version may have more behind it, and ff is none. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;
/** Characters. What is longer is not read. */
const LONGEST = 256;

/** Null for whatever is no traceparent: who sends one wrongly is served as if they had sent none. The sampled flag is the sender's affair. */
export function readTraceparent(text: string | null | undefined): TraceContext | null {
  if (text === null || text === undefined || text.length > LONGEST) return null;
  const [, version, traceId, spanId, more] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || (version === "00" && more !== undefined)) return null;
  return { traceId, spanId };
}

/** Always sampled: a house that traces traces every apply. */
export function traceparentOf({ traceId, spanId }: TraceContext): string {
  return `00-${traceId}-${spanId}-01`;
}
