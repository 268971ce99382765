import type { Outline } from "./schema-outline.ts";

/** Keywords whose value is data of the author's, never a schema. */
const DATA: readonly string[] = ["examples", "default", "const", "enum"];

/** Smaller parts are as short as a reference to them. */
const LEAST_CHARACTERS = 200;

/**
 * The same schema with each part that stands in several places written once, under `$defs`, and referred to. What it accepts is unchanged;
 * a schema in which every list of addresses is spelled out at every rule is ten times as long.
 */
export function withSharedParts(root: Outline): Outline {
  const seen = new Map<string, number>();
  count(root, seen);
  const names = new Map<string, string>();
  const definitions: Record<string, unknown> = {};

  const shared = (value: unknown, isSchema: boolean): unknown => {
    if (Array.isArray(value)) return value.map((item) => shared(item, isSchema));
    if (!isObject(value)) return value;
    const inner = (): Outline =>
      Object.fromEntries(
        Object.entries(value).map(([key, part]) => [
          key,
          isSchema && DATA.includes(key) ? part : shared(part, isSchema ? holdsSchemas(key) : true),
        ]),
      );
    const text = JSON.stringify(value);
    if (!isSchema || text.length < LEAST_CHARACTERS || (seen.get(text) ?? 0) < 2) return inner();
    const known = names.get(text);
    if (known !== undefined) return { $ref: `#/$defs/${known}` };
    const name = `part-${names.size + 1}`;
    names.set(text, name);
    definitions[name] = inner();
    return { $ref: `#/$defs/${name}` };
  };
  const whole = Object.fromEntries(Object.entries(root).map(([key, part]) => [key, shared(part, holdsSchemas(key))]));
  return { ...whole, $defs: definitions };
}

function count(value: unknown, seen: Map<string, number>): void {
  if (Array.isArray(value)) for (const item of value) count(item, seen);
  if (!isObject(value)) return;
  const text = JSON.stringify(value);
  const times = (seen.get(text) ?? 0) + 1;
  seen.set(text, times);
  // What is inside of a repeated part is repeated with it.
  if (times === 1) for (const part of Object.values(value)) count(part, seen);
}

/** Keywords whose value is a schema or a list of them; under the others (`properties`, `patternProperties`) names come first. */
function holdsSchemas(keyword: string): boolean {
  return ["items", "anyOf", "oneOf", "allOf", "not", "additionalProperties", "propertyNames"].includes(keyword);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
