import { canonicalJson, type Json } from "../base/canonical-json.ts";
import type { Finding } from "../base/finding.ts";
import type { Origin, ProvenanceEntry } from "./effective-config.ts";
import { composeFinding } from "./findings.ts";
import { layerConflict } from "./scalar-merge.ts";

export interface NamedItem<Value> {
  readonly name: string;
  readonly value: Value;
  /** Of the item itself: its `path` is the item's. */
  readonly origin: Origin;
}

export interface Without {
  readonly name: string;
  readonly why?: string;
  readonly origin: Origin;
}

/** What one policy says: its items in their order, and the names it does not want from wider layers. */
export interface NamedLayer<Value> {
  readonly origin: Origin;
  readonly items: readonly NamedItem<Value>[];
  readonly without: readonly Without[];
}

export interface MergedNames<Value> {
  readonly items: readonly NamedItem<Value>[];
  readonly provenance: readonly ProvenanceEntry[];
  readonly findings: readonly Finding[];
}

/**
 * Lists of named items from several layers. An item of a narrower layer replaces the one of the same name in a wider layer, and stands where
 * the narrower layer has it; `without` takes one out. Two of one layer that differ are refused, both named.
 *
 * @param item   path of the list in the effective config, for provenance: `firewall.inbound.rules`
 * @param layers fleet first, server last, as in `ComposeInput.layers`
 * @param order  which layer's items come first in the result
 */
export function namedMerge<Value extends Json>(
  item: string,
  layers: readonly NamedLayer<Value>[],
  order: "wide_first" | "narrow_first",
): MergedNames<Value> {
  const findings: Finding[] = [];
  /** Insertion order is layer order; a replaced item moves to its new layer. */
  const standing = new Map<string, { readonly own: NamedItem<Value>; readonly beat: ProvenanceEntry["beat"] }>();

  for (const group of byLayer(layers)) {
    for (const without of group.flatMap((layer) => layer.without)) {
      // What is taken out is gone for this layer's policies only if a wider layer had it.
      if (!standing.delete(without.name)) {
        findings.push(
          composeFinding(
            "compose.without_nothing",
            `No wider layer has ${without.name} in ${item}, so there is nothing to take out.`,
            {
              document: without.origin.document,
              path: without.origin.path,
            },
          ),
        );
      }
    }
    const wider = new Map(standing);
    for (const own of group.flatMap((layer) => layer.items)) {
      const other = standing.get(own.name);
      if (other !== undefined && other.own.origin.layer === own.origin.layer) {
        // Saying the same in two policies is no conflict; the first by name keeps the place.
        if (canonicalJson(other.own.value) !== canonicalJson(own.value)) {
          findings.push(
            layerConflict(
              `${item}.${own.name}`,
              other.own.origin,
              canonicalJson(other.own.value),
              own.origin,
              canonicalJson(own.value),
            ),
          );
        }
        continue;
      }
      const beaten = wider.get(own.name);
      standing.delete(own.name);
      const beat =
        beaten === undefined
          ? []
          : [{ origin: beaten.own.origin, value: canonicalJson(beaten.own.value) }, ...beaten.beat];
      standing.set(own.name, { own, beat });
    }
  }

  const kept = [...standing.values()];
  const ordered =
    order === "wide_first"
      ? kept
      : byLayer(kept.map(({ own }) => own))
          .toReversed()
          .flat()
          .map((own) => ({ own, beat: standing.get(own.name)?.beat ?? [] }));
  return {
    items: ordered.map(({ own }) => own),
    provenance: ordered.map(({ own, beat }) => ({ item: `${item}.${own.name}`, from: own.origin, beat })),
    findings,
  };
}

/** Neighbours of one layer together; the order inside stays. */
function byLayer<Item extends { readonly origin: Origin }>(items: readonly Item[]): readonly (readonly Item[])[] {
  const groups: Item[][] = [];
  for (const item of items) {
    const last = groups.at(-1);
    if (last !== undefined && last[0]?.origin.layer === item.origin.layer) last.push(item);
    else groups.push([item]);
  }
  return groups;
}
