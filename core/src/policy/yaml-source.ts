import {
  Composer,
  type CST,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  Parser,
  type YAMLError,
} from "yaml";
import type { Json } from "../base/canonical-json.ts";
import type { Finding } from "../base/finding.ts";
import { type LanguageCode, languageFinding } from "./findings.ts";
import { formatPath, type Path } from "./path.ts";
import { trapOf } from "./yaml-trap.ts";

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where things stand in the text, by formatted path. A map or list stands at its key. */
export interface Positions {
  readonly values: ReadonlyMap<string, Position>;
  readonly keys: ReadonlyMap<string, Position>;
}

/** The nearest place that the text has for a path: the thing itself, else what should hold it. */
export function locate(positions: Positions, path: Path, what: "key" | "value" = "value"): Position | undefined {
  if (what === "key") {
    const key = positions.keys.get(formatPath(path));
    if (key !== undefined) return key;
  }
  for (let length = path.length; length >= 0; length -= 1) {
    const found = positions.values.get(formatPath(path.slice(0, length)));
    if (found !== undefined) return found;
  }
  return undefined;
}

export interface YamlSource {
  /** Undefined when there is nothing but comments, or when an error left no data to speak of. */
  readonly data: Json | undefined;
  readonly positions: Positions;
  readonly findings: readonly Finding[];
}

/** Deepest nesting. The deepest real place is a match inside a rule in a list in a section: nine. */
const MAX_DEPTH = 32;

/**
 * Composer options for every reader of this room: YAML 1.2 core, and nothing resolved behind the author's back.
 * Duplicate keys and merge keys are found here, with their path, rather than by the library.
 */
export const YAML_OPTIONS = {
  version: "1.2",
  schema: "core",
  uniqueKeys: false,
  merge: false,
  strict: true,
  keepSourceTokens: true,
  prettyErrors: false,
  logLevel: "silent",
} as const;

/**
 * Reads one document of YAML to plain data, refusing whatever two readers could take for different things, and whatever the language does
 * without: anchors, aliases, tags, merge keys, null.
 *
 * @param line 0-based line of the file on which the text begins
 */
export function readYaml(text: string, line = 0): YamlSource {
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const found = lines.linePos(offset);
    return { line: found.line + line, column: found.col };
  };
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const findings: Finding[] = [];
  const positions = { values: new Map<string, Position>(), keys: new Map<string, Position>() };

  for (const refusal of refusedTokens(tokens))
    findings.push(languageFinding(refusal.code, refusal.message, at(refusal.offset)));
  if (findings.length > 0) return { data: undefined, positions, findings: findings.toSorted(byPlace) };

  const [document] = [...new Composer(YAML_OPTIONS).compose(tokens)];
  if (document === undefined || document.contents === null) return { data: undefined, positions, findings };
  for (const error of document.errors)
    findings.push(languageFinding("policy.yaml_syntax", syntaxMessage(error), at(error.pos[0])));
  if (findings.length > 0) return { data: undefined, positions, findings };
  if (isOnlyComments(document.contents)) return { data: undefined, positions, findings };

  const data = new Reader(at, findings, positions).read(document.contents, [], at(document.contents.range[0]));
  return { data, positions, findings };
}

/** Owns the walk over one syntax tree: findings and positions are collected as it goes. */
class Reader {
  readonly #at: (offset: number) => Position;
  readonly #findings: Finding[];
  readonly #positions: { readonly values: Map<string, Position>; readonly keys: Map<string, Position> };

  constructor(
    at: (offset: number) => Position,
    findings: Finding[],
    positions: { values: Map<string, Position>; keys: Map<string, Position> },
  ) {
    this.#at = at;
    this.#findings = findings;
    this.#positions = positions;
  }

