import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Result } from "@holdfast/core/base/result.ts";
import { editDocument } from "@holdfast/core/policy/edit.ts";
import type { Path } from "@holdfast/core/policy/path.ts";
import { helpAt, keysAt, type Outline, outlinesAt } from "@holdfast/core/policy/schema-outline.ts";
import { readYaml } from "@holdfast/core/policy/yaml-source.ts";
import { wordsToJson } from "./rule-rows.ts";

/**
 * A part of a document as a form, made of the published schema and the text.
 *   F1. The text is the one truth: an edit of a field is an edit of its syntax tree, so comments and everything else stay.
 *   F2. Only what is written has a field; what may be written besides is offered. An absent setting is not ours, and a form must not write one.
 *   F3. What a field cannot hold (alternatives of different shapes) is shown as text and left alone.
 */
export interface Field {
  readonly path: Path;
  readonly key: string;
  readonly description: string | null;
  readonly example: string | null;
  readonly shape: Shape;
}

/** A list where a single word will do, or one that must be a list even then. */
export type LineOf = "text" | "number" | "words" | "list";

export type Shape =
  /** One text or number, or several words that are a list. */
  | { readonly kind: "line"; readonly text: string; readonly of: LineOf }
  | { readonly kind: "choice"; readonly value: string; readonly choices: readonly string[] }
  | { readonly kind: "switch"; readonly on: boolean }
  /** A map of settings: those that are there, and the keys that are not. */
  | { readonly kind: "group"; readonly fields: readonly Field[]; readonly absent: readonly string[] }
  /** A map whose keys are names that people give. */
  | { readonly kind: "named"; readonly entries: readonly Field[] }
  | { readonly kind: "list"; readonly items: readonly Field[] }
  /** Several lines, or a shape that only the text can hold. */
  | { readonly kind: "inText"; readonly text: string };

type Data = { readonly [key: string]: Json | undefined };

function isData(value: Json | undefined): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Null: nothing is written there, or the text cannot be read now. */
export function fieldAt(text: string, schema: Outline, path: Path): Field | null {
  const { data } = readYaml(text);
  let value: Json | undefined = data;
  for (const part of path) value = isData(value) ? value[part] : undefined;
  return value === undefined ? null : field(schema, path, value);
}

export function isReadable(text: string): boolean {
  const { data, findings } = readYaml(text);
  return isData(data) && findings.length === 0;
}

function field(schema: Outline, path: Path, value: Json): Field {
  const { description, example } = helpAt(schema, path);
  return { path, key: String(path.at(-1) ?? ""), description, example, shape: shapeOf(schema, path, value) };
}

/** What stands in every document and is no setting. */
const HEADS: ReadonlySet<string> = new Set(["apiVersion", "kind", "name"]);

function shapeOf(schema: Outline, path: Path, value: Json): Shape {
  const kinds = kindsAt(schema, path);
  if (typeof value === "boolean") return { kind: "switch", on: value };
  if (isData(value)) {
    const known = keysAt(schema, path);
    const written = Object.entries(value).flatMap(([key, inner]) =>
      inner === undefined || (path.length === 0 && HEADS.has(key)) ? [] : [field(schema, [...path, key], inner)],
    );
    if (known.length > 0)
      return {
        kind: "group",
        fields: written,
        absent: known.filter((key) => value[key] === undefined && !(path.length === 0 && HEADS.has(key))),
      };
    return kinds.isNamed ? { kind: "named", entries: written } : { kind: "inText", text: JSON.stringify(value) };
  }
  if (Array.isArray(value)) {
    const items: readonly Json[] = value;
    if (items.every((item) => typeof item === "string" || typeof item === "number") && kinds.hasPlainItems)
      return { kind: "line", text: items.join(", "), of: lineOf(kinds) };
    return items.every(isData)
      ? { kind: "list", items: items.map((item, index) => field(schema, [...path, index], item)) }
      : { kind: "inText", text: JSON.stringify(value) };
  }
  if (typeof value === "string" && value.includes("\n")) return { kind: "inText", text: value };
  if (typeof value === "string" && kinds.choices.includes(value) && !kinds.isFree)
    return { kind: "choice", value, choices: kinds.choices };
  if (typeof value !== "string" && typeof value !== "number") return { kind: "inText", text: JSON.stringify(value) };
  return { kind: "line", text: String(value), of: lineOf(kinds) };
}

