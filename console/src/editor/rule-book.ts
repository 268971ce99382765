import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { Edit } from "@holdfast/core/policy/edit-data.ts";
import { editDocument } from "@holdfast/core/policy/edit.ts";
import { formatPath, type Path } from "@holdfast/core/policy/path.ts";
import { splitStream } from "@holdfast/core/policy/stream.ts";
import { readYaml } from "@holdfast/core/policy/yaml-source.ts";
import { cutList, lineStartsOf } from "./rule-cut.ts";
import {
  type Cell,
  type CellEdit,
  definedNames,
  editRule,
  freshName,
  type Hook,
  isData,
  newRule,
  type Place,
  PLACES,
  rowOf,
  type RuleRow,
  rulePath,
  sectionsOf,
  wordsToJson,
} from "./rule-rows.ts";

/**
 * The rules of a text, cut into pieces, so that an edit reads the rule that it concerns and not ten thousand others.
 *   B1. The pieces joined are the text, byte for byte.
 *   B2. An edit of a book gives the text that the same edit of the whole text gives (a test compares them): the same words refuse it, and
 *       the same comments stay.
 *   B3. What cannot be cut (a list on one line, a text with errors) is edited as a whole: slower, and never differently.
 */
export interface RuleBook {
  readonly text: string;
  readonly sections: readonly { readonly hook: Hook; readonly fallback: string | null }[];
  readonly lists: readonly RuleList[];
  /** What the policy itself calls a list of addresses or services. */
  readonly names: ReadonlyMap<string, Cell>;
  /** Behind the last list that is cut. */
  readonly tail: string;
  readonly nextId: number;
}

export interface RuleList {
  readonly hook: Hook;
  readonly place: Place;
  /** In the order of the text. Null: this list is not cut. */
  readonly cut: { readonly order: number; readonly before: string } | null;
  readonly items: readonly RuleItem[];
}

export interface RuleItem {
  /** Stays with the rule while it is moved and changed. */
  readonly id: number;
  readonly row: RuleRow;
  /** Its lines, where the list is cut. */
  readonly text: string;
}

/** Null: the text cannot be read as a policy now; mend it in the text first. */
export function readRuleBook(text: string, firstId = 0): RuleBook | null {
  const { data, positions, findings } = readYaml(text);
  const sections = sectionsOf(data);
  if (sections === null) return null;
  const isCut = findings.length === 0 && splitStream(text).length === 1;
  const lineStarts = lineStartsOf(text);
  let nextId = firstId;
  const found = sections.flatMap(({ hook, rows }) =>
    PLACES.flatMap((place) => {
      const own = rows.filter((row) => row.place === place);
      if (own.length === 0) return [];
      // A list that holds something else than rules has rows that do not follow each other.
      const follow = own.every((row, index) => row.index === index);
      const path = ["firewall", hook, place];
      const cut = isCut && follow ? cutList(text, lineStarts, positions, path, own.length) : null;
      const isAll = cut !== null && !positions.values.has(formatPath([...path, own.length]));
      return [{ hook, place, own, cut: isAll ? cut : null }];
    }),
  );
  const inOrder = found
    .flatMap(({ cut }) => (cut === null ? [] : [cut]))
    .toSorted((a, b) => (a.starts[0] ?? 0) - (b.starts[0] ?? 0));
  const lists = found.map(({ hook, place, own, cut }): RuleList => {
    const order = cut === null ? -1 : inOrder.indexOf(cut);
    return {
      hook,
      place,
      cut: cut === null ? null : { order, before: text.slice(inOrder[order - 1]?.end ?? 0, cut.starts[0]) },
      items: own.map((row, index) => ({
        id: nextId++,
        row,
        text: cut === null ? "" : text.slice(cut.starts[index], cut.starts[index + 1] ?? cut.end),
      })),
    };
  });
  return {
    text,
    sections: sections.map(({ hook, fallback }) => ({ hook, fallback })),
    lists,
    names: definedNames(data),
    tail: text.slice(inOrder.at(-1)?.end ?? 0),
    nextId,
  };
}

function listOf(book: RuleBook, id: number): { readonly list: RuleList; readonly index: number } | null {
  for (const list of book.lists) {
    const index = list.items.findIndex((item) => item.id === id);
    if (index >= 0) return { list, index };
  }
  return null;
}

