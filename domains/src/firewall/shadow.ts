import { type AddressSet, ANY, equals, isSubset, toNetworks } from "@holdfast/core/net/address-set.ts";
import type { Network } from "@holdfast/core/net/network.ts";
import { areServicesWithin, canonicalServices, type Service } from "@holdfast/core/net/service.ts";
import { peerAddresses, servicesOf } from "./concrete.ts";
import { rolesOf } from "./interfaces.ts";
import type { FirewallConfig, Peer, Rule } from "./model.ts";

/**
 * Finds rules that no packet can reach because one earlier rule takes all of theirs. Comparing every pair would be quadratic, so each rule is
 * compared only with those earlier rules that have its first source, its first destination or its first service: whichever list is shortest.
 */
export interface Cover {
  readonly rule: Rule;
  readonly index: number;
  readonly by: Rule;
}

export interface ShadowCheck {
  readonly covers: readonly Cover[];
  /** False when the work was cut short; then more may be covered than is listed. */
  readonly isComplete: boolean;
}

/** Comparisons before the check gives up: about half a second. No real rule set of 10,000 came near it. */
const MOST_COMPARISONS = 400_000;

interface Facts {
  readonly rule: Rule;
  readonly services: readonly Service[];
  readonly from: readonly Side[];
  readonly to: readonly Side[];
}

interface Side {
  readonly roles: ReadonlySet<string> | null;
  readonly addresses: AddressSet;
}

export function findCovered(config: FirewallConfig, rules: readonly Rule[]): ShadowCheck {
  const sideOf = (peer: Peer): Side => {
    const roles = peer.interfaces === undefined ? null : new Set(rolesOf(config, peer.interfaces));
    const addresses = peerAddresses(config, peer);
    // The very value, so that the indexes recognise everybody at once.
    return { roles, addresses: equals(addresses, ANY) ? ANY : addresses };
  };
  const facts = rules.map((rule): Facts => ({
    rule,
    services: canonicalServices(servicesOf(rule.services)),
    from: rule.from.map(sideOf),
    to: rule.to.map(sideOf),
  }));
  const [sources, destinations, services] = [new AddressIndex(), new AddressIndex(), new ServiceIndex()];
  const covers: Cover[] = [];
  let comparisons = 0;
  for (const [index, one] of facts.entries()) {
    const lists = [sources.candidates(one.from), destinations.candidates(one.to), services.candidates(one.services)];
    const shortest = lists.toSorted((a, b) => count(a) - count(b))[0] ?? [];
    const by = earliest(shortest, (at) => {
      const other = facts[at];
      comparisons += 1;
      return other !== undefined && coversAll(other, one);
    });
    if (comparisons > MOST_COMPARISONS) return { covers, isComplete: false };
    const covering = by === null ? undefined : facts[by];
    if (covering !== undefined) covers.push({ rule: one.rule, index, by: covering.rule });
    // A rule with an end covers nothing for good.
    if (one.rule.expires !== undefined) continue;
    sources.add(index, one.from);
    destinations.add(index, one.to);
    services.add(index, one.services);
  }
  return { covers, isComplete: true };
}

function count(lists: readonly (readonly number[])[]): number {
  return lists.reduce((sum, list) => sum + list.length, 0);
}

function earliest(lists: readonly (readonly number[])[], holds: (index: number) => boolean): number | null {
  let found: number | null = null;
  for (const list of lists) {
    for (const index of list) {
      if (found !== null && index >= found) break;
      if (holds(index)) found = index;
    }
  }
  return found;
}

function coversAll(outer: Facts, inner: Facts): boolean {
  return (
    areServicesWithin(inner.services, outer.services) &&
    sidesCover(outer.from, inner.from) &&
    sidesCover(outer.to, inner.to)
  );
}

function sidesCover(outer: readonly Side[], inner: readonly Side[]): boolean {
  return (
    inner.length > 0 &&
    inner.every((one) => outer.some((other) => placeCovers(other, one) && isSubset(one.addresses, other.addresses)))
  );
}

function placeCovers(outer: Side, inner: Side): boolean {
  if (outer.roles === null) return true;
  const roles = outer.roles;
  return inner.roles !== null && [...inner.roles].every((role) => roles.has(role));
}

/** Rules by the networks of one of their sides; finds those that have a given network or one around it. */
class AddressIndex {
  /** Those of everybody are the same for every question, and would be found under both families' widest networks. */
  readonly #anybody: number[] = [];
  readonly #byNetwork = new Map<string, number[]>();
  readonly #prefixes = { 4: new Set<number>(), 6: new Set<number>() };

  add(index: number, sides: readonly Side[]): void {
    if (sides.some((side) => side.addresses === ANY)) this.#anybody.push(index);
    for (const network of networksOf(sides.filter((side) => side.addresses !== ANY))) {
      this.#prefixes[network.family].add(network.prefix);
      push(this.#byNetwork, key(network.family, network.prefix, network.value), index);
    }
  }

  candidates(sides: readonly Side[]): readonly (readonly number[])[] {
    const [first] = sides;
    const network = first === undefined || first.addresses === ANY ? undefined : firstNetwork(first.addresses);
    if (network === undefined) return [this.#anybody];
    const bits = network.family === 4 ? 32n : 128n;
    const around = [...this.#prefixes[network.family]]
      .filter((prefix) => prefix <= network.prefix)
      .flatMap((prefix) => {
        const hostBits = bits - BigInt(prefix);
        const list = this.#byNetwork.get(key(network.family, prefix, (network.value >> hostBits) << hostBits));
        return list === undefined ? [] : [list];
      });
    return [this.#anybody, ...around];
  }
}

function networksOf(sides: readonly Side[]): readonly Network[] {
  return sides.flatMap((side) => toNetworks(side.addresses));
}

function firstNetwork(set: AddressSet): Network | undefined {
  const [first] = set.v4;
  if (first !== undefined) return toNetworks({ v4: [first], v6: [] })[0];
  const [six] = set.v6;
  return six === undefined ? undefined : toNetworks({ v4: [], v6: [six] })[0];
}

function key(family: number, prefix: number, value: bigint): string {
  return `${family}/${prefix}/${value.toString(36)}`;
}

function push(map: Map<string, number[]>, at: string, index: number): void {
  const list = map.get(at);
  if (list === undefined) map.set(at, [index]);
  else if (list.at(-1) !== index) list.push(index);
}

/** Rules by protocol and port; runs of ports are few and stand in one list per protocol. */
class ServiceIndex {
  readonly #byKey = new Map<string, number[]>();

  add(index: number, services: readonly Service[]): void {
    for (const service of services) push(this.#byKey, ServiceIndex.#key(service), index);
  }

  candidates(services: readonly Service[]): readonly (readonly number[])[] {
    const [first] = services;
    if (first === undefined) return [];
    const keys = [...new Set([ServiceIndex.#key(first), `${first.protocol}/run`, "any", "icmp/any"])];
    return keys.flatMap((one) => {
      const list = this.#byKey.get(one);
      return list === undefined ? [] : [list];
    });
  }

  static #key(service: Service): string {
    if ("ports" in service)
      return service.ports.first === service.ports.last
        ? `${service.protocol}/${service.ports.first}`
        : `${service.protocol}/run`;
    return "type" in service ? `icmp/${service.type}` : service.protocol;
  }
}
