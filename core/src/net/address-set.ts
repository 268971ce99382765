import { err, ok, type Result } from "../base/result.ts";
import {
  type Address,
  type Family,
  FAMILY_BITS,
  formatAddress,
  LAST_ADDRESS,
  parseAddress,
  parseCanonicalAddress,
} from "./address.ts";
import { formatNetwork, lastOf, type Network, parseNetwork } from "./network.ts";

/** A run of addresses of one family as numbers, both ends included. */
export interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * A set of addresses of both families. In each list the ranges are sorted, do not overlap and do not touch, so that equal sets have equal
 * lists. Make one only with the functions of this file.
 */
export interface AddressSet {
  readonly v4: readonly Range[];
  readonly v6: readonly Range[];
}

export const EMPTY: AddressSet = { v4: [], v6: [] };
export const ANY: AddressSet = {
  v4: [{ first: 0n, last: LAST_ADDRESS[4] }],
  v6: [{ first: 0n, last: LAST_ADDRESS[6] }],
};

/** Reads a literal address, a network or a range `a-b`. */
export function addressSetFromText(text: string): Result<AddressSet, string> {
  if (text.includes("/")) {
    const network = parseNetwork(text);
    return network.ok ? ok(setOfNetwork(network.value)) : network;
  }
  const [from = "", to, ...rest] = text.split("-");
  const first = parseAddress(from);
  if (!first.ok) return first;
  if (to === undefined) return ok(setOfAddress(first.value));
  if (rest.length > 0)
    return err(`${JSON.stringify(text)} is not a range of addresses; write it like 192.0.2.10-192.0.2.20`);
  const last = parseAddress(to);
  if (!last.ok) return last;
  if (last.value.family !== first.value.family)
    return err(`${JSON.stringify(text)} begins in one family and ends in the other`);
  if (last.value.value < first.value.value) return err(`${JSON.stringify(text)} runs backwards; write ${to}-${from}`);
  return ok(setOfRange(first.value.family, { first: first.value.value, last: last.value.value }));
}

export function setOfAddress(address: Address): AddressSet {
  return setOfRange(address.family, { first: address.value, last: address.value });
}

export function setOfNetwork(network: Network): AddressSet {
  return setOfRange(network.family, { first: network.value, last: lastOf(network) });
}

export function setOfRange(family: Family, range: Range): AddressSet {
  return family === 4 ? { v4: [range], v6: [] } : { v4: [], v6: [range] };
}

export function union(...sets: readonly AddressSet[]): AddressSet {
  return unionOf(sets);
}

/** The same for a list of any length. */
export function unionOf(sets: readonly AddressSet[]): AddressSet {
  return { v4: merge(sets.flatMap((set) => set.v4)), v6: merge(sets.flatMap((set) => set.v6)) };
}

export function intersect(a: AddressSet, b: AddressSet): AddressSet {
  return { v4: intersectRanges(a.v4, b.v4), v6: intersectRanges(a.v6, b.v6) };
}

/** What is in `a` and not in `b`. */
export function subtract(a: AddressSet, b: AddressSet): AddressSet {
  return { v4: subtractRanges(a.v4, b.v4), v6: subtractRanges(a.v6, b.v6) };
}

export function contains(set: AddressSet, address: Address): boolean {
  return rangesOf(set, address.family).some((range) => range.first <= address.value && address.value <= range.last);
}

export function isSubset(inner: AddressSet, outer: AddressSet): boolean {
  return isEmpty(subtract(inner, outer));
}

export function overlaps(a: AddressSet, b: AddressSet): boolean {
  return !isEmpty(intersect(a, b));
}

export function isEmpty(set: AddressSet): boolean {
  return set.v4.length === 0 && set.v6.length === 0;
}

export function equals(a: AddressSet, b: AddressSet): boolean {
  return isSubset(a, b) && isSubset(b, a);
}

export function rangesOf(set: AddressSet, family: Family): readonly Range[] {
  return family === 4 ? set.v4 : set.v6;
}

/** The part of a set that is of one family. */
export function onlyFamily(set: AddressSet, family: Family): AddressSet {
  return family === 4 ? { v4: set.v4, v6: [] } : { v4: [], v6: set.v6 };
}

/** The smallest list of networks that is exactly the set, IPv4 first, ascending. */
export function toNetworks(set: AddressSet): readonly Network[] {
  return [...set.v4.flatMap((range) => split(4, range)), ...set.v6.flatMap((range) => split(6, range))];
}

/** One text per range, IPv4 first, ascending: `192.0.2.1`, `192.0.2.0/24`, or `192.0.2.10-192.0.2.20` where it is no single network. */
export function toRangesText(set: AddressSet): readonly string[] {
  return [...set.v4.map((range) => rangeText(4, range)), ...set.v6.map((range) => rangeText(6, range))];
}

