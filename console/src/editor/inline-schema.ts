import type { Outline } from "@holdfast/core/policy/schema-outline.ts";

/**
 * A JSON Schema without references: the control plane sends what is used twice only once, and everything that walks a schema here expects to
 * find it in its place. A reference that leads back into itself is left out, and whatever is no reference of this document stays as it is.
 */
export function inlineSchema(schema: unknown): Outline {
  const definitions = isOutline(schema) ? schema["$defs"] : undefined;
  const walk = (value: unknown, within: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((item: unknown) => walk(item, within));
    if (!isOutline(value)) return value;
    const name = typeof value["$ref"] === "string" ? /^#\/\$defs\/(.+)$/.exec(value["$ref"])?.[1] : undefined;
    const { $ref: _reference, $defs: _definitions, ...own } = value;
    const rest = Object.fromEntries(Object.entries(own).map(([key, inner]) => [key, walk(inner, within)]));
    if (name === undefined || !isOutline(definitions) || within.includes(name)) return rest;
    const target = walk(definitions[name], [...within, name]);
    // What stands beside a reference speaks of this place, and wins.
    return isOutline(target) ? { ...target, ...rest } : rest;
  };
  const inlined = walk(schema, []);
  return isOutline(inlined) ? inlined : {};
}

function isOutline(value: unknown): value is Outline {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