/** The same edit of one rule or of many; the first refusal refuses all of it. */
export function editCells(book: RuleBook, ids: readonly number[], edit: CellEdit): Result<RuleBook, string> {
  const wanted = new Set(ids);
  let edited: Result<RuleBook, string> = ok(book);
  for (const { hook, place, cut } of book.lists) {
    if (!edited.ok) return edited;
    const now: RuleBook = edited.value;
    const list = now.lists.find((one) => one.hook === hook && one.place === place);
    if (list === undefined || !list.items.some(({ id }) => wanted.has(id))) continue;
    edited = cut === null ? editUncut(now, list, wanted, edit) : editEach(now, list, wanted, edit);
  }
  return edited;
}

function editUncut(
  book: RuleBook,
  list: RuleList,
  wanted: ReadonlySet<number>,
  edit: CellEdit,
): Result<RuleBook, string> {
  let text: Result<string, string> = ok(book.text);
  for (const { id, row } of list.items) if (wanted.has(id) && text.ok) text = editRule(text.value, row, edit);
  return text.ok ? readAgain(book, text.value) : text;
}

function editEach(
  book: RuleBook,
  list: RuleList,
  wanted: ReadonlySet<number>,
  edit: CellEdit,
): Result<RuleBook, string> {
  const items: RuleItem[] = [];
  for (const item of list.items) {
    if (!wanted.has(item.id)) {
      items.push(item);
      continue;
    }
    const alone = `${headOf(book)}${item.text}`;
    const edited = editRule(alone, item.row, edit, [HEAD, 0]);
    if (!edited.ok) return err(inPlace(edited.error, item.row));
    const read = readAlone(edited.value, list);
    const [only] = read?.items ?? [];
    if (read?.items.length !== 1 || only === undefined) return editUncut(book, list, wanted, edit);
    items.push({ id: item.id, row: { ...only.row, index: item.row.index }, text: read.lead + only.text });
  }
  return ok(withList(book, { ...list, items }));
}

export function removeRule(book: RuleBook, id: number): Result<RuleBook, string> {
  const found = listOf(book, id);
  if (found === null) return ok(book);
  const { list, index } = found;
  const whole: Edit = { kind: "remove", path: rulePath({ ...list, index }) };
  // The last one leaves `[]` where the list began: that is not within its lines.
  if (list.items.length === 1) return editWhole(book, whole);
  return editList(book, list, [index - 1, index, index + 1], whole, (at, path) => ({
    kind: "remove",
    path: [...path, at(index)],
  }));
}

/** @param to the place in its list that it has afterwards */
export function moveRule(book: RuleBook, id: number, to: number): Result<RuleBook, string> {
  const found = listOf(book, id);
  if (found === null || found.index === to || to < 0 || to >= found.list.items.length) return ok(book);
  const { list, index } = found;
  const around = [index - 1, index, index + 1, to - 1, to, to + 1];
  return editList(
    book,
    list,
    around,
    { kind: "move", path: rulePath({ ...list, index: 0 }).slice(0, -1), from: index, to },
    (at, path) => ({ kind: "move", path, from: at(index), to: at(to) }),
  );
}

/** The same rule below itself, under a name of its own: behind its twin it does nothing until somebody changes it. */
export function copyRule(book: RuleBook, id: number): Result<RuleBook, string> {
  const found = listOf(book, id);
  if (found === null) return ok(book);
  const { list, index } = found;
  const item = list.items[index];
  const rule = item === undefined || list.cut === null ? wholeRule(book, list, index) : aloneRule(book, item);
  if (rule === null) return err(`there is nothing at ${formatPath(rulePath({ ...list, index }))}`);
  const name = freshName(rowsOf(book, list.hook), item?.row.name ?? "");
  return insertAt(book, list, index + 1, { ...rule, name });
}

export function addRule(book: RuleBook, hook: Hook): Result<RuleBook, string> {
  const list = book.lists.find((one) => one.hook === hook && one.place === "rules");
  const rule = newRule(hook, freshName(rowsOf(book, hook)));
  if (list !== undefined) return insertAt(book, list, list.items.length, rule);
  return editAround(book, { kind: "set", path: ["firewall", hook, "rules"], value: [rule] });
}

/** Sets the words of a name that the policy itself defines. */
export function editName(book: RuleBook, name: string, words: string): Result<RuleBook, string> {
  return editAround(book, { kind: "set", path: ["define", name], value: wordsToJson(words) });
}

