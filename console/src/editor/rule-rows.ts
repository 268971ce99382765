import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Result } from "@holdfast/core/base/result.ts";
import { editDocument } from "@holdfast/core/policy/edit.ts";
import type { Path } from "@holdfast/core/policy/path.ts";
import { readYaml } from "@holdfast/core/policy/yaml-source.ts";

/**
 * The rules of a policy's text as a table, and edits of the table as edits of the text. The text is the one truth:
 *   T1. Every edit goes through the syntax tree: bytes it does not concern stay, comments too.
 *   T2. What the table cannot show (a peer as a map) it shows as text and leaves alone.
 */
export const HOOKS = ["inbound", "forward", "outbound"] as const;
export type Hook = (typeof HOOKS)[number];
export const PLACES = ["first", "rules"] as const;
export type Place = (typeof PLACES)[number];
export const VERBS = ["allow", "reject", "drop"] as const;
export type Verb = (typeof VERBS)[number];

/** Cells that hold one or several words. */
export const WORD_CELLS = ["from", "to"] as const;
export type WordCell = (typeof WORD_CELLS)[number];

export interface RuleRow {
  readonly hook: Hook;
  readonly place: Place;
  readonly index: number;
  readonly name: string;
  readonly verb: Verb | null;
  readonly services: string;
  readonly from: Cell;
  readonly to: Cell;
  readonly why: string;
  readonly enabled: boolean;
  /** Limit, log and expiry in short: edited in the text. */
  readonly extras: readonly string[];
}

/** Null: not written. `editable: false`: more than words, edited in the text. */
export type Cell = { readonly text: string; readonly editable: boolean } | null;

export interface RuleSection {
  readonly hook: Hook;
  readonly fallback: string | null;
  readonly rows: readonly RuleRow[];
}

/** What the policy itself calls a list of addresses or services: its own words for `office`. */
export function definedNames(data: Json | undefined): ReadonlyMap<string, Cell> {
  const define = isData(data) ? data["define"] : undefined;
  return new Map(
    isData(define)
      ? Object.entries(define).flatMap(([name, words]) => (words === undefined ? [] : [[name, cellOf(words)] as const]))
      : [],
  );
}

export type Data = { readonly [key: string]: Json | undefined };

export function isData(value: Json | undefined): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Null: the text cannot be read as a policy now; mend it in the text first. */
export function ruleSections(text: string): readonly RuleSection[] | null {
  return sectionsOf(readYaml(text).data);
}

export function sectionsOf(data: Json | undefined): readonly RuleSection[] | null {
  if (!isData(data)) return null;
  const firewall = data["firewall"];
  if (!isData(firewall)) return [];
  return HOOKS.flatMap((hook): RuleSection[] => {
    const section = firewall[hook];
    if (!isData(section)) return [];
    const rows = PLACES.flatMap((place) => {
      const list = section[place];
      return Array.isArray(list)
        ? list.flatMap((rule: Json, index) => (isData(rule) ? [rowOf(hook, place, index, rule)] : []))
        : [];
    });
    return [{ hook, fallback: textOf(section["default"]), rows }];
  });
}

export function rowOf(hook: Hook, place: Place, index: number, rule: Data): RuleRow {
  const verb = VERBS.find((word) => rule[word] !== undefined) ?? null;
  const extras = (["limit", "log", "expires"] as const).flatMap((key) =>
    rule[key] === undefined ? [] : [`${key} ${shortText(rule[key])}`],
  );
  return {
    hook,
    place,
    index,
    name: textOf(rule["name"]) ?? "",
    verb,
    services: verb === null ? "" : (cellOf(rule[verb])?.text ?? ""),
    from: cellOf(rule["from"]),
    to: cellOf(rule["to"]),
    why: textOf(rule["why"]) ?? "",
    enabled: rule["enabled"] !== false,
    extras,
  };
}

