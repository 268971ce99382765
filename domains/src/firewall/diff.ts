import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import { type FirewallConfig, HOOKS } from "./model.ts";

/** A difference between two configs, in the words of the policy. */
export interface FirewallChange {
  readonly kind: "added" | "removed" | "changed" | "moved";
  /** For example `inbound rule web`, `zone staff`, `inbound default`. */
  readonly what: string;
}

export function firewallChanges(
  before: FirewallConfig | null,
  after: FirewallConfig | null,
): readonly FirewallChange[] {
  if (before === null || after === null) {
    if (before === after) return [];
    return [{ kind: before === null ? "added" : "removed", what: "the firewall" }];
  }
  return [
    ...valueChange("the mode", before.mode, after.mode),
    ...valueChange("the floor", before.floor, after.floor),
    ...mapChanges("zone", before.zones, after.zones),
    ...mapChanges("interface", before.interfaces, after.interfaces),
    ...mapChanges("addresses of", before.sets, after.sets),
    ...HOOKS.flatMap((hook): readonly FirewallChange[] => {
      const [left, right] = [before[hook], after[hook]];
      if (left === undefined || right === undefined) return valueChange(`the ${hook} section`, left, right);
      const clamp = "mssClamp" in left || "mssClamp" in right;
      return [
        ...valueChange(`the ${hook} default`, left.default, right.default),
        ...valueChange(`the ${hook} log`, left.log, right.log),
        ...(clamp ? valueChange("the segment size limit", before.forward?.mssClamp, after.forward?.mssClamp) : []),
        ...listChanges(`${hook} rule`, left.rules, right.rules),
      ];
    }),
    ...listChanges("masquerade", before.nat?.masquerade ?? [], after.nat?.masquerade ?? []),
    ...listChanges("published service", before.nat?.publish ?? [], after.nat?.publish ?? []),
    ...valueChange("what other settings need open", before.needs, after.needs),
  ];
}

function valueChange(what: string, before: Json | undefined, after: Json | undefined): readonly FirewallChange[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [{ kind: "added", what }];
  if (after === undefined) return [{ kind: "removed", what }];
  // Configs travel as canonical JSON, so equal values nearly always have equal plain texts, which are cheaper to make.
  const isSame = JSON.stringify(before) === JSON.stringify(after) || canonicalJson(before) === canonicalJson(after);
  return isSame ? [] : [{ kind: "changed", what }];
}

function mapChanges(
  noun: string,
  before: Readonly<Record<string, Json>>,
  after: Readonly<Record<string, Json>>,
): readonly FirewallChange[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .toSorted()
    .flatMap((name) => valueChange(`${noun} ${name}`, before[name], after[name]));
}

/** Named items in order. A move is told of the items that left their neighbours, not of those that only slid along. */
function listChanges<Item extends { readonly name: string } & Json>(
  noun: string,
  before: readonly Item[],
  after: readonly Item[],
): readonly FirewallChange[] {
  const left = new Map(before.map((item) => [item.name, item]));
  const right = new Map(after.map((item) => [item.name, item]));
  const gone = before
    .filter((item) => !right.has(item.name))
    .map((item): FirewallChange => ({ kind: "removed", what: `${noun} ${item.name}` }));
  const come = after
    .filter((item) => !left.has(item.name))
    .map((item): FirewallChange => ({ kind: "added", what: `${noun} ${item.name}` }));
  const changed = after.flatMap((item): readonly FirewallChange[] => {
    const old = left.get(item.name);
    return old === undefined ? [] : valueChange(`${noun} ${item.name}`, old, item);
  });
  const moved = outOfOrder(
    before.filter((item) => right.has(item.name)).map((item) => item.name),
    after.filter((item) => left.has(item.name)).map((item) => item.name),
  );
  return [
    ...gone,
    ...come,
    ...changed,
    ...moved.map((name): FirewallChange => ({ kind: "moved", what: `${noun} ${name}` })),
  ];
}

/** The fewest names that must move: those outside a longest run that kept its order (patience sorting). */
function outOfOrder(before: readonly string[], after: readonly string[]): readonly string[] {
  const rank = new Map(before.map((name, index) => [name, index]));
  const ranks = after.map((name) => rank.get(name) ?? 0);
  const tails: number[] = [];
  const previous: number[] = [];
  for (const [at, value] of ranks.entries()) {
    let [low, high] = [0, tails.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ranks[tails[middle] ?? 0] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    previous[at] = low > 0 ? (tails[low - 1] ?? -1) : -1;
    tails[low] = at;
  }
  const kept = new Set<number>();
  for (let at = tails.at(-1) ?? -1; at >= 0; at = previous[at] ?? -1) kept.add(at);
  return after.filter((_name, at) => !kept.has(at));
}

/** A sentence for the step: one change by name, many by number. */
export function changesTitle(changes: readonly FirewallChange[]): string {
  const [first, ...more] = changes;
  if (first === undefined) return "Put the firewall back as it is confirmed";
  const verb = { added: "add", removed: "remove", changed: "change", moved: "move" } as const satisfies Record<
    FirewallChange["kind"],
    string
  >;
  const sentence = `Firewall: ${verb[first.kind]} ${first.what}`;
  return more.length === 0 ? sentence : `${sentence}, and ${more.length} more change${more.length === 1 ? "" : "s"}`;
}
