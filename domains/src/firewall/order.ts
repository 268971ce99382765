import type { Finding } from "@holdfast/core/base/finding.ts";
import type { Origin } from "@holdfast/core/compose/effective-config.ts";
import {
  type AddressSet,
  addressSetFromJson,
  ANY,
  EMPTY,
  intersect,
  isSubset,
  overlaps,
  unionOf,
} from "@holdfast/core/net/address-set.ts";
import { areServicesWithin, servicesOverlap } from "@holdfast/core/net/service.ts";
import type { Resolver } from "./compose-peers.ts";
import { servicesOf } from "./concrete.ts";
import { finding } from "./findings.ts";
import type { HookName, Peer, Rule } from "./model.ts";
import { at } from "./notes.ts";

export interface PlacedRule {
  readonly rule: Rule;
  readonly origin: Origin;
  readonly place: "first" | "rules";
}

/**
 * Two documents of one layer have no order between them. It must be stated only where it matters: where a packet could meet rules of both
 * that disagree.
 */
export function orderFindings(resolver: Resolver, hook: HookName, placed: readonly PlacedRule[]): readonly Finding[] {
  const groups = new Map<string, PlacedRule[]>();
  for (const one of placed) {
    const key = `${one.origin.layer} ${one.place}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const findings: Finding[] = [];
  for (const group of groups.values()) {
    if (new Set(group.map((one) => one.origin.document)).size < 2) continue;
    const seen: PlacedRule[] = [];
    for (const one of group) {
      const rival = seen.find(
        (other) =>
          other.origin.document !== one.origin.document &&
          other.rule.verb !== one.rule.verb &&
          canMeet(resolver, other.rule, one.rule) &&
          !isDecided(resolver, group, one, other) &&
          !isDecided(resolver, group, other, one),
      );
      if (rival !== undefined) {
        findings.push(
          finding(
            "firewall.order_unclear",
            one.origin.path,
            `The ${hook} rules ${rival.rule.name} of ${rival.origin.document} and ${one.rule.name} of ${one.origin.document} overlap and disagree, and nothing says which comes first.`,
            at(one.origin),
          ),
        );
      }
      seen.push(one);
    }
  }
  return findings;
}

/**
 * Whether what `one` and `rival` could both take is taken before it, in the rival's own document, by a rule that says what `one` says: then it is the same
 * whichever document comes first. Two tunnels that meet at a hub are so, each closed behind what both open.
 */
function isDecided(resolver: Resolver, group: readonly PlacedRule[], one: PlacedRule, rival: PlacedRule): boolean {
  const [a, b] = [one.rule, rival.rule];
  return group.slice(0, group.indexOf(rival)).some(({ origin, rule }) => {
    if (origin.document !== rival.origin.document || rule.verb !== a.verb) return false;
    if (rule.limit !== undefined || rule.expires !== undefined || ![a, b, rule].every(isByAddress)) return false;
    const services = servicesOf(rule.services);
    return (
      (areServicesWithin(servicesOf(a.services), services) || areServicesWithin(servicesOf(b.services), services)) &&
      (["from", "to"] as const).every((side) =>
        isSubset(intersect(all(resolver, a[side]), all(resolver, b[side])), all(resolver, rule[side])),
      )
    );
  });
}

function isByAddress({ from, to }: Rule): boolean {
  return [...from, ...to].every(({ interfaces }) => interfaces === undefined);
}

function all(resolver: Resolver, peers: readonly Peer[]): AddressSet {
  return unionOf(peers.map((peer) => addresses(resolver, peer)));
}

function canMeet(resolver: Resolver, a: Rule, b: Rule): boolean {
  const [left, right] = [servicesOf(a.services), servicesOf(b.services)];
  if (!left.some((one) => right.some((other) => servicesOverlap(one, other)))) return false;
  return peersMeet(resolver, a.from, b.from) && peersMeet(resolver, a.to, b.to);
}

function peersMeet(resolver: Resolver, a: readonly Peer[], b: readonly Peer[]): boolean {
  return a.some((one) =>
    b.some(
      (other) => placesMeet(resolver, one, other) && overlaps(addresses(resolver, one), addresses(resolver, other)),
    ),
  );
}

function placesMeet(resolver: Resolver, a: Peer, b: Peer): boolean {
  if (a.interfaces === undefined || b.interfaces === undefined) return true;
  const roles = (key: string): readonly string[] =>
    key.startsWith("zone:") ? (resolver.zones[key.slice("zone:".length)] ?? []) : [key.slice("interface:".length)];
  const right = roles(b.interfaces);
  return roles(a.interfaces).some((role) => right.includes(role));
}

function addresses(resolver: Resolver, peer: Peer): AddressSet {
  const texts = peer.set === undefined ? peer.addresses : (resolver.sets.get(peer.set) ?? []);
  if (texts === undefined) return ANY;
  const set = addressSetFromJson(texts);
  return set.ok ? set.value : EMPTY;
}