function shortText(value: Json): string {
  if (isData(value))
    return Object.values(value)
      .flatMap((part) => (part === undefined ? [] : [shortText(part)]))
      .join(" / ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

function textOf(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}

export function cellOf(value: Json | undefined): Cell {
  if (value === undefined) return null;
  const list: readonly Json[] = Array.isArray(value) ? value : [value];
  if (list.every((item) => typeof item === "string")) return { text: list.join(", "), editable: true };
  return { text: JSON.stringify(value), editable: false };
}

/** `tcp/80, tcp/443` to a list; one word stays one word, as the language writes it. */
export function wordsToJson(text: string): Json {
  const words = text.split(/[,\s]+/).filter((word) => word !== "");
  const [only] = words;
  return words.length === 1 && only !== undefined ? only : words;
}

export function rulePath(row: Pick<RuleRow, "hook" | "place" | "index">): Path {
  return ["firewall", row.hook, row.place, row.index];
}

/** Within one rule. */
export type CellEdit =
  | { readonly kind: "name" | "services" | "from" | "to" | "why"; readonly text: string }
  | { readonly kind: "verb"; readonly verb: Verb }
  | { readonly kind: "enabled"; readonly enabled: boolean };

export type RuleEdit = CellEdit | { readonly kind: "remove" } | { readonly kind: "move"; readonly to: number };

/** @param path where the rule stands in this text */
export function editRule(
  text: string,
  row: RuleRow,
  edit: RuleEdit,
  path: Path = rulePath(row),
): Result<string, string> {
  switch (edit.kind) {
    case "name":
      return editDocument(text, { kind: "set", path: [...path, "name"], value: edit.text.trim() });
    case "services":
      return editDocument(text, { kind: "set", path: [...path, row.verb ?? "allow"], value: wordsToJson(edit.text) });
    case "from":
    case "to":
      return setOrRemove(
        text,
        [...path, edit.kind],
        edit.text.trim() === "" ? null : wordsToJson(edit.text),
        row[edit.kind] !== null,
      );
    case "why":
      return setOrRemove(text, [...path, "why"], edit.text.trim() === "" ? null : edit.text.trim(), row.why !== "");
    case "verb":
      return changeVerb(text, row, edit.verb, path);
    case "enabled":
      // Absent means enabled: the shortest text that says so.
      return setOrRemove(text, [...path, "enabled"], edit.enabled ? null : false, !row.enabled);
    case "remove":
      return editDocument(text, { kind: "remove", path });
    case "move":
      return editDocument(text, {
        kind: "move",
        path: path.slice(0, -1),
        from: Number(path.at(-1)),
        to: edit.to,
      });
  }
}

function setOrRemove(text: string, path: Path, value: Json | null, isThere: boolean): Result<string, string> {
  if (value !== null) return editDocument(text, { kind: "set", path, value });
  return isThere ? editDocument(text, { kind: "remove", path }) : { ok: true, value: text };
}

/** The verb is the key of the services, so one goes and the other comes, in one step for the reader. */
function changeVerb(text: string, row: RuleRow, verb: Verb, path: Path): Result<string, string> {
  if (verb === row.verb) return { ok: true, value: text };
  const services = row.services === "" ? "any" : wordsToJson(row.services);
  const added = editDocument(text, { kind: "set", path: [...path, verb], value: services });
  if (!added.ok || row.verb === null) return added;
  return editDocument(added.value, { kind: "remove", path: [...path, row.verb] });
}

/** A new rule, complete and valid, so that the table never holds half a rule; its author says then what it is for. */
export function newRule(hook: Hook, name: string): Json {
  switch (hook) {
    case "inbound":
      return { name, allow: "tcp/443", from: "any" };
    case "forward":
      return { name, allow: "tcp/443", from: "any", to: "any" };
    case "outbound":
      return { name, allow: "tcp/443", to: "any" };
  }
}

/** A name has 63 characters at most, and `-copy-10000` must have room. */
const COPIED_NAME = 50;

/** A name that is not there yet: `rule-1`, or `web-copy`, `web-copy-2`. */
export function freshName(rows: readonly Pick<RuleRow, "name">[], base: string | null = null): string {
  const taken = new Set(rows.map((row) => row.name));
  for (let number = 1; ; number += 1) {
    const name =
      base === null ? `rule-${number}` : `${base.slice(0, COPIED_NAME)}-copy${number === 1 ? "" : `-${number}`}`;
    if (!taken.has(name)) return name;
  }
}
