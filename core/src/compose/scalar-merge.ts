import { canonicalJson, type Json } from "../base/canonical-json.ts";
import type { Finding } from "../base/finding.ts";
import type { Origin, ProvenanceEntry } from "./effective-config.ts";
import { composeFinding } from "./findings.ts";

export interface Stated<Value> {
  readonly origin: Origin;
  readonly value: Value;
}

export interface Merged<Value> {
  /** Undefined when no layer says anything. */
  readonly value: Value | undefined;
  readonly provenance: readonly ProvenanceEntry[];
  readonly findings: readonly Finding[];
}

/**
 * One setting, said by several layers: the narrower wins, and what it beat is remembered. Two of one layer that differ are refused, both named.
 *
 * @param item   path in the effective config, for provenance
 * @param stated fleet first, server last, as in `ComposeInput.layers`
 * @param words  the value as people read it
 */
export function scalarMerge<Value extends Json>(
  item: string,
  stated: readonly Stated<Value>[],
  words: (value: Value) => string = plainWords,
): Merged<Value> {
  const winner = stated.at(-1);
  if (winner === undefined) return { value: undefined, provenance: [], findings: [] };
  const own = canonicalJson(winner.value);
  const beaten = stated.filter((one) => canonicalJson(one.value) !== own).toReversed();
  const rival = beaten.find((one) => one.origin.layer === winner.origin.layer);
  const provenance: ProvenanceEntry = {
    item,
    from: winner.origin,
    beat: beaten.map((one) => ({ origin: one.origin, value: words(one.value) })),
  };
  const findings =
    rival === undefined
      ? []
      : [layerConflict(item, rival.origin, words(rival.value), winner.origin, words(winner.value))];
  return { value: winner.value, provenance: [provenance], findings };
}

/** Two policies of one layer that say different things about one item. */
export function layerConflict(item: string, a: Origin, aValue: string, b: Origin, bValue: string): Finding {
  const message = `${item} is ${aValue} in ${a.document} and ${bValue} in ${b.document}; both stand in the layer ${b.layer}, so neither wins.`;
  return composeFinding("compose.layer_conflict", message, { document: b.document, path: b.path });
}

function plainWords(value: Json): string {
  return typeof value === "string" ? value : canonicalJson(value);
}
