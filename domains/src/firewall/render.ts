import type { ObservedInterface } from "./interfaces.ts";
import type { FirewallConfig } from "./model.ts";
import { nativeTable } from "./native.ts";
import { setDeclaration, wholeTable } from "./nft-batch.ts";
import type { NativeTable } from "./nft-table.ts";

/** The table as people read it, close to what `nft list table inet holdfast` prints. */
export function renderFirewall(config: FirewallConfig, observed: readonly ObservedInterface[] | null): string {
  const unknown = Object.entries(config.interfaces).filter(([, binding]) => "mac" in binding);
  const remark =
    observed !== null || unknown.length === 0
      ? []
      : [
          `# known only on the server, and left out of the sets: ${unknown
            .map(([role]) => role)
            .toSorted()
            .join(", ")}`,
        ];
  return [...remark, ...tableLines(nativeTable(config, observed ?? [])), ""].join("\n");
}

/** A script that makes exactly this table, whatever of ours is loaded before it. */
export function bootText(config: FirewallConfig, observed: readonly ObservedInterface[]): string {
  return `# Written by Holdfast when this was confirmed; changes are overwritten.\n${wholeTable(nativeTable(config, observed))}`;
}

export function tableLines(table: NativeTable | null): readonly string[] {
  return namedParts(table).flatMap(([, lines]) => lines);
}

/** The text in parts that can be compared by name: each set and each chain, the counters, and what encloses them. Names sort in print order. */
export function namedParts(table: NativeTable | null): readonly (readonly [name: string, lines: readonly string[]])[] {
  if (table === null) return [];
  const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`);
  const sorted = <Item>(map: Readonly<Record<string, Item>>): readonly (readonly [string, Item])[] =>
    Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return [
    ["0", ["table inet holdfast {"]],
    ["1 counters", indented(table.counters.map((name) => `counter ${name} { }`))],
    ["2 others", indented(table.strange.map((object) => `# not ours: ${object}`))],
    ...sorted(table.sets).map(
      ([name, set]) =>
        [
          `3 ${name}`,
          indented([`set ${name} ${setDeclaration(set)}`, ...set.elements.map((element) => `  ${element}`)]),
        ] as const,
    ),
    ...sorted(table.chains).map(([name, { hook, rules }]) => {
      const place =
        hook === null
          ? []
          : [`  type ${hook.type} hook ${hook.hook} priority ${hook.priority}; policy ${hook.policy};`];
      return [`4 ${name}`, indented([`chain ${name} {`, ...place, ...rules.map((rule) => `  ${rule}`), "}"])] as const;
    }),
    ["5", ["}"]],
  ];
}
