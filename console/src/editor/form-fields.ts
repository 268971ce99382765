import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { ok, type Result } from "@holdfast/core/base/result.ts";
import type { Edit } from "@holdfast/core/policy/edit-data.ts";
import { editDocument } from "@holdfast/core/policy/edit.ts";
import type { Path } from "@holdfast/core/policy/path.ts";
import { helpAt, keysAt, type Outline, outlinesAt } from "@holdfast/core/policy/schema-outline.ts";
import { readYaml } from "@holdfast/core/policy/yaml-source.ts";

/**
 * A part of a document as a form, made of the published schema and the text.
 *   F1. The text is the one truth: an edit of a field is an edit of its syntax tree, so comments and everything else stay.
 *   F2. Only what is written has a field; what may be written besides is offered. An absent setting is not ours, and a form must not write one.
 *   F3. What a field cannot hold (alternatives of different shapes, a list that its line would be read back otherwise) is shown as text and
 *       left alone.
 */
export interface Field {
  readonly path: Path;
  readonly key: string;
  readonly description: string | null;
  readonly example: string | null;
  readonly shape: Shape;
}

export type Shape =
  /** One text or number, or several words that are a list. */
  | { readonly kind: "line"; readonly text: string }
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
  const value = valueAt(text, path);
  return value === undefined ? null : field(schema, path, value);
}

function valueAt(text: string, path: Path): Json | undefined {
  let value: Json | undefined = readYaml(text).data;
  for (const part of path) {
    if (isData(value)) value = Object.hasOwn(value, part) ? value[part] : undefined;
    else value = Array.isArray(value) && typeof part === "number" ? (value as readonly Json[])[part] : undefined;
  }
  return value;
}

export function isWritten(text: string, path: Path): boolean {
  return valueAt(text, path) !== undefined;
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
    if (items.every((item) => typeof item === "string" || typeof item === "number") && kinds.hasPlainItems) {
      const line = items.join(", ");
      return { kind: isReadBack(line, items, kinds) ? "line" : "inText", text: line };
    }
    return items.every(isData)
      ? { kind: "list", items: items.map((item, index) => field(schema, [...path, index], item)) }
      : { kind: "inText", text: JSON.stringify(value) };
  }
  if (typeof value === "string" && value.includes("\n")) return { kind: "inText", text: value };
  if (typeof value === "string" && kinds.choices.includes(value) && !kinds.isFree)
    return { kind: "choice", value, choices: kinds.choices };
  if (typeof value !== "string" && typeof value !== "number") return { kind: "inText", text: JSON.stringify(value) };
  const isOne = !kinds.hasPlainItems || value === "" || isReadBack(String(value), [value], kinds);
  return { kind: isOne ? "line" : "inText", text: String(value) };
}

/** False for an item with a comma in it: its line would be taken for two. */
function isReadBack(line: string, items: readonly (string | number)[], kinds: Kinds): boolean {
  const words = wordsOf(line, kinds);
  return words.length === items.length && items.every((item, index) => String(item) === words[index]);
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
  readonly hasNumberItems: boolean;
  /** Items are apart by commas only: a key is `ssh-ed25519 AAAA… kim`. */
  readonly itemsHoldBlanks: boolean;
  readonly hasItems: boolean;
}