  /** @param place where the thing stands for people: its own beginning, or its key when it is a map or a list */
  read(node: Node | null, path: Path, place: Position): Json {
    if (node === null) return this.#refuse("policy.null", "There is no value here.", path, place);
    this.#positions.values.set(formatPath(path), isScalar(node) && node.range ? this.#at(node.range[0]) : place);
    const own = node.range ? this.#at(node.range[0]) : place;
    if (isScalar(node)) return this.#scalar(node.value, node.type === "PLAIN" ? (node.source ?? "") : null, path, own);
    if (isSeq(node)) {
      return node.items.map((item, index) =>
        this.read(item as Node | null, [...path, index], offsetOf(item as Node | null, this.#at) ?? place),
      );
    }
    // Aliases never come here: their tokens are refused before anything is composed.
    if (!isMap(node)) throw new Error("a syntax tree of scalars, maps and lists holds something else");
    const entries: [string, Json][] = [];
    const seen = new Set<string>();
    for (const pair of node.items) {
      const key = this.#key(pair.key as Node | null, path, place, pair.srcToken);
      if (key === null) continue;
      const keyPath = [...path, key.text];
      if (seen.has(key.text)) {
        this.#refuse(
          "policy.duplicate_key",
          `The key ${short(key.text)} stands twice in this map.`,
          keyPath,
          key.position,
        );
        continue;
      }
      seen.add(key.text);
      this.#positions.keys.set(formatPath(keyPath), key.position);
      entries.push([key.text, this.read(pair.value as Node | null, keyPath, key.position)]);
    }
    return Object.fromEntries(entries);
  }

  #key(
    node: Node | null,
    path: Path,
    place: Position,
    source: CST.CollectionItem | undefined,
  ): { readonly text: string; readonly position: Position } | null {
    const position = offsetOf(node, this.#at) ?? place;
    if (source?.start.some((token) => token.type === "explicit-key-ind") === true) {
      this.#refuse("policy.explicit_key", "A key is written with `?` here.", path, position);
      return null;
    }
    if (!isScalar(node)) {
      this.#refuse(
        node === null ? "policy.null" : "policy.explicit_key",
        node === null ? "A key is empty." : "A key is not a single word here.",
        path,
        position,
      );
      return null;
    }
    const plain = node.type === "PLAIN" ? (node.source ?? "") : null;
    if (plain === "<<") {
      this.#refuse("policy.merge_key", "<< is a merge key.", path, position);
      return null;
    }
    const trap = plain === null ? null : trapOf(plain);
    if (trap !== null) {
      this.#refuse(
        "policy.read_differently",
        `${short(plain)} as a key ${trap.why}.`,
        path,
        position,
        "Put the key in quotes.",
      );
      return null;
    }
    if (typeof node.value !== "string") {
      this.#refuse(
        node.value === null ? "policy.null" : "policy.key_not_text",
        `The key ${short(plain ?? "")} is not text.`,
        path,
        position,
      );
      return null;
    }
    if (node.value === "__proto__") {
      // A schema's records would leave it out without a word.
      this.#refuse(
        "policy.unknown_key",
        "__proto__ is no name that anything can have.",
        [...path, node.value],
        position,
      );
      return null;
    }
    return { text: node.value, position };
  }

  #scalar(value: unknown, plain: string | null, path: Path, place: Position): Json {
    const trap = plain === null ? null : trapOf(plain);
    if (trap !== null)
      return this.#refuse("policy.read_differently", `${short(plain)} ${trap.why}.`, path, place, trap.remedy);
    if (typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number" && Number.isSafeInteger(value)) return value;
    if (value === null || value === undefined) {
      return this.#refuse(
        "policy.null",
        plain === "" || plain === null ? "There is no value here." : `${plain} means "no value".`,
        path,
        place,
      );
    }
    return this.#refuse(
      "policy.number",
      `${short(plain ?? "This")} is not a whole number that can be held exactly.`,
      path,
      place,
    );
  }

  #refuse(code: LanguageCode, message: string, path: Path, place: Position, remedy?: string): null {
    this.#findings.push(
      languageFinding(code, message, { path: formatPath(path), ...place, ...(remedy === undefined ? {} : { remedy }) }),
    );
    return null;
  }
}

