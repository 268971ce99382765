import { expect, test } from "vitest";
import { otlpTraces } from "./otlp.ts";
import type { Span } from "./span.ts";

const SPAN: Span = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  parentSpanId: null,
  name: "apply",
  kind: "internal",
  startMs: 1_790_000_000_000.25,
  endMs: 1_790_000_000_004,
  service: "holdfast-control",
  about: { requestId: "r", targetHost: "web-1", domain: "" },
  events: [{ name: "armed", atMs: 1_790_000_000_001 }],
  link: null,
  failure: null,
};

test("a span in OTLP's JSON: hex ids, nanoseconds as text, numbers for words, nothing that is empty", () => {
  expect(otlpTraces([SPAN], { version: "1.2.3", instanceId: "i" })).toEqual({
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: "service.name", value: { stringValue: "holdfast-control" } },
            { key: "service.version", value: { stringValue: "1.2.3" } },
            { key: "service.instance.id", value: { stringValue: "i" } },
          ],
        },
        scopeSpans: [
          {
            scope: { name: "holdfast", version: "1.2.3" },
            spans: [
              {
                traceId: SPAN.traceId,
                spanId: SPAN.spanId,
                name: "apply",
                kind: 1,
                startTimeUnixNano: "1790000000000250000",
                endTimeUnixNano: "1790000000004000000",
                attributes: [
                  { key: "holdfast.request_id", value: { stringValue: "r" } },
                  { key: "holdfast.target_host", value: { stringValue: "web-1" } },
                ],
                events: [{ timeUnixNano: "1790000000001000000", name: "armed" }],
                links: [],
                status: { code: 1 },
              },
            ],
          },
        ],
      },
    ],
  });
});

test("what failed says its code, and a clock that was set back ends no span before it began", () => {
  const text = JSON.stringify(
    otlpTraces([{ ...SPAN, endMs: SPAN.startMs - 5_000, failure: "verify.mismatch" }], {
      version: "1",
      instanceId: "i",
    }),
  );
  expect(text).toContain('"status":{"code":2,"message":"verify.mismatch"}');
  expect(text).toContain('{"key":"holdfast.result_code","value":{"stringValue":"verify.mismatch"}}');
  expect(text).toContain('"endTimeUnixNano":"1790000000000250000"');
});
