import {
  Composer,
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { canonicalJson, type Json } from "../base/canonical-json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { commentsOf, commentWithin, type Stretch } from "./edit-comments.ts";
import { type Edit, editData } from "./edit-data.ts";
import { renderBlock, renderFlow, renderPair } from "./edit-render.ts";
import { formatPath, type Path } from "./path.ts";
import { splitStream } from "./stream.ts";
import { readYaml, YAML_OPTIONS } from "./yaml-source.ts";

interface Splice extends Stretch {
  readonly text: string;
}

interface Scene {
  readonly text: string;
  readonly eol: string;
  readonly document: Document.Parsed;
  readonly comments: readonly Stretch[];
}

/**
 * Edits the text of one document in its syntax tree: everything that the edit does not concern stays byte for byte, comments too. The result
 * is read again and compared with the same edit done to the data; a text that cannot be edited so is refused, never half edited. A new value
 * that would take the place of comments is refused as well: only a removal takes the comments of what it removes with it.
 */
export function editDocument(text: string, edit: Edit): Result<string, string> {
  const slices = splitStream(text);
  const own = slices.filter((slice) => readYaml(slice.text).data !== undefined);
  const [slice] = own;
  if (slice === undefined || own.length > 1)
    return err(`an edit needs a text with one document; this one has ${own.length}`);
  const source = readYaml(slice.text);
  if (source.data === undefined || source.findings.length > 0)
    return err("the document has errors; mend them in the text first");
  const expected = editData(source.data, edit);
  if (!expected.ok) return expected;
  const tokens = [...new Parser(new LineCounter().addNewLine).parse(slice.text)];
  const [document] = [...new Composer(YAML_OPTIONS).compose(tokens)];
  if (document === undefined) return err("an edit needs a text with one document");
  const eol = slice.text.includes("\r\n") ? "\r\n" : "\n";
  const scene: Scene = { text: slice.text, eol, document, comments: commentsOf(tokens) };
  const splices = splicesFor(scene, edit);
  if (!splices.ok) return splices;
  if (edit.kind === "set") {
    const lost = splices.value.map((one) => commentWithin(scene.comments, one)).find((one) => one !== undefined);
    if (lost !== undefined) return err(losesComment(scene, edit.path, lost));
  }
  const edited = splice(slice.text, splices.value);
  const read = readYaml(edited);
  if (
    read.findings.length > 0 ||
    read.data === undefined ||
    canonicalJson(read.data) !== canonicalJson(expected.value)
  ) {
    return err(`${formatPath(edit.path)} is written in a way that a form cannot edit; edit the text`);
  }
  return ok(text.slice(0, slice.offset) + edited + text.slice(slice.offset + slice.text.length));
}

function splicesFor(scene: Scene, edit: Edit): Result<readonly Splice[], string> {
  switch (edit.kind) {
    case "set":
      return set(scene, edit.path, edit.value);
    case "insert":
      return insert(scene, edit.path, edit.index, [edit.value]);
    case "remove":
      return remove(scene, edit.path);
    case "move":
      return move(scene, edit);
  }
}

function set(scene: Scene, path: Path, value: Json): Result<readonly Splice[], string> {
  // Up to the deepest place that is there; what is missing below becomes part of the value.
  let depth = path.length;
  while (depth > 0 && !scene.document.hasIn(path.slice(0, depth))) depth -= 1;
  if (depth < path.length) {
    const holder = nodeAt(scene, path.slice(0, depth));
    const key = path[depth];
    if (!isMap(holder) || typeof key !== "string") return err(`there is no map around ${formatPath(path)}`);
    const missing = path.slice(depth + 1).reduceRight<Json>((inner, part) => ({ [part]: inner }), value);
    return ok([addPair(scene, holder, path.slice(0, depth), key, missing)]);
  }
  const node = nodeAt(scene, path);
  if (node === null) return err(`there is nothing at ${formatPath(path)}`);
  const range = rangeOf(node);
  const key = path.at(-1);
  const end = contentEnd(scene, node);
  // A block value is written anew from its key on: nothing of the old one may be left between.
  if (typeof key === "string" && !isFlow(scene, path)) {
    const pair = pairAt(scene, path);
    const start = keyOf(pair);
    const [keyStart, keyEnd] = rangeOf(start);
    const rendered = renderBlock(value, columnOf(scene.text, keyStart) + 2, scene.eol);
    if (rendered.inline && !isBlockCollection(node) && !isBlockScalar(node))
      return ok([{ start: range[0], end, text: rendered.text }]);
    const colon = scene.text.indexOf(":", keyEnd) + 1;
    const text = rendered.inline
      ? ` ${rendered.text}`
      : `${scene.eol}${" ".repeat(columnOf(scene.text, keyStart) + 2)}${rendered.text}`;
    return ok([{ start: colon, end, text }]);
  }
  if (isFlow(scene, path) || !isBlockCollection(node)) return ok([{ start: range[0], end, text: renderFlow(value) }]);
  return ok([{ start: range[0], end, text: renderBlock(value, columnOf(scene.text, range[0]), scene.eol).text }]);
}

function addPair(scene: Scene, map: YAMLMap, path: Path, key: string, value: Json): Splice {
  const range = rangeOf(map);
  const last = map.items.at(-1);
  if (map.flow === true) {
    if (last === undefined && !isInFlow(scene, path))
      return replaceEmpty(scene, map, path, (indent) => renderPair(key, value, indent, scene.eol));
    const pair = renderFlow({ [key]: value }).slice(2, -2);
    if (last === undefined) return { start: range[0], end: range[1], text: `{ ${pair} }` };
    return { start: pairEnd(scene, last), end: pairEnd(scene, last), text: `, ${pair}` };
  }
  const first = map.items[0];
  const indent = first === undefined ? 0 : columnOf(scene.text, rangeOf(keyOf(first))[0]);
  const at = last === undefined ? range[1] : lineEnd(scene.text, pairEnd(scene, last));
  return afterLine(scene, at, `${" ".repeat(indent)}${renderPair(key, value, indent, scene.eol)}`);
}

function insert(scene: Scene, path: Path, index: number, values: readonly [Json]): Result<readonly Splice[], string> {
  const list = nodeAt(scene, path);
  if (!isSeq(list)) return err(`${formatPath(path)} is not a list`);
  const [value] = values;
  const range = rangeOf(list);
  const next = list.items[index] as Node | undefined;
  const previous = list.items[index - 1] as Node | undefined;
  if (list.flow === true) {
    if (list.items.length === 0 && !isInFlow(scene, path))
      return ok([replaceEmpty(scene, list, path, (indent) => `- ${renderBlock(value, indent + 2, scene.eol).text}`)]);
    if (next !== undefined)
      return ok([{ start: rangeOf(next)[0], end: rangeOf(next)[0], text: `${renderFlow(value)}, ` }]);
    if (previous !== undefined)
      return ok([
        { start: contentEnd(scene, previous), end: contentEnd(scene, previous), text: `, ${renderFlow(value)}` },
      ]);
    return ok([{ start: range[0], end: range[1], text: `[${renderFlow(value)}]` }]);
  }
  const indent = columnOf(scene.text, range[0]);
  const lines = `${" ".repeat(indent)}- ${renderBlock(value, indent + 2, scene.eol).text}`;
  if (next !== undefined) {
    const block = itemBlock(scene, list, index);
    if (block === null) return err(`${formatPath(path)} begins in the middle of a line; edit the text`);
    return ok([{ start: block.start, end: block.start, text: `${lines}${scene.eol}` }]);
  }
  return ok([
    afterLine(scene, previous === undefined ? range[1] : lineEnd(scene.text, contentEnd(scene, previous)), lines),
  ]);
}

function remove(scene: Scene, path: Path): Result<readonly Splice[], string> {
  const holder = nodeAt(scene, path.slice(0, -1));
  const last = path.at(-1);
  if (!isMap(holder) && !isSeq(holder)) return err(`there is nothing at ${formatPath(path)}`);
  const index = isSeq(holder)
    ? Number(last)
    : holder.items.findIndex((pair) => isScalar(pair.key) && pair.key.value === last);
  const span = spanAt(scene, holder, index);
  if (span === null) return err(`there is nothing at ${formatPath(path)}`);
  const empty = isSeq(holder) ? "[]" : "{}";
  if (holder.items.length === 1) return ok([becomeEmpty(scene, holder, path.slice(0, -1), empty)]);
  if (holder.flow !== true) {
    const block = itemBlock(scene, holder, index);
    if (block !== null) return ok([{ start: block.start, end: block.end, text: "" }]);
  }
  // In a flow collection, or the first key behind a dash: the span up to the neighbour.
  const next = spanAt(scene, holder, index + 1);
  if (next !== null) return ok([{ start: span.start, end: next.start, text: "" }]);
  const previous = spanAt(scene, holder, index - 1);
  if (previous === null) return err(`there is nothing at ${formatPath(path)}`);
  // What stands between the two speaks of the one that stays.
  const between = commentWithin(scene.comments, { start: previous.end, end: span.start });
  return between === undefined
    ? ok([{ start: previous.end, end: span.end, text: "" }])
    : err(losesComment(scene, path, between));
}

function losesComment({ text }: Scene, path: Path, { start, end }: Stretch): string {
  return `the comment "${text.slice(start, end)}" at ${formatPath(path)} would be lost; edit it in the text`;
}

function move(scene: Scene, edit: Extract<Edit, { kind: "move" }>): Result<readonly Splice[], string> {
  const list = nodeAt(scene, edit.path);
  if (!isSeq(list)) return err(`${formatPath(edit.path)} is not a list`);
  if (edit.from === edit.to) return ok([]);
  const target = edit.to > edit.from ? edit.to + 1 : edit.to;
  if (list.flow === true) {
    // The texts of the items are put in their new order; what stands between them stays where it is.
    const spans = list.items.map((_, index) => spanAt(scene, list, index)).filter((span) => span !== null);
    const texts = spans.map((span) => scene.text.slice(span.start, span.end));
    const moved = texts[edit.from];
    if (moved === undefined) return err(`there is no item ${edit.from} in ${formatPath(edit.path)}`);
    const order = texts.toSpliced(edit.from, 1).toSpliced(edit.to, 0, moved);
    return ok(spans.map((span, index) => ({ ...span, text: order[index] ?? "" })));
  }
  const own = itemBlock(scene, list, edit.from);
  const before = target < list.items.length ? itemBlock(scene, list, target) : null;
  const last = itemBlock(scene, list, list.items.length - 1);
  if (own === null || last === null || (target < list.items.length && before === null))
    return err(`${formatPath(edit.path)} begins in the middle of a line; edit the text`);
  const text = scene.text.slice(own.start, own.end);
  const at = before === null ? last.end : before.start;
  // The last line of a text may have no end of line; a line in the middle needs one.
  const open = !text.endsWith("\n");
  const cut: Splice = { start: own.start, end: own.end, text: "" };
  if (open)
    return ok([
      { start: own.start, end: own.end, text: "" },
      { start: at, end: at, text: `${text}${scene.eol}` },
    ]);
  const needsLine = at === scene.text.length && !scene.text.endsWith("\n");
  return ok([cut, { start: at, end: at, text: needsLine ? `${scene.eol}${text}` : text }]);
}

/** Whole lines of an item of a block collection, the comment lines directly above it included; null when it shares its first line. */
function itemBlock(scene: Scene, holder: YAMLMap | YAMLSeq, index: number): Stretch | null {
  const span = spanAt(scene, holder, index);
  if (span === null) return null;
  const head = isSeq(holder) ? scene.text.lastIndexOf("-", span.start - 1) : span.start;
  let start = lineStart(scene.text, head);
  if (scene.text.slice(start, head).trim() !== "") return null;
  const indent = head - start;
  // The first item's comment may speak of the whole list, so it stays.
  while (index > 0 && start > 0) {
    const above = lineStart(scene.text, start - 1);
    const line = scene.text.slice(above, start);
    if (!line.trimStart().startsWith("#") || line.length - line.trimStart().length !== indent) break;
    start = above;
  }
  const end = lineEnd(scene.text, span.end);
  return { start, end: scene.text[end] === "\n" ? end + 1 : end };
}

function spanAt(scene: Scene, holder: YAMLMap | YAMLSeq, index: number): Stretch | null {
  const item = holder.items[index];
  if (item === undefined) return null;
  if (isSeq(holder)) {
    const node = item as Node;
    return { start: rangeOf(node)[0], end: contentEnd(scene, node) };
  }
  const pair = item as Pair;
  return { start: rangeOf(keyOf(pair))[0], end: pairEnd(scene, pair) };
}

/** A collection whose last member goes: it stays, empty, and the comments behind its lines with it. */
function becomeEmpty(scene: Scene, holder: YAMLMap | YAMLSeq, path: Path, empty: string): Splice {
  const end = contentEnd(scene, holder);
  const start = rangeOf(holder)[0];
  if (holder.flow === true || path.length === 0 || typeof path.at(-1) === "number") return { start, end, text: empty };
  const key = keyOf(pairAt(scene, path));
  const colon = scene.text.indexOf(":", rangeOf(key)[1]) + 1;
  return { start: colon, end, text: ` ${empty}` };
}

/** An empty `[]` or `{}` in a block gets its first member on a line of its own. */
function replaceEmpty(scene: Scene, node: YAMLMap | YAMLSeq, path: Path, render: (indent: number) => string): Splice {
  const [start, end] = rangeOf(node);
  const key = typeof path.at(-1) === "string" ? keyOf(pairAt(scene, path)) : null;
  if (key === null) {
    const column = columnOf(scene.text, start);
    return { start, end, text: render(column) };
  }
  const indent = columnOf(scene.text, rangeOf(key)[0]) + 2;
  const rest = scene.text.slice(end, lineEnd(scene.text, end));
  const colon = scene.text.indexOf(":", rangeOf(key)[1]) + 1;
  return {
    start: colon,
    end: end + rest.length,
    text: `${rest.trimEnd()}${scene.eol}${" ".repeat(indent)}${render(indent)}`,
  };
}

function afterLine(scene: Scene, at: number, lines: string): Splice {
  if (scene.text[at] === "\n") return { start: at + 1, end: at + 1, text: `${lines}${scene.eol}` };
  const begun = at > 0 && scene.text[at - 1] !== "\n";
  return { start: at, end: at, text: `${begun ? scene.eol : ""}${lines}${scene.eol}` };
}

function splice(text: string, splices: readonly Splice[]): string {
  let edited = text;
  // From the end, so that the offsets before stay true.
  for (const one of splices.toSorted((a, b) => b.start - a.start))
    edited = edited.slice(0, one.start) + one.text + edited.slice(one.end);
  return edited;
}

/** Where the content of a node ends: trailing comments and empty lines are not part of it. */
function contentEnd(scene: Scene, node: Node): number {
  if (isScalar(node) || (isMap(node) && node.flow === true) || (isSeq(node) && node.flow === true)) {
    const end = rangeOf(node)[1];
    return isBlockScalar(node) && scene.text[end - 1] === "\n" ? end - 1 : end;
  }
  if (isSeq(node)) {
    const last = node.items.at(-1) as Node | undefined;
    return last === undefined ? rangeOf(node)[1] : contentEnd(scene, last);
  }
  if (isMap(node)) {
    const last = node.items.at(-1);
    return last === undefined ? rangeOf(node)[1] : pairEnd(scene, last);
  }
  return rangeOf(node)[1];
}

function pairEnd(scene: Scene, pair: Pair): number {
  return contentEnd(scene, (pair.value ?? pair.key) as Node);
}

function isFlow(scene: Scene, path: Path): boolean {
  return isInFlow(scene, path.slice(0, -1));
}

/** True when the place at a path stands inside `[]` or `{}`. */
function isInFlow(scene: Scene, path: Path): boolean {
  for (let depth = 0; depth <= path.length; depth += 1) {
    const node = nodeAt(scene, path.slice(0, depth));
    if ((isMap(node) || isSeq(node)) && node.flow === true && !(depth === path.length && node.items.length === 0))
      return true;
  }
  return false;
}

function isBlockCollection(node: Node): boolean {
  return (isMap(node) || isSeq(node)) && node.flow !== true;
}

function isBlockScalar(node: Node): boolean {
  return isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED");
}

function nodeAt(scene: Scene, path: Path): Node | null {
  const node = path.length === 0 ? scene.document.contents : scene.document.getIn(path, true);
  return (node ?? null) as Node | null;
}

function pairAt(scene: Scene, path: Path): Pair | undefined {
  const holder = nodeAt(scene, path.slice(0, -1));
  return isMap(holder) ? holder.items.find((pair) => isScalar(pair.key) && pair.key.value === path.at(-1)) : undefined;
}

function keyOf(pair: Pair | undefined): Node | null {
  return (pair?.key ?? null) as Node | null;
}

function rangeOf(node: Node | null): readonly [number, number, number] {
  // Every node of a parsed text has its range; only nodes made by hand have none.
  const range = node?.range ?? null;
  if (range === null) throw new Error("a node of a parsed document has no range");
  return range;
}

function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

/** Offset of the end of line at or behind an offset, or the length of the text. */
function lineEnd(text: string, offset: number): number {
  const found = text.indexOf("\n", offset);
  return found === -1 ? text.length : found;
}
