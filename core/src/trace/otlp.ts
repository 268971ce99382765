import { type Span, type SpanContext, SPAN_FIELDS, type SpanField, type SpanKind } from "./span.ts";

/**
 * OTLP 1.x over HTTP in its JSON form (opentelemetry-proto, trace/v1): ids in lower-case hex, 64-bit numbers as text, enumerations as numbers.
 * Written by hand: docs/adr/0028 says why.
 */
export interface Exporter {
  readonly version: string;
  /** A random id of the instance; not where it runs. */
  readonly instanceId: string;
}

const KIND = { internal: 1, server: 2, client: 3 } as const satisfies Record<SpanKind, number>;
const STATUS_OK = 1;
const STATUS_ERROR = 2;

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

export function otlpTraces(spans: readonly Span[], by: Exporter): unknown {
  const services = [...new Set(spans.map(({ service }) => service))].toSorted();
  return {
    resourceSpans: services.map((service) => ({
      resource: {
        attributes: [
          attribute("service.name", service),
          attribute("service.version", by.version),
          // What agents say comes by way of this instance; it is not theirs.
          ...(service === "holdfast-control" ? [attribute("service.instance.id", by.instanceId)] : []),
        ],
      },
      scopeSpans: [
        {
          scope: { name: "holdfast", version: by.version },
          spans: spans.filter((span) => span.service === service).map(otlpSpan),
        },
      ],
    })),
  };
}

function otlpSpan(span: Span): unknown {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === null ? {} : { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: KIND[span.kind],
    startTimeUnixNano: nanoseconds(span.startMs),
    // A clock that was set back in between makes no span that ends before it began.
    endTimeUnixNano: nanoseconds(Math.max(span.startMs, span.endMs)),
    attributes: attributesOf(span.about, span.failure),
    events: span.events.map(({ name, atMs }) => ({ timeUnixNano: nanoseconds(atMs), name })),
    links: span.link === null ? [] : [{ traceId: span.link.traceId, spanId: span.link.spanId }],
    status: span.failure === null ? { code: STATUS_OK } : { code: STATUS_ERROR, message: span.failure },
  };
}

function attributesOf(about: SpanContext, failure: string | null): readonly Attribute[] {
  const said = failure === null ? about : { ...about, resultCode: failure };
  return Object.entries(SPAN_FIELDS).flatMap(([field, name]) => {
    const value = said[field as SpanField];
    return value === undefined || value === "" ? [] : [attribute(`holdfast.${name}`, value)];
  });
}

function attribute(key: string, text: string): Attribute {
  return { key, value: { stringValue: text } };
}

/** Microseconds are all that the clocks have. */
function nanoseconds(ms: number): string {
  return `${BigInt(Math.max(0, Math.round(ms * 1_000))) * 1_000n}`;
}
