import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { FAMILY, TABLE } from "./names.ts";
import type { NativeChain, NativeHook, NativeSet, NativeTable } from "./nft-table.ts";
import { opaque, ruleText, sortedElements, valueText } from "./nft-text.ts";

/** What a named counter has counted. */
export type NativeCount = { readonly packets: number; readonly bytes: number };

export interface Listing {
  readonly table: NativeTable;
  /** Of each counter of the table. */
  readonly counts: Readonly<Record<string, NativeCount>>;
}

/** Reads `nft -j list table inet holdfast`. The error says what could not be understood; nothing is guessed. */
export function parseListing(text: string): Result<Listing, string> {
  const objects = parseObjects(text);
  if (!objects.ok) return objects;
  const chains: Record<string, { hook: NativeHook | null; rules: string[] }> = {};
  const sets: Record<string, NativeSet> = {};
  const counts: Record<string, NativeCount> = {};
  const strange: string[] = [];
  for (const { kind, body } of objects.value) {
    if (kind === "metainfo" || kind === "table") continue;
    if (body["family"] !== FAMILY || body["table"] !== TABLE)
      return err(`the listing speaks of another table: ${kind} ${nameOf(body)}`);
    switch (kind) {
      case "chain": {
        const name = stringAt(body, "name");
        if (name === null) return err("a chain without a name");
        chains[name] = { hook: hookOf(body), rules: chains[name]?.rules ?? [] };
        break;
      }
      case "rule": {
        const [chain, expr] = [stringAt(body, "chain"), body["expr"]];
        if (chain === null || !Array.isArray(expr)) return err("a rule without a chain or without statements");
        (chains[chain] ??= { hook: null, rules: [] }).rules.push(ruleText(expr));
        break;
      }
      case "set": {
        const name = stringAt(body, "name");
        if (name === null) return err("a set without a name");
        sets[name] = setOf(body);
        break;
      }
      case "counter": {
        const name = stringAt(body, "name");
        if (name === null) return err("a counter without a name");
        counts[name] = { packets: countAt(body, "packets"), bytes: countAt(body, "bytes") };
        break;
      }
      default:
        strange.push(`${kind} ${nameOf(body)}`);
    }
  }
  const counters = Object.keys(counts).toSorted();
  return ok({ table: { chains, sets, counters, strange: strange.toSorted() }, counts });
}

/** Chains outside our table that stand in a hook, from `nft -j list chains`. */
export interface ForeignChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook: NativeHook | null;
}

export function parseChains(text: string): Result<readonly ForeignChain[], string> {
  const objects = parseObjects(text);
  if (!objects.ok) return objects;
  const chains: ForeignChain[] = [];
  for (const { kind, body } of objects.value) {
    const [family, table, name] = [stringAt(body, "family"), stringAt(body, "table"), stringAt(body, "name")];
    if (kind !== "chain" || family === null || table === null || name === null) continue;
    if (family === FAMILY && table === TABLE) continue;
    chains.push({ family, table, name, hook: hookOf(body) });
  }
  return ok(chains);
}

type JsonMap = { readonly [key: string]: Json | undefined };

function parseObjects(text: string): Result<readonly { kind: string; body: JsonMap }[], string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // nft 1.0.6 prints broken JSON with exit code 0 for a table that carries flags.
    return err("nft printed JSON that cannot be read");
  }
  if (!isMap(parsed) || !Array.isArray(parsed["nftables"])) return err("nft printed JSON without the list of objects");
  const objects: { kind: string; body: JsonMap }[] = [];
  for (const item of parsed["nftables"]) {
    const [entry] = isMap(item) ? Object.entries(item) : [];
    if (entry === undefined || !isMap(entry[1])) return err("nft printed an object without a kind");
    objects.push({ kind: entry[0], body: entry[1] });
  }
  return ok(objects);
}

/** JSON.parse yields nothing but JSON, so a map of it is a map of JSON. */
function isMap(value: unknown): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function stringAt(body: JsonMap, key: string): string | null {
  const value = body[key];
  return typeof value === "string" ? value : null;
}

function countAt(body: JsonMap, key: string): number {
  const value = body[key];
  return typeof value === "number" ? value : 0;
}

function nameOf(body: JsonMap): string {
  return stringAt(body, "name") ?? "without a name";
}

function hookOf(body: JsonMap): NativeChain["hook"] {
  const [type, hook, policy, priority] = [
    stringAt(body, "type"),
    stringAt(body, "hook"),
    stringAt(body, "policy"),
    body["prio"],
  ];
  if (type === null || hook === null || typeof priority !== "number") return null;
  return { type, hook, priority, policy: policy ?? "accept" };
}

function setOf(body: JsonMap): NativeSet {
  const type = typeof body["type"] === "string" ? body["type"] : JSON.stringify(body["type"]);
  const flags = Array.isArray(body["flags"]) ? body["flags"] : [];
  const timeout = typeof body["timeout"] === "number" ? body["timeout"] : null;
  const elements: string[] = [];
  const members: readonly Json[] = Array.isArray(body["elem"]) ? body["elem"] : [];
  if (timeout === null) {
    for (const element of members) {
      const text = valueText(element, type === "ifname" ? "quoted" : "plain");
      // A member with a comment or a timeout of its own is not from us; it is seen, and taken out with the whole set.
      elements.push(text ?? opaque(element));
    }
  }
  return {
    type,
    interval: flags.includes("interval"),
    timeout,
    size: typeof body["size"] === "number" ? body["size"] : null,
    elements: sortedElements(elements),
  };
}