/** Canonical JSON of a set: equal sets give equal lists, and `addressSetFromJson` reads it back. */
export function addressSetToJson(set: AddressSet): readonly string[] {
  return toRangesText(set);
}

/** Reads what `addressSetToJson` wrote, and nothing else: another spelling of the same set is refused. */
export function addressSetFromJson(texts: readonly string[]): Result<AddressSet, string> {
  const parts: AddressSet[] = [];
  for (const text of texts) {
    const part = fromCanonicalText(text);
    if (!part.ok) return part;
    parts.push(part.value);
  }
  const set = unionOf(parts);
  const canonical = toRangesText(set);
  if (canonical.length !== texts.length || canonical.some((text, index) => text !== texts[index])) {
    return err(`the addresses ${texts.join(", ")} are not in canonical form; write ${canonical.join(", ")}`);
  }
  return ok(set);
}

function fromCanonicalText(text: string): Result<AddressSet, string> {
  if (!text.includes("-")) return fromCanonicalNetwork(text);
  const [from = "", to = ""] = text.split("-");
  const first = parseCanonicalAddress(from);
  if (!first.ok) return first;
  const last = parseCanonicalAddress(to);
  if (!last.ok) return last;
  if (last.value.family !== first.value.family || last.value.value < first.value.value)
    return err(`${JSON.stringify(text)} is not a range`);
  return ok(setOfRange(first.value.family, { first: first.value.value, last: last.value.value }));
}

function fromCanonicalNetwork(text: string): Result<AddressSet, string> {
  const [head = "", length] = text.split("/");
  const address = parseCanonicalAddress(head);
  if (!address.ok) return address;
  if (length === undefined) return ok(setOfAddress(address.value));
  if (!/^(0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > FAMILY_BITS[address.value.family])
    return err(`${JSON.stringify(text)} is not a network`);
  return ok(setOfNetwork({ ...address.value, prefix: Number(length) }));
}

function rangeText(family: Family, range: Range): string {
  if (range.first === range.last) return formatAddress({ family, value: range.first });
  const networks = split(family, range);
  const only = networks.length === 1 ? networks[0] : undefined;
  if (only !== undefined) return formatNetwork(only);
  return `${formatAddress({ family, value: range.first })}-${formatAddress({ family, value: range.last })}`;
}

function split(family: Family, range: Range): readonly Network[] {
  const networks: Network[] = [];
  let next = range.first;
  while (next <= range.last) {
    let hostBits = 0n;
    // Grow the block while it stays aligned and inside the range.
    while (
      hostBits < BigInt(FAMILY_BITS[family]) &&
      (next & ((1n << (hostBits + 1n)) - 1n)) === 0n &&
      next + (1n << (hostBits + 1n)) - 1n <= range.last
    ) {
      hostBits += 1n;
    }
    networks.push({ family, value: next, prefix: FAMILY_BITS[family] - Number(hostBits) });
    next += 1n << hostBits;
  }
  return networks;
}

function merge(ranges: readonly Range[]): readonly Range[] {
  const merged: Range[] = [];
  for (const range of ranges.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))) {
    const previous = merged.at(-1);
    if (previous !== undefined && range.first <= previous.last + 1n) {
      merged[merged.length - 1] = {
        first: previous.first,
        last: range.last > previous.last ? range.last : previous.last,
      };
    } else {
      merged.push(range);
    }
  }
  return merged;
}

function intersectRanges(a: readonly Range[], b: readonly Range[]): readonly Range[] {
  const found: Range[] = [];
  let i = 0;
  let j = 0;
  for (let left = a[i], right = b[j]; left !== undefined && right !== undefined; left = a[i], right = b[j]) {
    const first = left.first > right.first ? left.first : right.first;
    const last = left.last < right.last ? left.last : right.last;
    if (first <= last) found.push({ first, last });
    if (left.last < right.last) i += 1;
    else j += 1;
  }
  return found;
}

function subtractRanges(a: readonly Range[], b: readonly Range[]): readonly Range[] {
  const found: Range[] = [];
  let j = 0;
  for (const range of a) {
    let first = range.first;
    for (let hole = b[j]; hole !== undefined && hole.first <= range.last; hole = b[j]) {
      if (hole.first > first) found.push({ first, last: hole.first - 1n });
      if (hole.last + 1n > first) first = hole.last + 1n;
      // A hole that reaches beyond this range may also cut the next one.
      if (hole.last > range.last) break;
      j += 1;
    }
    if (first <= range.last) found.push({ first, last: range.last });
  }
  return found;
}
