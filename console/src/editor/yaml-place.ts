import type { Path } from "@holdfast/core/policy/path.ts";

/** Where the cursor stands in a text that may be half written: decided by indentation alone, so that it works while nothing parses. */
export interface YamlPlace {
  /** The map or list that a key written here would belong to. */
  readonly path: Path;
  /** What is being written: a key of `path`, or the value of a key (then `path` ends with that key). */
  readonly what: "key" | "value";
  /** The part of it before the cursor. */
  readonly written: string;
}

const LINE = /^(?<indent> *)(?<dashes>(?:- +)*-?)(?<rest>.*)$/;
const KEY = /^(?<key>[A-Za-z_][\w.-]*|"[^"]*"):(?:\s+(?<value>.*))?$/;

interface Step {
  readonly indent: number;
  readonly part: string | number;
}

export function placeAt(text: string, offset: number): YamlPlace {
  const before = text.slice(0, offset).split("\n");
  const current = before.pop() ?? "";
  const open: Step[] = [];
  for (const line of before) {
    if (/^\s*(#|$)/.test(line)) continue;
    if (line.startsWith("---")) {
      open.length = 0;
      continue;
    }
    enter(open, line);
  }
  const found = LINE.exec(current);
  const { indent = "", dashes = "", rest = "" } = found?.groups ?? {};
  let column = indent.length;
  if (dashes !== "") {
    leave(open, column, true);
    for (const _ of dashes.matchAll(/-/g)) {
      open.push({ indent: column, part: 0 });
      column += 2;
    }
  } else {
    leave(open, column, false);
  }
  const path = open.map(({ part }) => part);
  const pair = KEY.exec(rest);
  if (pair?.groups !== undefined && pair.groups["value"] !== undefined) {
    return {
      path: [...path, unquoted(pair.groups["key"] ?? "")],
      what: "value",
      written: lastWord(pair.groups["value"]),
    };
  }
  // A bare word behind a dash may be a key of a map or the item itself; the caller offers what the schema has.
  return { path, what: "key", written: rest };
}

function enter(open: Step[], line: string): void {
  const { indent = "", dashes = "", rest = "" } = LINE.exec(line)?.groups ?? {};
  let column = indent.length;
  leave(open, column, dashes !== "");
  for (const _ of dashes.matchAll(/-/g)) {
    open.push({ indent: column, part: 0 });
    column += 2;
  }
  const key = KEY.exec(rest)?.groups?.["key"];
  if (key !== undefined) open.push({ indent: column, part: unquoted(key) });
}

/** A line ends whatever began at its column or right of it. A dash may stand in the column of its own key. */
function leave(open: Step[], column: number, isItem: boolean): void {
  for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
    const ends = last.indent > column || (last.indent === column && !(isItem && typeof last.part === "string"));
    if (!ends) return;
    open.pop();
  }
}

function unquoted(key: string): string {
  return key.startsWith('"') ? key.slice(1, -1) : key;
}

/** Inside `[a, b` only the last item is being written. */
function lastWord(value: string): string {
  return value.slice(Math.max(value.lastIndexOf("["), value.lastIndexOf(",")) + 1).trimStart();
}

/** The column where the line after this one begins: under its key, and two further in when the key has no value yet. */
export function indentAfter(line: string): number {
  const { indent = "", dashes = "", rest = "" } = LINE.exec(line)?.groups ?? {};
  return indent.length + dashes.length + (/:\s*(#.*)?$/.test(rest) ? 2 : 0);
}