export function rowsOf(book: RuleBook, hook: Hook): readonly RuleRow[] {
  return book.lists.filter((list) => list.hook === hook).flatMap((list) => list.items.map(({ row }) => row));
}

function insertAt(book: RuleBook, list: RuleList, index: number, value: Json): Result<RuleBook, string> {
  const whole: Edit = { kind: "insert", path: rulePath({ ...list, index }).slice(0, -1), index, value };
  return editList(book, list, [index - 1, index], whole, (at, path) => ({
    kind: "insert",
    path,
    index: at(index - 1) + 1,
    value,
  }));
}

/** The key under which items stand while they are edited by themselves. */
const HEAD = "rule";

function eolOf(book: RuleBook): string {
  return book.text.includes("\r\n") ? "\r\n" : "\n";
}

function headOf(book: RuleBook): string {
  return `${HEAD}:${eolOf(book)}`;
}

/** A refusal speaks of the place in the document. */
function inPlace(sentence: string, row: RuleRow): string {
  return sentence.replace(` ${HEAD}[0]`, ` ${formatPath(rulePath(row))}`);
}

interface Alone {
  readonly items: readonly Pick<RuleItem, "row" | "text">[];
  /** Comment lines above the first item. */
  readonly lead: string;
}

/** Null: it is not what was put there any more. */
function readAlone(text: string, { hook, place }: Pick<RuleList, "hook" | "place">): Alone | null {
  const { data, positions } = readYaml(text);
  const rules = isData(data) ? data[HEAD] : undefined;
  if (!Array.isArray(rules)) return null;
  const cut = cutList(text, lineStartsOf(text), positions, [HEAD], rules.length);
  const begin = text.indexOf("\n") + 1;
  if (cut === null || cut.end !== text.length || begin > (cut.starts[0] ?? 0)) return null;
  const items = rules.flatMap((rule: Json, index) =>
    isData(rule)
      ? [
          {
            row: rowOf(hook, place, index, rule),
            text: text.slice(cut.starts[index], cut.starts[index + 1] ?? cut.end),
          },
        ]
      : [],
  );
  return items.length === rules.length ? { items, lead: text.slice(begin, cut.starts[0]) } : null;
}

/**
 * An edit of the order of a list, made among the neighbours of what it concerns.
 *
 * @param around places that it needs; those that are none are left out
 * @param small the same edit, given where a place stands among them
 */
function editList(
  book: RuleBook,
  list: RuleList,
  around: readonly number[],
  whole: Extract<Edit, { kind: "move" | "remove" | "insert" }>,
  small: (at: (place: number) => number, path: Path) => Edit,
): Result<RuleBook, string> {
  if (list.cut === null) return editWhole(book, whole);
  const kept = [...new Set(around)]
    .filter((place) => place >= 0 && place < list.items.length)
    .toSorted((a, b) => a - b);
  const alone = headOf(book) + kept.map((place) => list.items[place]?.text ?? "").join("");
  const edited = editDocument(
    alone,
    small((place) => kept.indexOf(place), [HEAD]),
  );
  if (!edited.ok) return editWhole(book, whole);
  const read = readAlone(edited.value, list);
  const order = reorder(
    list.items.map(({ id }) => id),
    whole,
    book.nextId,
  );
  const ids = new Set(kept.map((place) => list.items[place]?.id));
  const touched = order.flatMap((id, place) => (ids.has(id) || id === book.nextId ? [{ id, place }] : []));
  if (read === null || read.items.length !== touched.length) return editWhole(book, whole);
  const byId = new Map(list.items.map((item) => [item.id, item]));
  for (const [at, { id, place }] of touched.entries()) {
    const item = read.items[at];
    if (item === undefined) continue;
    // Comments above the first rule of all stand before the list, above any other they belong to it.
    const lead = at === 0 && place > 0 ? read.lead : "";
    byId.set(id, { id, row: item.row, text: lead + item.text });
  }
  const items = order.flatMap((id, index): RuleItem[] => {
    const item = byId.get(id);
    if (item === undefined) return [];
    return [item.row.index === index ? item : { ...item, row: { ...item.row, index } }];
  });
  const before = list.cut.before + (touched[0]?.place === 0 ? read.lead : "");
  return ok(withList({ ...book, nextId: book.nextId + 1 }, { ...list, cut: { order: list.cut.order, before }, items }));
}