function offsetOf(node: Node | null, at: (offset: number) => Position): Position | undefined {
  return node?.range ? at(node.range[0]) : undefined;
}

function isOnlyComments(node: ParsedNode): boolean {
  return isScalar(node) && node.value === null && node.source === "";
}

/** Enough of a text to recognise it by. */
function short(text: string | null): string {
  return text === null || text.length <= 64 ? (text ?? "") : `${text.slice(0, 60)}…`;
}

interface Refusal {
  readonly code: LanguageCode;
  readonly message: string;
  readonly offset: number;
}

/** What the tokens alone show to be refused. Iterative: the depth is part of what is in question. */
function refusedTokens(tokens: readonly CST.Token[]): readonly Refusal[] {
  const refusals: Refusal[] = [];
  const open: { readonly token: CST.Token; readonly depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    const push = (inner: readonly CST.Token[] | undefined): void => {
      for (const one of inner ?? []) open.push({ token: one, depth });
    };
    const refusal = refusalOf(token);
    if (refusal !== null) refusals.push({ ...refusal, offset: token.offset });
    if (token.type === "document") {
      push(token.start);
      if (token.value !== undefined) push([token.value]);
    }
    if (token.type === "block-scalar") push(token.props);
    if (!("items" in token)) continue;
    if (depth >= MAX_DEPTH) {
      return [
        {
          code: "policy.too_deep",
          message: `The document is nested more than ${MAX_DEPTH} levels deep.`,
          offset: token.offset,
        },
      ];
    }
    for (const item of token.items) {
      push(item.start);
      push(item.sep);
      if (item.key !== undefined && item.key !== null) open.push({ token: item.key, depth: depth + 1 });
      if (item.value !== undefined) open.push({ token: item.value, depth: depth + 1 });
    }
  }
  return refusals;
}

function refusalOf(token: CST.Token): { readonly code: LanguageCode; readonly message: string } | null {
  if (token.type === "directive")
    return { code: "policy.directive", message: `${token.source.trim()} is a YAML directive.` };
  if (token.type === "doc-end") return { code: "policy.document_end", message: "This line ends the document early." };
  if (token.type === "anchor") return { code: "policy.anchor", message: `${token.source} is an anchor.` };
  if (token.type === "alias") return { code: "policy.alias", message: `${token.source} is an alias.` };
  if (token.type === "tag") return { code: "policy.tag", message: `${token.source} is a tag.` };
  return null;
}

/** In reading order. */
export function byPlace(a: Finding, b: Finding): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

function syntaxMessage(error: YAMLError): string {
  switch (error.code) {
    case "TAB_AS_INDENT":
      return "A tab is used for indentation; YAML takes spaces only.";
    case "BAD_INDENT":
      return "The indentation does not fit the lines around it.";
    case "MISSING_CHAR":
      return `Something is missing here: ${error.message}.`;
    case "BLOCK_AS_IMPLICIT_KEY":
      return 'There are two keys on one line; a text with ": " in it needs quotes.';
    case "MULTILINE_IMPLICIT_KEY":
      return "A key runs over several lines; a colon is probably missing.";
    case "BAD_DQ_ESCAPE":
      return `A double-quoted text has a bad escape: ${error.message}.`;
    case "BAD_SCALAR_START":
      return "A text that begins with this character needs quotes.";
    case "ALIAS_PROPS":
    case "BAD_ALIAS":
    case "BAD_DIRECTIVE":
    case "BAD_PROP_ORDER":
    case "BLOCK_IN_FLOW":
    case "DUPLICATE_KEY":
    case "IMPOSSIBLE":
    case "KEY_OVER_1024_CHARS":
    case "MULTIPLE_ANCHORS":
    case "MULTIPLE_DOCS":
    case "MULTIPLE_TAGS":
    case "NON_STRING_KEY":
    case "RESOURCE_EXHAUSTION":
    case "TAG_RESOLVE_FAILED":
    case "UNEXPECTED_TOKEN":
    case "BAD_COLLECTION_TYPE":
      return `This is not YAML: ${error.message}.`;
  }
}
