import type { Span } from "@holdfast/core/trace/span.ts";

/** Where spans go. Whoever records one waits for nothing and hears of no failure: no apply is later because it is traced. */
export interface Traces {
  /** False: nothing is recorded, nothing is asked of agents, and no row has a trace. */
  readonly isOn: boolean;
  record(span: Span): void;
  /** Spans that agents had made and not kept. */
  lostByAgents(count: number): void;
  counts(): SpanCounts;
  /** Sends what is waiting, for a moment at most. */
  close(): Promise<void>;
}

/** What became of spans, since this process began. */
export const SPAN_RESULTS = ["sent", "queue_full", "refused", "unreachable", "lost_by_agent"] as const;
export type SpanResult = (typeof SPAN_RESULTS)[number];
export type SpanCounts = Readonly<Record<SpanResult, number>>;

export const NO_SPANS: SpanCounts = { sent: 0, queue_full: 0, refused: 0, unreachable: 0, lost_by_agent: 0 };

export const NO_TRACES: Traces = {
  isOn: false,
  record: () => undefined,
  lostByAgents: () => undefined,
  counts: () => NO_SPANS,
  close: () => Promise.resolve(),
};