function reorder(
  ids: readonly number[],
  edit: Extract<Edit, { kind: "move" | "remove" | "insert" }>,
  freshId: number,
): readonly number[] {
  switch (edit.kind) {
    case "insert":
      return ids.toSpliced(edit.index, 0, freshId);
    case "remove":
      return ids.toSpliced(Number(edit.path.at(-1)), 1);
    case "move": {
      const moved = ids[edit.from];
      return moved === undefined ? ids : ids.toSpliced(edit.from, 1).toSpliced(edit.to, 0, moved);
    }
  }
}

function withList(book: RuleBook, list: RuleList): RuleBook {
  const lists = book.lists.map((one) => (one.hook === list.hook && one.place === list.place ? list : one));
  return { ...book, lists, text: joined(lists, book.tail, (one) => one.items) };
}

function joined(
  lists: readonly RuleList[],
  tail: string,
  itemsOf: (list: RuleList) => readonly Pick<RuleItem, "text">[],
): string {
  const inOrder = lists
    .flatMap((list) => (list.cut === null ? [] : [{ ...list.cut, list }]))
    .toSorted((a, b) => a.order - b.order);
  return (
    inOrder
      .map(
        ({ before, list }) =>
          before +
          itemsOf(list)
            .map(({ text }) => text)
            .join(""),
      )
      .join("") + tail
  );
}

/** An edit outside the rules: of each list that is cut, only the first rule is read with it. */
function editAround(book: RuleBook, edit: Edit): Result<RuleBook, string> {
  // What is written below a line without an end is written differently.
  if (!book.text.endsWith("\n")) return editWhole(book, edit);
  const first = (list: RuleList): readonly RuleItem[] => list.items.slice(0, 1);
  const edited = editDocument(joined(book.lists, book.tail, first), edit);
  if (!edited.ok) return editWhole(book, edit);
  const read = readRuleBook(edited.value, book.nextId);
  if (read === null) return editWhole(book, edit);
  const before = (list: RuleList): RuleList | undefined =>
    book.lists.find((one) => one.hook === list.hook && one.place === list.place && one.cut !== null);
  const isSame = read.lists.every((list) => {
    const old = before(list);
    return old === undefined || sameFirst(list, old);
  });
  const isGone = book.lists.some(
    (old) => !read.lists.some((list) => list.hook === old.hook && list.place === old.place),
  );
  if (!isSame || isGone) return editWhole(book, edit);
  const lists = read.lists.map((list) => ({ ...list, items: before(list)?.items ?? list.items }));
  return ok({ ...read, lists, text: joined(lists, read.tail, (list) => list.items) });
}

function sameFirst(list: RuleList, old: RuleList): boolean {
  return list.cut !== null && list.items.length === 1 && list.items[0]?.text === old.items[0]?.text;
}

function editWhole(book: RuleBook, edit: Edit): Result<RuleBook, string> {
  const edited = editDocument(book.text, edit);
  return edited.ok ? readAgain(book, edited.value) : edited;
}

/** Rules keep their id by their name: nothing that was chosen by id is another rule afterwards. */
function readAgain(book: RuleBook, text: string): Result<RuleBook, string> {
  const read = readRuleBook(text, book.nextId);
  if (read === null) return err("the document has errors; mend them in the text first");
  const key = ({ row }: RuleItem): string => `${row.hook} ${row.place} ${row.name}`;
  const ids = new Map(book.lists.flatMap((list) => list.items.map((item) => [key(item), item.id] as const)));
  const lists = read.lists.map((list) => ({
    ...list,
    items: list.items.map((item) => {
      const id = ids.get(key(item));
      // Two of one name: the second is a new one.
      ids.delete(key(item));
      return id === undefined ? item : { ...item, id };
    }),
  }));
  return ok({ ...read, lists });
}

type RuleData = { readonly [key: string]: Json | undefined };

function aloneRule(book: RuleBook, item: RuleItem): RuleData | null {
  return ruleAt(`${headOf(book)}${item.text}`, [HEAD, 0]);
}

function wholeRule(book: RuleBook, list: RuleList, index: number): RuleData | null {
  return ruleAt(book.text, rulePath({ ...list, index }));
}

function ruleAt(text: string, path: Path): RuleData | null {
  let value: Json | undefined = readYaml(text).data;
  for (const part of path)
    value = Array.isArray(value) ? (value as readonly Json[])[Number(part)] : isData(value) ? value[part] : undefined;
  return isData(value) ? value : null;
}
