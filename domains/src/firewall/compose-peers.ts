import type { Origin } from "@holdfast/core/compose/effective-config.ts";
import type { Lookup } from "@holdfast/core/compose/layered-section.ts";
import {
  type AddressSet,
  addressSetFromText,
  addressSetToJson,
  EMPTY,
  isEmpty,
  union,
} from "@holdfast/core/net/address-set.ts";
import { parseCanonicalAddress } from "@holdfast/core/net/address.ts";
import { canonicalServices, formatService } from "@holdfast/core/net/service.ts";
import { parseRate } from "@holdfast/core/policy/rate.ts";
import { finding } from "./findings.ts";
import type { Peer, Rate } from "./model.ts";
import { at, type Notes } from "./notes.ts";
import type { SectionPeer } from "./section.ts";

/** A literal list longer than this becomes a named set: nft then changes members instead of rules. */
const LONGEST_INLINE = 16;

/** Turns references into what they stand for, gathering the named sets and the interface roles that come up. */
export interface Resolver {
  readonly lookup: Lookup;
  readonly zones: Readonly<Record<string, readonly string[]>>;
  readonly sets: Map<string, readonly string[]>;
  readonly roles: Set<string>;
  readonly notes: Notes;
}

export interface Side {
  readonly origin: Origin;
  /** Where the list stands in the document. */
  readonly path: string;
  /** Names the set of a long literal list. */
  readonly key: string;
  /** Whether a zone can stand here: a packet to this server leaves by no interface. */
  readonly zones: boolean;
  /** Whether `self` is what every packet of this hook has here anyway. */
  readonly isSelf: boolean;
}

/** Alternatives: one for each group or zone, and one for all literal addresses together. */
export function resolvePeers(resolver: Resolver, peers: readonly SectionPeer[], side: Side): readonly Peer[] {
  const alternatives: Peer[] = [];
  const literals: AddressSet[] = [];
  for (const [index, peer] of peers.entries()) {
    const path = peers.length === 1 ? side.path : `${side.path}[${index}]`;
    if (typeof peer === "string") resolveReference(resolver, peer, { ...side, path }, alternatives, literals);
    else alternatives.push(...resolveMap(resolver, peer, { ...side, path }));
  }
  if (literals.length > 0) alternatives.push(addressesPeer(resolver, union(...literals), side.key));
  // Somebody who is already anybody needs no other alternative.
  return alternatives.some((peer) => Object.keys(peer).length === 0) ? [{}] : alternatives;
}

function resolveMap(resolver: Resolver, peer: Exclude<SectionPeer, string>, side: Side): readonly Peer[] {
  const place =
    peer.zone !== undefined
      ? zonePlace(resolver, peer.zone, side)
      : peer.interface !== undefined
        ? interfacePlace(resolver, peer.interface, side)
        : undefined;
  if (place === null) return [];
  const base: Peer = place === undefined ? {} : { interfaces: place };
  if (peer.address === undefined) return [base];
  const [alternatives, literals]: [Peer[], AddressSet[]] = [[], []];
  for (const reference of peer.address) {
    if (reference.startsWith("zone:")) misplaced(resolver, reference, side);
    else resolveReference(resolver, reference, side, alternatives, literals);
  }
  if (literals.length > 0)
    alternatives.push(addressesPeer(resolver, union(...literals), `${side.key}.${String(place)}`));
  return alternatives.map((one) => ({ ...one, ...base }));
}

function resolveReference(
  resolver: Resolver,
  reference: string,
  side: Side,
  alternatives: Peer[],
  literals: AddressSet[],
): void {
  if (reference.startsWith("zone:")) {
    const place = zonePlace(resolver, reference.slice("zone:".length), side);
    if (place !== null) alternatives.push({ interfaces: place });
    return;
  }
  if (reference === "any" || (reference === "self" && side.isSelf)) {
    alternatives.push({});
    return;
  }
  const found = resolver.lookup.addresses(reference, side.origin, side.path);
  if (!found.ok) {
    resolver.notes.findings.push(found.error);
  } else if (addressSetFromText(reference).ok) {
    literals.push(found.value);
  } else {
    resolver.sets.set(reference, addressSetToJson(found.value));
    alternatives.push({ set: reference });
  }
}

function addressesPeer(resolver: Resolver, set: AddressSet, key: string): Peer {
  const texts = addressSetToJson(set);
  if (texts.length <= LONGEST_INLINE) return { addresses: [...texts] };
  resolver.sets.set(key, texts);
  return { set: key };
}

/** Null after a finding. */
function zonePlace(resolver: Resolver, zone: string, side: Side): string | null {
  if (!side.zones) {
    misplaced(resolver, `zone:${zone}`, side);
    return null;
  }
  if (resolver.zones[zone] !== undefined) return `zone:${zone}`;
  const known = Object.keys(resolver.zones).toSorted().join(", ");
  resolver.notes.findings.push(
    finding(
      "firewall.zone_unknown",
      side.path,
      `There is no zone ${zone} on this server; ${known === "" ? "none is defined" : `defined are ${known}`}.`,
      at(side.origin),
    ),
  );
  return null;
}

function interfacePlace(resolver: Resolver, role: string, side: Side): string | null {
  if (!side.zones) {
    misplaced(resolver, `interface ${role}`, side);
    return null;
  }
  resolver.roles.add(role);
  return `interface:${role}`;
}

function misplaced(resolver: Resolver, what: string, side: Side): void {
  resolver.notes.findings.push(
    finding("firewall.zone_misplaced", side.path, `${what} cannot stand here.`, at(side.origin)),
  );
}

export function resolveServices(
  resolver: Resolver,
  references: readonly string[],
  origin: Origin,
  path: string,
): readonly string[] {
  const services = references.flatMap((reference, index) => {
    const found = resolver.lookup.services(reference, origin, references.length === 1 ? path : `${path}[${index}]`);
    if (found.ok) return found.value;
    resolver.notes.findings.push(found.error);
    return [];
  });
  return canonicalServices(services).map(formatService);
}

/** The addresses of a reference that is not a zone; empty after a finding. */
export function resolveAddresses(resolver: Resolver, reference: string, origin: Origin, path: string): AddressSet {
  const found = resolver.lookup.addresses(reference, origin, path);
  if (found.ok) return found.value;
  resolver.notes.findings.push(found.error);
  return EMPTY;
}

/** The one address a reference stands for, or null. */
export function singleAddress(set: AddressSet): string | null {
  const texts = addressSetToJson(set);
  const [only] = texts;
  return !isEmpty(set) && texts.length === 1 && only !== undefined && parseCanonicalAddress(only).ok ? only : null;
}

/** Rates were checked by the schema of the section. */
export function rateOf(text: string): Rate {
  const rate = parseRate(text);
  if (!rate.ok) throw new Error(`a section that was not checked: ${rate.error}`);
  return rate.value;
}
