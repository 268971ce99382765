/**
 * Sends spans to a collector by OTLP over HTTP, in JSON.
 *   O1. Recording is a push onto a list that has an end; when it is full the newest span is dropped and counted.
 *   O2. One request is under way at a time, and it has its time. A collector that hangs holds up this queue and nothing else.
 *   O3. What the collector asks to have again later is sent again a few times; what it refuses is dropped and counted.
 *   O4. No trouble with the collector is more than one line of the log in a while: it is not the house that is in trouble.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Exporter, otlpTraces } from "@holdfast/core/trace/otlp.ts";
import type { Span } from "@holdfast/core/trace/span.ts";
import type { Logger } from "pino";
import { NO_SPANS, type SpanCounts, type SpanResult, type Traces } from "./traces.ts";

export interface OtlpOptions {
  readonly url: URL;
  /** The header Authorization, as the collector wants it; null: none. */
  readonly authorization: string | null;
  readonly by: Exporter;
  readonly log: Logger;
  /** Shorter for tests. */
  readonly timing?: Partial<OtlpTiming>;
}

export interface OtlpTiming {
  /** Spans wait so long for others to go with. Longer loses more with a process that is killed. */
  readonly gatherMs: number;
  /** A collector that has not answered by then has not taken it. */
  readonly answerMs: number;
  /** Before the second try; each further one waits twice as long. */
  readonly againMs: number;
  /** What closing may take. */
  readonly closeMs: number;
}

const USUAL: OtlpTiming = { gatherMs: 1_000, answerMs: 10_000, againMs: 1_000, closeMs: 2_000 };
/** About a hundred applies, two megabytes. */
const MOST_WAITING = 4_096;
/** Below the 4 MB that collectors take at least. */
const MOST_AT_ONCE = 512;
const TRIES = 4;
/** OTLP names these: have it again later. Everything else above 399 is a refusal. */
const AGAIN: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** A collector that asks for more patience than this gets the batch no more. */
const LONGEST_WAIT_MS = 30_000;
/** Between two lines of the log about the same collector. */
const QUIET_MS = 300_000;

type Sent =
  | { readonly kind: "taken"; readonly refused: number }
  | { readonly kind: "refused" | "unreachable"; readonly why: string };

export class OtlpTraces implements Traces {
  readonly isOn = true;
  readonly #options: OtlpOptions;
  readonly #timing: OtlpTiming;
  readonly #counts: Record<SpanResult, number> = { ...NO_SPANS };
  readonly #stop = new AbortController();
  readonly #waiting: Span[] = [];
  #sending: Promise<void> | null = null;
  readonly #gathering = new AbortController();
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: OtlpOptions) {
    this.#options = options;
    this.#timing = { ...USUAL, ...options.timing };
  }

  record(span: Span): void {
    if (this.#stop.signal.aborted || this.#waiting.length >= MOST_WAITING) {
      this.#counts.queue_full += 1;
      return;
    }
    this.#waiting.push(span);
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
    });
  }

  lostByAgents(count: number): void {
    this.#counts.lost_by_agent += count;
  }

  counts(): SpanCounts {
    return this.#counts;
  }

  async close(): Promise<void> {
    this.#gathering.abort();
    const giveUp = setTimeout(() => this.#stop.abort(), this.#timing.closeMs);
    await this.#sending;
    clearTimeout(giveUp);
    this.#stop.abort();
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      // A full batch goes at once, and at the end nothing more is waited for.
      if (this.#waiting.length < MOST_AT_ONCE) await pause(this.#timing.gatherMs, this.#gathering.signal);
      const batch = this.#waiting.splice(0, MOST_AT_ONCE);
      const sent = await this.#sendPatiently(batch);
      if (sent.kind === "taken") {
        this.#counts.sent += batch.length - sent.refused;
        this.#counts.refused += sent.refused;
      } else {
        this.#counts[sent.kind] += batch.length;
        this.#tell(sent.kind, sent.why, batch.length);
      }
    }
  }

  async #sendPatiently(batch: readonly Span[]): Promise<Sent> {
    const body = JSON.stringify(otlpTraces(batch, this.#options.by));
    let waitMs = this.#timing.againMs;
    for (let tries = 1; ; tries++) {
      const tried = await this.#send(body, batch.length);
      if (tried.kind !== "again") return tried;
      const pauseMs = tried.afterMs ?? waitMs;
      if (tries === TRIES || pauseMs > LONGEST_WAIT_MS || this.#stop.signal.aborted)
        return { kind: "unreachable", why: tried.why };
      await pause(pauseMs, this.#stop.signal);
      waitMs *= 2;
    }
  }

  async #send(
    body: string,
    count: number,
  ): Promise<Sent | { readonly kind: "again"; readonly afterMs: number | null; readonly why: string }> {
    const { url, authorization } = this.#options;
    try {
      const answer = await fetch(url, {
        method: "POST",
        body,
        // A collector never sends a sender elsewhere; whoever does is not to be told.
        redirect: "error",
        headers: {
          "content-type": "application/json",
          ...(authorization === null ? {} : { authorization }),
        },
        signal: AbortSignal.any([AbortSignal.timeout(this.#timing.answerMs), this.#stop.signal]),
      });
      const text = await answer.text();
      if (answer.ok) return { kind: "taken", refused: Math.min(count, refusedOf(text)) };
      const why = `it answered ${answer.status}`;
      if (!AGAIN.has(answer.status)) return { kind: "refused", why };
      return { kind: "again", afterMs: secondsOf(answer.headers.get("retry-after")), why };
    } catch (error) {
      const why = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      return { kind: "again", afterMs: null, why };
    }
  }

  #tell(result: "refused" | "unreachable", why: string, count: number): void {
    const now = performance.now();
    if (now - this.#toldAtMs < QUIET_MS) return;
    this.#toldAtMs = now;
    this.#options.log.warn(
      { result_code: `trace.${result}`, why, count },
      "the collector did not take spans; applies go on, and holdfast_trace_spans_total counts what is lost",
    );
  }
}

/** Ends early when nobody wants to wait any more. */
async function pause(ms: number, until: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: until, ref: false }).catch(() => undefined);
}

/** Some collectors take a part and say how much they did not; anything else in the answer means that all was taken. */
function refusedOf(text: string): number {
  try {
    const answer = JSON.parse(text === "" ? "{}" : text) as {
      readonly partialSuccess?: { readonly rejectedSpans?: string | number };
    } | null;
    const refused = Number(answer?.partialSuccess?.rejectedSpans ?? 0);
    return Number.isSafeInteger(refused) && refused > 0 ? refused : 0;
  } catch {
    return 0;
  }
}

function secondsOf(text: string | null): number | null {
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : null;
}
