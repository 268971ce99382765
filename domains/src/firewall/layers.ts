import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import type { Finding } from "@holdfast/core/base/finding.ts";
import type { Origin, ProvenanceEntry } from "@holdfast/core/compose/effective-config.ts";
import type { LayeredSection } from "@holdfast/core/compose/layered-section.ts";
import { finding } from "./findings.ts";
import type { FirewallSection } from "./section.ts";

/** How settings of several layers become one: scalars by the narrowest, named items by name. */

export type Layer = LayeredSection<FirewallSection>;

const RANK = { implied: 0, fleet: 1, site: 2, role: 3, server: 4, floor: 5 } as const satisfies Record<Origin["layer"], number>;

export function rankOf(origin: Origin): number {
  return RANK[origin.layer];
}

/** Everything said on the way, gathered. */
export interface Notes {
  readonly findings: Finding[];
  readonly provenance: ProvenanceEntry[];
}

/** One value that some layers state. */
export interface Stated<Value> {
  readonly value: Value;
  readonly origin: Origin;
}

export function originAt(origin: Origin, path: string): Origin {
  return { ...origin, path: origin.path === "" ? path : `${origin.path}.${path}` };
}

export function at(origin: Origin): { readonly document?: string; readonly line?: number } {
  return { document: origin.document, ...(origin.line === undefined ? {} : { line: origin.line }) };
}

/** The value of the narrowest layer that states it. Two documents of one layer that differ are refused, both named. */
export function narrowest<Value extends Json>(layers: readonly Layer[], path: string, pick: (section: FirewallSection) => Value | undefined, notes: Notes): Value | undefined {
  const stated = layers.flatMap(({ origin, section }): Stated<Value>[] => {
    const value = pick(section);
    return value === undefined ? [] : [{ value, origin: originAt(origin, path) }];
  });
  const winner = strongest(stated, `firewall.${path}`, notes);
  return winner?.value;
}

/** Chooses among statements of the same thing, records what it beat, and refuses two equals that differ. */
export function strongest<Value extends Json>(stated: readonly Stated<Value>[], item: string, notes: Notes): Stated<Value> | undefined {
  const ordered = stated.toSorted((a, b) => rankOf(b.origin) - rankOf(a.origin));
  const [winner, ...others] = ordered;
  if (winner === undefined) return undefined;
  const rival = others.find((other) => rankOf(other.origin) === rankOf(winner.origin) && canonicalJson(other.value) !== canonicalJson(winner.value));
  if (rival !== undefined) {
    notes.findings.push(
      finding(
        "firewall.layer_conflict",
        rival.origin.path,
        `${winner.origin.document} and ${rival.origin.document} stand in one layer (${winner.origin.layer}) and differ about ${item}.`,
        at(rival.origin),
      ),
    );
  }
  const beaten = others.filter((other) => canonicalJson(other.value) !== canonicalJson(winner.value));
  notes.provenance.push({ item, from: winner.origin, beat: beaten.map((other) => ({ origin: other.origin, value: canonicalJson(other.value) })) });
  return winner;
}

export interface NamedItem<Item> {
  readonly item: Item;
  readonly origin: Origin;
}

/** Named items of all layers: one per name, the narrowest; those that a narrower layer takes out are gone. Order as given. */
export function mergeNamed<Item extends { readonly name: string } & Json>(
  items: readonly NamedItem<Item>[],
  without: readonly { readonly name: string; readonly origin: Origin }[],
  path: string,
  notes: Notes,
): readonly NamedItem<Item>[] {
  const byName = new Map<string, NamedItem<Item>[]>();
  for (const one of items) {
    const same = byName.get(one.item.name) ?? [];
    const twin = same.find((other) => other.origin.document === one.origin.document);
    if (twin !== undefined) {
      notes.findings.push(finding("firewall.duplicate_name", one.origin.path, `${one.item.name} stands twice in ${path} of ${one.origin.document}.`, at(one.origin)));
      continue;
    }
    byName.set(one.item.name, [...same, one]);
  }
  const taken = new Set<string>();
  for (const { name, origin } of without) {
    const wider = (byName.get(name) ?? []).filter((one) => rankOf(one.origin) < rankOf(origin));
    if (wider.length === 0) notes.findings.push(finding("firewall.without_unknown", origin.path, `No wider layer has an item ${name} in ${path}.`, at(origin)));
    else if ((byName.get(name) ?? []).every((one) => rankOf(one.origin) < rankOf(origin))) taken.add(name);
  }
  const kept = new Set<NamedItem<Item>>();
  for (const [name, same] of byName) {
    if (taken.has(name)) continue;
    const winner = strongest(same.map((one) => ({ value: one.item, origin: one.origin })), `firewall.${path}.${name}`, notes);
    const chosen = same.find((one) => one.origin === winner?.origin);
    if (chosen !== undefined) kept.add(chosen);
  }
  return items.filter((one) => kept.has(one));
}
