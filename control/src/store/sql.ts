import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";

/** One SQL statement with its parameters apart: text from the source, values from anywhere. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** Of a statement with values: its template's, one for each place in the source, so that a session prepares it once. */
  readonly name?: string;
}

/** A value for a jsonb column. Said explicitly because the driver would send an array as a PostgreSQL array. */
export interface JsonParameter {
  readonly json: string;
}

export type Parameter = string | number | boolean | null | Date | Buffer | readonly string[] | JsonParameter;

/** SQL as it is written; each `${value}` becomes a parameter and is never part of the text. A template is always one whole statement. */
export function sql(parts: TemplateStringsArray, ...parameters: readonly Parameter[]): Statement {
  let written = templates.get(parts);
  if (written === undefined) {
    written = { text: textOf(parts), name: `statement-${++templateCount}` };
    templates.set(parts, written);
  }
  const values = parameters.map((parameter) => (isJson(parameter) ? parameter.json : parameter));
  // Without values a text may be several statements, which cannot be prepared.
  return values.length === 0 ? { text: written.text, values } : { ...written, values };
}

/** By the template as the engine keeps it: one object for each place in the source, so there are as many as the source has. */
const templates = new WeakMap<TemplateStringsArray, { readonly text: string; readonly name: string }>();
let templateCount = 0;

function textOf(parts: TemplateStringsArray): string {
  let text = parts[0] ?? "";
  for (let index = 1; index < parts.length; index++) text += `$${index}${parts[index] ?? ""}`;
  return text;
}

/** PostgreSQL's jsonb cannot hold U+0000 or half a surrogate pair; such text is kept readable, never a reason to fail. */
export function json(value: Json): JsonParameter {
  return { json: canonicalJson(storable(value)) };
}

/** The value as the database will give it back. */
export function storable(value: Json): Json {
  if (typeof value === "string") return storableText(value);
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) return value.map(storable);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) =>
      member === undefined ? [] : [[storableText(key), storable(member)]],
    ),
  );
}

export function storableText(text: string): string {
  return text.replaceAll("\0", "\u{FFFD}").toWellFormed();
}

function isJson(parameter: Parameter): parameter is JsonParameter {
  return typeof parameter === "object" && parameter !== null && "json" in parameter;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
