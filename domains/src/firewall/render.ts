import type { ObservedInterface } from "./interfaces.ts";
import type { FirewallConfig } from "./model.ts";
import { nativeTable } from "./native.ts";
import { setDeclaration, wholeTable } from "./nft-batch.ts";
import type { NativeTable } from "./nft-table.ts";

/** The table as people read it, close to what `nft list table inet holdfast` prints. */
export function renderFirewall(config: FirewallConfig, observed: readonly ObservedInterface[] | null): string {
  const unknown = Object.entries(config.interfaces).filter(([, binding]) => "mac" in binding);
  const remark =
    observed !== null || unknown.length === 0 ? [] : [`# known only on the server, and left out of the sets: ${unknown.map(([role]) => role).toSorted().join(", ")}`];
  return [...remark, ...tableLines(nativeTable(config, observed ?? [])), ""].join("\n");
}

/** A script that makes exactly this table, whatever of ours is loaded before it. */
export function bootText(config: FirewallConfig, observed: readonly ObservedInterface[]): string {
  return `# Written by Holdfast when this was confirmed; changes are overwritten.\n${wholeTable(nativeTable(config, observed))}`;
}

export function tableLines(table: NativeTable | null): readonly string[] {
  if (table === null) return [];
  return ["table inet holdfast {", ...tableParts(table).flatMap((part) => part.map((line) => `  ${line}`)), "}"];
}

/** The parts of a table, each a few lines; a chain is one part. */
export function tableParts(table: NativeTable): readonly (readonly string[])[] {
  const names = (map: object): readonly string[] => Object.keys(map).toSorted();
  return [
    ...(table.counters.length === 0 ? [] : [table.counters.map((name) => `counter ${name} { }`)]),
    ...table.strange.map((object) => [`# not ours: ${object}`]),
    ...names(table.sets).map((name) => {
      const set = table.sets[name];
      if (set === undefined) return [];
      return [`set ${name} ${setDeclaration(set)}`, ...set.elements.map((element) => `  ${element}`)];
    }),
    ...names(table.chains).map((name) => {
      const chain = table.chains[name];
      if (chain === undefined) return [];
      const hook = chain.hook === null ? [] : [`  type ${chain.hook.type} hook ${chain.hook.hook} priority ${chain.hook.priority}; policy ${chain.hook.policy};`];
      return [`chain ${name} {`, ...hook, ...chain.rules.map((rule) => `  ${rule}`), "}"];
    }),
  ];
}