function kindsAt(schema: Outline, path: Path): Kinds {
  const here = outlinesAt(schema, path);
  const items = here.some((one) => one["items"] !== undefined) ? outlinesAt(schema, [...path, 0]) : [];
  const freeItems = items.filter((one) => one["type"] === "string" && one["enum"] === undefined);
  const choices = here.flatMap((one) => [
    ...(Array.isArray(one["enum"]) ? one["enum"].filter((word): word is string => typeof word === "string") : []),
    ...(typeof one["const"] === "string" ? [one["const"]] : []),
  ]);
  return {
    choices: [...new Set(choices)],
    isFree: here.some((one) => one["type"] === "string" && one["enum"] === undefined && one["const"] === undefined),
    isNumber: here.some(isNumberOutline),
    isSwitch: here.some((one) => one["type"] === "boolean" || typeof one["const"] === "boolean"),
    isMap: here.some((one) => one["properties"] !== undefined),
    isNamed: here.some((one) => typeof one["additionalProperties"] === "object" && one["properties"] === undefined),
    hasPlainItems: items.some(
      (one) => one["type"] === "string" || one["type"] === "integer" || one["enum"] !== undefined,
    ),
    hasNumberItems: items.some(isNumberOutline),
    itemsHoldBlanks: freeItems.some(mayHoldBlanks),
    hasItems: items.length > 0,
  };
}

function isNumberOutline(one: Outline): boolean {
  return one["type"] === "integer" || one["type"] === "number";
}

/** A schema does not say it of a text, but its examples show it; without any, a blank may be meant. */
function mayHoldBlanks({ examples }: Outline): boolean {
  return !Array.isArray(examples) || examples.some((example) => typeof example === "string" && /\s/.test(example));
}

export type FieldEdit =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "choice"; readonly value: string }
  | { readonly kind: "switch"; readonly on: boolean }
  | { readonly kind: "remove" };

export function editField(text: string, schema: Outline, path: Path, edit: FieldEdit): Result<string, string> {
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
      return writeLine(text, path, lineValue(typed, kindsAt(schema, path)));
    }
  }
}

/** A list stays the list that it is, item by item, with the comments between; it becomes a single word only where none is lost. */
function writeLine(text: string, path: Path, value: Json): Result<string, string> {
  const before = valueAt(text, path);
  if (!Array.isArray(before) || before.length === 0) return editDocument(text, { kind: "set", path, value });
  const items: readonly Json[] = before;
  if (Array.isArray(value) && value.length > 0) return editItems(text, path, items, value);
  const whole = editDocument(text, { kind: "set", path, value });
  return whole.ok || Array.isArray(value) ? whole : editItems(text, path, items, [value]);
}

/** What is the same at both ends stays; in between, items are set, then taken out or put in. */
function editItems(text: string, path: Path, before: readonly Json[], after: readonly Json[]): Result<string, string> {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  let edited: Result<string, string> = ok(text);
  const step = (edit: Edit): void => {
    if (edited.ok) edited = editDocument(edited.value, edit);
  };
  for (const [offset, value] of after.slice(head, after.length - tail).entries()) {
    const index = head + offset;
    if (index < before.length - tail) step({ kind: "set", path: [...path, index], value });
    else step({ kind: "insert", path, index, value });
  }
  for (let index = before.length - tail - 1; index >= after.length - tail; index -= 1)
    step({ kind: "remove", path: [...path, index] });
  return edited;
}

function lineValue(typed: string, kinds: Kinds): Json {
  const { hasPlainItems, hasNumberItems, isFree, isNumber, choices } = kinds;
  if (!hasPlainItems) return isNumber && !isFree ? numbered(typed) : typed;
  const words = wordsOf(typed, kinds);
  const [only] = words;
  // One that must be a list is one, however many words it has.
  const mayBeSingle = isFree || isNumber || choices.length > 0;
  if (mayBeSingle && words.length === 1 && only !== undefined) return isNumber ? numbered(only) : only;
  return hasNumberItems ? words.map(numbered) : words;
}

function wordsOf(line: string, { itemsHoldBlanks }: Kinds): readonly string[] {
  return line
    .split(itemsHoldBlanks ? "," : /[,\s]+/)
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

function numbered(word: string): string | number {
  return /^(0|[1-9]\d{0,9})$/.test(word) ? Number(word) : word;
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

export function addSetting(text: string, path: Path, value: Json): Result<string, string> {
  return editDocument(text, { kind: "set", path, value });
}

export function addItem(text: string, path: Path, index: number): Result<string, string> {
  return editDocument(text, { kind: "insert", path, index, value: {} });
}