interface Kinds {
  readonly choices: readonly string[];
  /** Other texts than the choices are taken too. */
  readonly isFree: boolean;
  readonly isNumber: boolean;
  readonly isSwitch: boolean;
  readonly isMap: boolean;
  readonly isNamed: boolean;
  readonly hasPlainItems: boolean;
  readonly hasItems: boolean;
}

function kindsAt(schema: Outline, path: Path): Kinds {
  const here = outlinesAt(schema, path);
  const items = here.some((one) => one["items"] !== undefined) ? outlinesAt(schema, [...path, 0]) : [];
  const choices = here.flatMap((one) => [
    ...(Array.isArray(one["enum"]) ? one["enum"].filter((word): word is string => typeof word === "string") : []),
    ...(typeof one["const"] === "string" ? [one["const"]] : []),
  ]);
  return {
    choices: [...new Set(choices)],
    isFree: here.some((one) => one["type"] === "string" && one["enum"] === undefined && one["const"] === undefined),
    isNumber: here.some((one) => one["type"] === "integer" || one["type"] === "number"),
    isSwitch: here.some((one) => one["type"] === "boolean" || typeof one["const"] === "boolean"),
    isMap: here.some((one) => one["properties"] !== undefined),
    isNamed: here.some((one) => typeof one["additionalProperties"] === "object" && one["properties"] === undefined),
    hasPlainItems: items.some(
      (one) => one["type"] === "string" || one["type"] === "integer" || one["enum"] !== undefined,
    ),
    hasItems: items.length > 0,
  };
}

export type FieldEdit =
  | { readonly kind: "line"; readonly text: string; readonly of: LineOf }
  | { readonly kind: "choice"; readonly value: string }
  | { readonly kind: "switch"; readonly on: boolean }
  | { readonly kind: "remove" };

export function editField(text: string, path: Path, edit: FieldEdit): Result<string, string> {
  switch (edit.kind) {
    case "remove":
      return editDocument(text, { kind: "remove", path });
    case "switch":
      return editDocument(text, { kind: "set", path, value: edit.on });
    case "choice":
      return editDocument(text, { kind: "set", path, value: edit.value });
    case "line": {
      const typed = edit.text.trim();
      // Nothing typed is nothing written: then it is no longer ours.
      if (typed === "") return editDocument(text, { kind: "remove", path });
      return editDocument(text, { kind: "set", path, value: lineValue(typed, edit.of) });
    }
  }
}

function lineValue(typed: string, of: LineOf): Json {
  if (of === "text") return typed;
  const numbered = (word: string): Json => (/^(0|[1-9]\d{0,9})$/.test(word) ? Number(word) : word);
  if (of === "number") return numbered(typed);
  const words = wordsToJson(typed);
  const list: readonly Json[] = Array.isArray(words) ? words : [words];
  const values = list.map((word) => (typeof word === "string" ? numbered(word) : word));
  const [only] = values;
  return of === "words" && values.length === 1 && only !== undefined ? only : values;
}

/** Writes a setting that was absent, with the simplest value that its shape has. Null: a person has to type one first. */
export function newValue(schema: Outline, path: Path): Json | null {
  const kinds = kindsAt(schema, path);
  if (kinds.isSwitch) return true;
  if (kinds.choices.length > 0 && !kinds.isFree && !kinds.hasItems) return kinds.choices[0] ?? null;
  if (kinds.isMap || kinds.isNamed) return {};
  if (kinds.hasItems && !kinds.hasPlainItems) return [];
  return null;
}

/** What a line that is typed for an absent setting becomes. */
export function lineKind(schema: Outline, path: Path): LineOf {
  return lineOf(kindsAt(schema, path));
}

function lineOf({ hasPlainItems, isFree, isNumber, choices }: Kinds): LineOf {
  if (hasPlainItems) return isFree || isNumber || choices.length > 0 ? "words" : "list";
  return isNumber && !isFree ? "number" : "text";
}

export function addSetting(text: string, path: Path, value: Json): Result<string, string> {
  return editDocument(text, { kind: "set", path, value });
}

export function addItem(text: string, path: Path, index: number): Result<string, string> {
  return editDocument(text, { kind: "insert", path, index, value: {} });
}
