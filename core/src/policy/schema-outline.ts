import { z } from "zod";
import type { Path } from "./path.ts";

/** The parts of a JSON Schema that messages are made of. */
export interface Outline {
  readonly [keyword: string]: unknown;
}

/** The published form of a schema: what an author may write, before anything is normalised. */
export function outlineOf(schema: z.ZodType): Outline {
  return z.toJSONSchema(schema, { io: "input", reused: "inline" }) as Outline;
}

/** Every alternative that the schema has at a path. */
export function outlinesAt(root: Outline, path: Path): readonly Outline[] {
  let here = alternatives(root);
  for (const part of path) {
    here = here.flatMap((outline) => {
      const inner =
        typeof part === "number"
          ? outline["items"]
          : (member(outline["properties"], part) ?? outline["additionalProperties"]);
      // A single item may stand for a list of one: index 0 of what is no list is the item itself.
      return isOutline(inner) ? alternatives(inner) : [];
    });
  }
  return here;
}

/** The keys that maps may have at a path. */
export function keysAt(root: Outline, path: Path): readonly string[] {
  return [
    ...new Set(
      outlinesAt(root, path).flatMap((outline) =>
        isOutline(outline["properties"]) ? Object.keys(outline["properties"]) : [],
      ),
    ),
  ];
}

/** The first description and example that the schema gives for a path. */
export function helpAt(
  root: Outline,
  path: Path,
): { readonly description: string | null; readonly example: string | null } {
  const outlines = outlinesAt(root, path);
  const description =
    outlines.map((outline) => outline["description"]).find((text) => typeof text === "string") ?? null;
  const examples = outlines
    .map((outline) => outline["examples"])
    .find((list) => Array.isArray(list) && list.length > 0);
  return { description, example: Array.isArray(examples) ? exampleText(examples[0]) : null };
}

function exampleText(example: unknown): string {
  return typeof example === "string" ? example : JSON.stringify(example);
}

function alternatives(outline: Outline): readonly Outline[] {
  const inner = [outline["anyOf"], outline["oneOf"], outline["allOf"]].flatMap((list) =>
    Array.isArray(list) ? list.filter(isOutline) : [],
  );
  return [outline, ...inner.flatMap(alternatives)];
}

function member(value: unknown, key: string): unknown {
  return isOutline(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function isOutline(value: unknown): value is Outline {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
