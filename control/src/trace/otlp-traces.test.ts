import type { Span } from "@holdfast/core/trace/span.ts";
import { OtlpCollector } from "@holdfast/testkit/collector/otlp-collector.ts";
import { until } from "@holdfast/testkit/until.ts";
import pino from "pino";
import { expect, test } from "vitest";
import { OtlpTraces, type OtlpTiming } from "./otlp-traces.ts";

const QUICK: OtlpTiming = { gatherMs: 5, answerMs: 50, againMs: 5, closeMs: 200 };

let made = 0;
function span(): Span {
  made += 1;
  return {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: made.toString(16).padStart(16, "0"),
    parentSpanId: null,
    name: "apply",
    kind: "internal",
    startMs: 1_790_000_000_000,
    endMs: 1_790_000_000_001,
    service: "holdfast-control",
    about: {},
    events: [],
    link: null,
    failure: null,
  };
}

async function withCollector(
  body: (collector: OtlpCollector, traces: OtlpTraces, lines: string[]) => Promise<void>,
  timing: Partial<OtlpTiming> = {},
): Promise<void> {
  const collector = await OtlpCollector.open();
  const lines: string[] = [];
  const traces = new OtlpTraces({
    url: collector.url,
    authorization: "Basic canary-password",
    by: { version: "0", instanceId: "i" },
    log: pino({ level: "info" }, { write: (line: string) => void lines.push(line) }),
    timing: { ...QUICK, ...timing },
  });
  try {
    await body(collector, traces, lines);
    expect(lines.join("\n")).not.toContain("canary-password");
  } finally {
    await traces.close();
    await collector.close();
  }
}

test("what is recorded arrives, by who may send it, and closing leaves nothing behind", async () => {
  await withCollector(
    async (collector, traces) => {
      for (let count = 0; count < 1_000; count++) traces.record(span());
      await traces.close();
      expect(collector.refused).toEqual([]);
      expect(collector.spans.length).toBe(1_000);
      expect(traces.counts()).toMatchObject({ sent: 1_000, queue_full: 0 });
      expect([...collector.authorizations]).toEqual(["Basic canary-password"]);
    },
    { answerMs: 60_000, closeMs: 60_000 },
  );
});

test("a collector that hangs: recording goes on at once, the list has an end, what does not fit is counted, and closing is not held up", async () => {
  await withCollector(
    async (collector, traces, lines) => {
      collector.manners = ["hang"];
      for (let count = 0; count < 10_000; count++) traces.record(span());
      await until("the first request", () => collector.requests > 0);
      const { queue_full: full } = traces.counts();
      expect(full).toBeGreaterThan(5_000);
      await traces.close();
      expect(traces.counts()).toMatchObject({ sent: 0, unreachable: 10_000 - full });
      expect(lines.length).toBe(1); // one line of the log, however much was lost
    },
    { answerMs: 60_000 },
  );
});

test("what the collector wants again later is sent again; what it refuses is not", async () => {
  await withCollector(async (collector, traces) => {
    collector.manners = [{ status: 503 }, { status: 429, headers: { "retry-after": "0" } }, "take"];
    traces.record(span());
    await until("the third try", () => traces.counts().sent === 1);
    expect(collector.requests).toBe(3);

    collector.manners = [{ status: 400 }, "take"];
    traces.record(span());
    await until("the refusal", () => traces.counts().refused === 1);
    expect(collector.requests).toBe(4);

    collector.manners = ["take_part"];
    traces.record(span());
    await until("the part that was not taken", () => traces.counts().refused === 2);
  });
});

test.each([
  ["always busy", { status: 503 }],
  ["asks for an hour", { status: 503, headers: { "retry-after": "3600" } }],
  ["sends elsewhere", { status: 307, headers: { location: "http://127.0.0.1:1/" } }],
] as const)("a collector that is %s loses what it was sent, counted", async (_, manner) => {
  await withCollector(async (collector, traces) => {
    collector.manners = [manner];
    traces.record(span());
    await until("the end of it", () => traces.counts().unreachable + traces.counts().refused === 1);
    collector.manners = ["take"];
    traces.record(span());
    await until("the next one", () => traces.counts().sent === 1);
  });
});

test("nobody there at all", async () => {
  await withCollector(async (collector, traces) => {
    await collector.close();
    traces.record(span());
    await until("the end of it", () => traces.counts().unreachable === 1);
  });
});
