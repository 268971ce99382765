import { FAMILY, TABLE } from "./names.ts";
import { isOpaque } from "./nft-text.ts";
import { chainShape, EMPTY_TABLE, type NativeChain, type NativeSet, type NativeTable, setShape } from "./nft-table.ts";

/**
 * The text that turns one state of our table into another in one transaction of the kernel: all of it or nothing. Only what differs is named,
 * so chains, sets and above all the values of counters that stay are not touched. nft 1.0.6 knows no `destroy`: what is deleted must exist,
 * which holds because `current` was read from the server; a state that has moved since makes the batch fail whole.
 */
export function batchBetween(current: NativeTable | null, desired: NativeTable | null): string {
  if (desired === null) return current === null ? "" : `${deleteTable()}\n`;
  if (current === null) return text(["add table inet holdfast", ...additions(EMPTY_TABLE, desired)]);
  // Maps and the like are never ours: taking the table down whole removes them with what refers to them.
  if (current.strange.length > 0) return text([deleteTable(), "add table inet holdfast", ...additions(EMPTY_TABLE, desired)]);
  const lines = [...removals(current, desired), ...additions(current, desired)];
  return lines.length === 0 ? "" : text(lines);
}

/** The whole table, for the boot file: loading it twice, or over any other state of our table, gives the same. */
export function wholeTable(table: NativeTable): string {
  return text([deleteTable(), "add table inet holdfast", ...additions(EMPTY_TABLE, table)]);
}

/** `add` first: deleting a table that is not there is an error. */
function deleteTable(): string {
  return `add table ${FAMILY} ${TABLE}\ndelete table ${FAMILY} ${TABLE}`;
}

function text(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

function keysOf(map: object): readonly string[] {
  return Object.keys(map).toSorted();
}

/** Sets whose declaration must change: they are deleted and made again, so whatever refers to them is written again too. */
function remadeSets(current: NativeTable, desired: NativeTable): ReadonlySet<string> {
  return new Set(
    keysOf(desired.sets).filter((name) => {
      const [before, after] = [current.sets[name], desired.sets[name]];
      return before !== undefined && after !== undefined && setShape(before) !== setShape(after);
    }),
  );
}

function isRewritten(before: NativeChain | undefined, after: NativeChain | undefined, remade: ReadonlySet<string>): boolean {
  if (before === undefined || after === undefined || chainShape(before) !== chainShape(after)) return true;
  if (before.rules.length !== after.rules.length || before.rules.some((rule, index) => rule !== after.rules[index])) return true;
  return remade.size > 0 && after.rules.some((rule) => [...remade].some((set) => rule.includes(`@${set} `)));
}

function removals(current: NativeTable, desired: NativeTable): readonly string[] {
  const remade = remadeSets(current, desired);
  const flushed = keysOf(current.chains).filter((name) => isRewritten(current.chains[name], desired.chains[name], remade));
  const deleted = flushed.filter((name) => {
    const [before, after] = [current.chains[name], desired.chains[name]];
    return before === undefined || after === undefined || chainShape(before) !== chainShape(after);
  });
  const counters = new Set(desired.counters);
  return [
    // All flushes first: then nothing refers to what is deleted.
    ...flushed.filter((name) => (current.chains[name]?.rules.length ?? 0) > 0).map((name) => `flush chain ${FAMILY} ${TABLE} ${name}`),
    ...deleted.map((name) => `delete chain ${FAMILY} ${TABLE} ${name}`),
    ...keysOf(current.sets).filter((name) => desired.sets[name] === undefined || remade.has(name)).map((name) => `delete set ${FAMILY} ${TABLE} ${name}`),
    ...current.counters.filter((name) => !counters.has(name)).map((name) => `delete counter ${FAMILY} ${TABLE} ${name}`),
  ];
}

function additions(current: NativeTable, desired: NativeTable): readonly string[] {
  const remade = remadeSets(current, desired);
  const counters = new Set(current.counters);
  const lines: string[] = desired.counters.filter((name) => !counters.has(name)).map((name) => `add counter ${FAMILY} ${TABLE} ${name}`);
  for (const name of keysOf(desired.sets)) {
    const [before, after] = [current.sets[name], desired.sets[name]];
    if (after === undefined) continue;
    if (before === undefined || remade.has(name)) lines.push(`add set ${FAMILY} ${TABLE} ${name} ${setDeclaration(after)}`, ...elements("add", name, after.elements));
    else lines.push(...elementChanges(name, before, after));
  }
  const rewritten = keysOf(desired.chains).filter((name) => isRewritten(current.chains[name], desired.chains[name], remade));
  // Declared before any rule: a rule may jump to a chain that comes later.
  for (const name of keysOf(desired.chains)) {
    const [before, after] = [current.chains[name], desired.chains[name]];
    if (after === undefined) continue;
    const isNew = before === undefined || chainShape(before) !== chainShape(after);
    if (isNew || before.hook?.policy !== after.hook?.policy) lines.push(chainDeclaration(name, after));
  }
  for (const name of rewritten) {
    const rules = (desired.chains[name]?.rules ?? []).filter((rule) => !isOpaque(rule));
    for (const rule of rules) lines.push(`add rule ${FAMILY} ${TABLE} ${name} ${rule}`);
  }
  return lines;
}

function chainDeclaration(name: string, chain: NativeChain): string {
  const place = `add chain ${FAMILY} ${TABLE} ${name}`;
  if (chain.hook === null) return place;
  const { type, hook, priority, policy } = chain.hook;
  return `${place} { type ${type} hook ${hook} priority ${priority}; policy ${policy}; }`;
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

function elementChanges(name: string, before: NativeSet, after: NativeSet): readonly string[] {
  if (before.elements.some(isOpaque)) return [`flush set ${FAMILY} ${TABLE} ${name}`, ...elements("add", name, after.elements)];
  const [had, has] = [new Set(before.elements), new Set(after.elements)];
  return [
    ...elements("delete", name, before.elements.filter((element) => !has.has(element))),
    ...elements("add", name, after.elements.filter((element) => !had.has(element))),
  ];
}

/** Members per command: nft reads very long lines slowly (a line of 23 KB took 0.1 s). */
const MEMBERS_PER_LINE = 64;

function elements(verb: "add" | "delete", name: string, members: readonly string[]): readonly string[] {
  const printable = members.filter((member) => !isOpaque(member));
  const lines: string[] = [];
  for (let at = 0; at < printable.length; at += MEMBERS_PER_LINE) {
    lines.push(`${verb} element ${FAMILY} ${TABLE} ${name} { ${printable.slice(at, at + MEMBERS_PER_LINE).join(", ")} }`);
  }
  return lines;
}
