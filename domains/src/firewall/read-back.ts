import type { FactQuery, RawFact, RawFacts } from "@holdfast/core/domain.ts";
import type { FirewallObserved } from "./facts.ts";
import type { FirewallConfig } from "./model.ts";
import { FAMILY, TABLE } from "./names.ts";
import { nativeTable } from "./native.ts";
import { parseListing } from "./nft-listing.ts";
import { EMPTY_TABLE, type NativeTable, sameChain, sameSet } from "./nft-table.ts";

/**
 * Reading back only what a batch touched. One rule among ten thousand stands in a chain of about 64, which is listed in a millisecond; the
 * whole table takes a third of a second.
 */

/** Objects that are listed one by one; beyond it the whole table is cheaper. nft 1.0.6 fails on several lists in one command. */
const MOST_OBJECTS = 8;

type Kind = "chain" | "set" | "counter";

export function readBackFacts(before: FirewallObserved, desired: FirewallConfig | null): readonly FactQuery[] | null {
  if (desired === null || before.table === null || before.unreadable !== null || before.table.strange.length > 0)
    return null;
  const objects = touched(before.table, nativeTable(desired, before.interfaces));
  if (objects.length > MOST_OBJECTS) return null;
  return objects.map(([kind, name]) => ({
    kind: "command",
    name: `${kind} ${name}`,
    argv: ["nft", "-j", "list", kind, FAMILY, TABLE, name],
  }));
}

function touched(before: NativeTable, after: NativeTable): readonly (readonly [Kind, string])[] {
  const differing = <Item>(
    a: Readonly<Record<string, Item>>,
    b: Readonly<Record<string, Item>>,
    same: (a: Item, b: Item) => boolean,
  ): readonly string[] =>
    [...new Set([...Object.keys(a), ...Object.keys(b)])].toSorted().filter((name) => {
      const [left, right] = [a[name], b[name]];
      return left === undefined || right === undefined || !same(left, right);
    });
  const [had, has] = [new Set(before.counters), new Set(after.counters)];
  const counters = [
    ...before.counters.filter((name) => !has.has(name)),
    ...after.counters.filter((name) => !had.has(name)),
  ];
  return [
    ...differing(before.chains, after.chains, sameChain).map((name) => ["chain", name] as const),
    ...differing(before.sets, after.sets, sameSet).map((name) => ["set", name] as const),
    ...counters.map((name) => ["counter", name] as const),
  ];
}

export function observeReadBack(before: FirewallObserved, raw: RawFacts): FirewallObserved {
  const table = before.table ?? EMPTY_TABLE;
  const [chains, sets, counters] = [{ ...table.chains }, { ...table.sets }, new Set(table.counters)];
  for (const [query, fact] of Object.entries(raw)) {
    const [kind = "", name = ""] = query.split(" ", 2);
    const found = objectOf(fact);
    if (typeof found === "string") return { ...before, table: null, unreadable: `${query}: ${found}` };
    if (kind === "chain") replace(chains, name, found?.chains[name]);
    else if (kind === "set") replace(sets, name, found?.sets[name]);
    else if (found?.counters.includes(name) === true) counters.add(name);
    else counters.delete(name);
  }
  return { ...before, table: { ...table, chains, sets, counters: [...counters].toSorted() } };
}

function replace<Item>(map: Record<string, Item>, name: string, item: Item | undefined): void {
  if (item === undefined) delete map[name];
  else map[name] = item;
}

/** Null: it is not there. A text: why it could not be read. */
function objectOf(fact: RawFact): NativeTable | null | string {
  if (fact.status !== 0)
    return /No such file or directory/.test(fact.stderr) ? null : `nft answered with status ${fact.status}`;
  const listing = parseListing(fact.stdout);
  return listing.ok ? listing.value.table : listing.error;
}
