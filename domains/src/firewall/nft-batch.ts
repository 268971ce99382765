import { FAMILY, TABLE } from "./names.ts";
import {
  chainShape,
  EMPTY_TABLE,
  type NativeChain,
  type NativeSet,
  type NativeTable,
  sameTexts,
  setShape,
} from "./nft-table.ts";
import { isOpaque } from "./nft-text.ts";

/**
 * The text that turns one state of our table into another in one transaction of the kernel: all of it or nothing. Only what differs is named,
 * so chains, sets and above all the values of counters that stay are not touched.
 *
 * It is idempotent, since a step may be done again when its first answer was lost: nft 1.0.6 knows no `destroy`, so everything is added before
 * it is deleted, and every chain is flushed before its rules are added.
 */
export function batchBetween(current: NativeTable | null, desired: NativeTable | null): string {
  if (desired === null) return current === null ? "" : text(deleteTable());
  if (current === null) return text([ADD_TABLE, ...changes(EMPTY_TABLE, desired)]);
  // Maps and the like are never ours: taking the table down whole removes them with what refers to them.
  if (current.strange.length > 0) return wholeTable(desired);
  const lines = changes(current, desired);
  return lines.length === 0 ? "" : text(lines);
}

/** The whole table: loading it twice, or over any other state of our table, gives the same. Counters begin at zero. */
export function wholeTable(table: NativeTable): string {
  return text([...deleteTable(), ADD_TABLE, ...changes(EMPTY_TABLE, table)]);
}

export const ADD_TABLE = `add table ${FAMILY} ${TABLE}`;

export function deleteTable(): readonly string[] {
  return [ADD_TABLE, `delete table ${FAMILY} ${TABLE}`];
}

