/**
 * An ExportTraceServiceRequest in OTLP's JSON form, by the letter of opentelemetry-proto (trace/v1, collector/trace/v1) and of its rules for
 * JSON: nothing that the messages do not have, ids in hex and not base64, 64-bit numbers as text, enumerations as numbers.
 */
import { z } from "zod";

const traceId = z.string().regex(/^(?!0{32})[0-9a-f]{32}$/);
const spanId = z.string().regex(/^(?!0{16})[0-9a-f]{16}$/);
/** fixed64: nanoseconds, of this century. */
const time = z.string().regex(/^1[5-9]\d{17}$|^[2-9]\d{18}$/);
const attribute = z.strictObject({
  key: z.string().min(1).max(100),
  value: z.union([
    z.strictObject({ stringValue: z.string().max(1_000) }),
    z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
    z.strictObject({ boolValue: z.boolean() }),
  ]),
});
/** A key occurs once. */
const attributes = z.array(attribute).refine((all) => new Set(all.map(({ key }) => key)).size === all.length);

const span = z
  .strictObject({
    traceId,
    spanId,
    parentSpanId: spanId.optional(),
    name: z.string().min(1).max(100),
    kind: z.number().int().min(1).max(5),
    startTimeUnixNano: time,
    endTimeUnixNano: time,
    attributes,
    events: z.array(z.strictObject({ timeUnixNano: time, name: z.string().min(1) })),
    links: z.array(z.strictObject({ traceId, spanId })),
    status: z.strictObject({ code: z.number().int().min(0).max(2), message: z.string().optional() }),
  })
  .refine((one) => BigInt(one.endTimeUnixNano) >= BigInt(one.startTimeUnixNano), "it ends before it begins")
  .refine((one) => one.parentSpanId !== one.spanId, "it is its own parent");

export const otlpRequestSchema = z.strictObject({
  resourceSpans: z
    .array(
      z.strictObject({
        resource: z.strictObject({
          attributes: attributes.refine((all) => all.some(({ key }) => key === "service.name"), "no service.name"),
        }),
        scopeSpans: z
          .array(
            z.strictObject({
              scope: z.strictObject({ name: z.string().min(1), version: z.string() }),
              spans: z.array(span).min(1),
            }),
          )
          .min(1),
      }),
    )
    .min(1),
});

/** A span as a backend shows it. */
export interface TakenSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parent: string | null;
  readonly name: string;
  readonly service: string;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, string>>;
  readonly events: readonly string[];
  readonly links: readonly string[];
  readonly failure: string | null;
}

/** @throws ZodError where it is none. */
export function readOtlpRequest(body: unknown): readonly TakenSpan[] {
  return otlpRequestSchema.parse(body).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = textsOf(resource.attributes)["service.name"] ?? "";
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((one) => ({
        traceId: one.traceId,
        id: one.spanId,
        parent: one.parentSpanId ?? null,
        name: one.name,
        service,
        startNs: BigInt(one.startTimeUnixNano),
        endNs: BigInt(one.endTimeUnixNano),
        attributes: textsOf(one.attributes),
        events: one.events.map(({ name }) => name),
        links: one.links.map((link) => `${link.traceId}/${link.spanId}`),
        failure: one.status.code === 2 ? (one.status.message ?? "") : null,
      })),
    );
  });
}

function textsOf(all: readonly z.infer<typeof attribute>[]): Readonly<Record<string, string>> {
  return Object.fromEntries(all.map(({ key, value }) => [key, String(Object.values(value)[0])]));
}

/** What is no tree in one trace, in words: a parent that nobody has told, an id that is told twice, more than one beginning. */
export function whyNoTree(spans: readonly TakenSpan[]): readonly string[] {
  const ids = new Set(spans.map(({ id }) => id));
  const begin = spans.filter(({ parent }) => parent === null || !ids.has(parent));
  return [
    ...(ids.size === spans.length ? [] : ["an id is there twice"]),
    ...(new Set(spans.map(({ traceId }) => traceId)).size === 1 ? [] : ["it is not one trace"]),
    ...(begin.length === 1 ? [] : [`it begins ${begin.length} times: ${begin.map(({ name }) => name).join(", ")}`]),
  ];
}
