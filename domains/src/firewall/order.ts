import type { Finding } from "@holdfast/core/base/finding.ts";
import type { Origin } from "@holdfast/core/compose/effective-config.ts";
import { type AddressSet, addressSetFromJson, ANY, EMPTY, overlaps } from "@holdfast/core/net/address-set.ts";
import { servicesOverlap } from "@holdfast/core/net/service.ts";
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
          canMeet(resolver, other.rule, one.rule),
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
