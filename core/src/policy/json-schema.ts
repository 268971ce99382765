import { DOMAINS } from "../domain.ts";
import { floorSchema } from "./floor-document.ts";
import { groupSchema } from "./group-document.ts";
import { policySchema } from "./policy-document.ts";
import { type Outline, outlineOf } from "./schema-outline.ts";
import type { SectionSchema } from "./section-schema.ts";
import { serverSchema } from "./server-document.ts";
import { tunnelSchema } from "./tunnel-document.ts";

const PARAMETER: Outline = {
  type: "string",
  pattern: "^\\$[a-z]([a-z0-9-]*[a-z0-9])?$",
  description: "A parameter of this policy, as a whole value.",
};

/**
 * The published JSON Schema of a document of any kind, made from the schemas that read them. It describes what may be written: the shorthand
 * for lists of one, and in a Policy `$name` wherever a value stands. What only a parser can tell (host bits, cycles) it cannot say.
 */
export function documentJsonSchema(domains: readonly SectionSchema[]): Outline {
  const policy = outlineOf(policySchema(domains));
  const properties = mapValues(policy["properties"], (value, key) =>
    ["define", "expect", ...DOMAINS].includes(key) ? withParameters(value) : value,
  );
  const kinds: readonly Outline[] = [
    { ...policy, properties },
    outlineOf(serverSchema),
    ...(domains.some(({ domain }) => domain === "vpn") ? [outlineOf(tunnelSchema)] : []),
    outlineOf(groupSchema),
    outlineOf(floorSchema),
  ];
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Holdfast document",
    description: "One document of the policy language holdfast/v1.",
    oneOf: kinds.map((kind) => Object.fromEntries(Object.entries(kind).filter(([keyword]) => keyword !== "$schema"))),
  };
}

/** Every scalar may also be a parameter. Fixed texts and prose stay as they are. */
function withParameters(value: unknown): unknown {
  if (!isOutline(value)) return value;
  const alternatives = value["anyOf"] ?? value["oneOf"];
  if (Array.isArray(alternatives))
    return { ...value, [value["anyOf"] === undefined ? "oneOf" : "anyOf"]: alternatives.map(withParameters) };
  if (value["type"] === "object") {
    return {
      ...value,
      ...(value["properties"] === undefined
        ? {}
        : {
            properties: mapValues(value["properties"], (inner, key) =>
              key === "why" || key === "description" || key === "name" ? inner : withParameters(inner),
            ),
          }),
      ...(value["additionalProperties"] === undefined
        ? {}
        : { additionalProperties: withParameters(value["additionalProperties"]) }),
    };
  }
  if (value["type"] === "array") return { ...value, items: withParameters(value["items"]) };
  const { description, ...rest } = value;
  return { ...(description === undefined ? {} : { description }), anyOf: [rest, PARAMETER] };
}

function mapValues(value: unknown, map: (inner: unknown, key: string) => unknown): Outline {
  return isOutline(value)
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, map(inner, key)]))
    : {};
}

function isOutline(value: unknown): value is Outline {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