function text(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

function command(
  verb: "add" | "delete" | "flush",
  kind: "chain" | "set" | "counter" | "element" | "rule",
  name: string,
  rest = "",
): string {
  return `${verb} ${kind} ${FAMILY} ${TABLE} ${name}${rest === "" ? "" : ` ${rest}`}`;
}

function keysOf(map: object): readonly string[] {
  return Object.keys(map).toSorted();
}

function changes(current: NativeTable, desired: NativeTable): readonly string[] {
  const chains = chainWork(current, desired);
  const [had, has] = [new Set(current.counters), new Set(desired.counters)];
  return [
    ...chains.declarations,
    // All flushes first: then nothing refers to what is deleted.
    ...chains.flushed.map((name) => command("flush", "chain", name)),
    ...chains.deleted.map((name) => command("delete", "chain", name)),
    ...current.counters
      .filter((name) => !has.has(name))
      .flatMap((name) => [command("add", "counter", name), command("delete", "counter", name)]),
    ...desired.counters.filter((name) => !had.has(name)).map((name) => command("add", "counter", name)),
    ...setCommands(current, desired),
    ...chains.redeclarations,
    ...chains.rules,
  ];
}

interface ChainWork {
  readonly declarations: readonly string[];
  readonly flushed: readonly string[];
  readonly deleted: readonly string[];
  /** Of chains that were deleted because their place cannot be changed. */
  readonly redeclarations: readonly string[];
  readonly rules: readonly string[];
}

function chainWork(current: NativeTable, desired: NativeTable): ChainWork {
  const remade = remadeSets(current, desired);
  const work = {
    declarations: [] as string[],
    flushed: [] as string[],
    deleted: [] as string[],
    redeclarations: [] as string[],
    rules: [] as string[],
  };
  for (const name of keysOf({ ...current.chains, ...desired.chains })) {
    const [before, after] = [current.chains[name], desired.chains[name]];
    if (after === undefined) {
      work.declarations.push(command("add", "chain", name));
      work.flushed.push(name);
      work.deleted.push(name);
      continue;
    }
    const isMoved = before !== undefined && chainShape(before) !== chainShape(after);
    if (isMoved) {
      work.flushed.push(name);
      work.deleted.push(name);
      work.redeclarations.push(declaration(name, after));
    } else if (before === undefined || before.hook?.policy !== after.hook?.policy) {
      work.declarations.push(declaration(name, after));
    }
    if (before !== undefined && !isMoved && sameTexts(before.rules, after.rules) && !refersTo(after, remade)) continue;
    if (!isMoved) work.flushed.push(name);
    for (const rule of after.rules) if (!isOpaque(rule)) work.rules.push(command("add", "rule", name, rule));
  }
  return work;
}

function declaration(name: string, chain: NativeChain): string {
  if (chain.hook === null) return command("add", "chain", name);
  const { type, hook, priority, policy } = chain.hook;
  return command("add", "chain", name, `{ type ${type} hook ${hook} priority ${priority}; policy ${policy}; }`);
}

/**
 * Sets whose declaration must change: they are deleted and made again, so whatever refers to them is written again too. Ours carry what is
 * declared in their names; only a set that somebody else has made anew comes here, and for it the batch cannot be loaded twice.
 */
function remadeSets(current: NativeTable, desired: NativeTable): ReadonlySet<string> {
  return new Set(
    keysOf(desired.sets).filter((name) => {
      const [before, after] = [current.sets[name], desired.sets[name]];
      return before !== undefined && after !== undefined && setShape(before) !== setShape(after);
    }),
  );
}

function refersTo(chain: NativeChain, sets: ReadonlySet<string>): boolean {
  return sets.size > 0 && chain.rules.some((rule) => [...sets].some((set) => rule.includes(`@${set} `)));
}

function setCommands(current: NativeTable, desired: NativeTable): readonly string[] {
  return keysOf({ ...current.sets, ...desired.sets }).flatMap((name) => {
    const [before, after] = [current.sets[name], desired.sets[name]];
    if (after === undefined)
      return before === undefined
        ? []
        : [command("add", "set", name, setDeclaration(before)), command("delete", "set", name)];
    const created = [
      command("add", "set", name, setDeclaration(after)),
      ...(after.timeout === null ? [command("flush", "set", name)] : []),
      ...elements("add", name, after.elements),
    ];
    if (before === undefined) return created;
    if (setShape(before) !== setShape(after)) return [command("delete", "set", name), ...created];
    return sameTexts(before.elements, after.elements) ? [] : memberChanges(name, before, after);
  });
}

export function setDeclaration(set: NativeSet): string {
  const flags = [...(set.interval ? ["interval"] : []), ...(set.timeout === null ? [] : ["dynamic", "timeout"])];
  const parts = [
    `type ${set.type};`,
    ...(set.size === null ? [] : [`size ${set.size};`]),
    ...(flags.length === 0 ? [] : [`flags ${flags.join(",")};`]),
    ...(set.timeout === null ? [] : [`timeout ${set.timeout}s;`]),
  ];
  return `{ ${parts.join(" ")} }`;
}

/**
 * Up to this many members, a set is emptied and filled in the same transaction, which can be done twice. Above it only the difference is
 * sent: a set of 100,000 takes seconds to fill. Done twice, that batch is refused whole, and nothing changes.
 */
const MOST_REFILLED = 1024;

function memberChanges(name: string, before: NativeSet, after: NativeSet): readonly string[] {
  if (after.elements.length <= MOST_REFILLED || before.elements.some(isOpaque))
    return [command("flush", "set", name), ...elements("add", name, after.elements)];
  const [had, has] = [new Set(before.elements), new Set(after.elements)];
  return [
    ...elements(
      "delete",
      name,
      before.elements.filter((element) => !has.has(element)),
    ),
    ...elements(
      "add",
      name,
      after.elements.filter((element) => !had.has(element)),
    ),
  ];
}

/** Members per command: nft reads very long lines slowly (a line of 23 KB took 0.1 s). */
const MEMBERS_PER_LINE = 64;

function elements(verb: "add" | "delete", name: string, members: readonly string[]): readonly string[] {
  const printable = members.filter((member) => !isOpaque(member));
  const lines: string[] = [];
  for (let at = 0; at < printable.length; at += MEMBERS_PER_LINE) {
    lines.push(command(verb, "element", name, `{ ${printable.slice(at, at + MEMBERS_PER_LINE).join(", ")} }`));
  }
  return lines;
}
