import { err, ok, type Result } from "../base/result.ts";

export type Family = 4 | 6;

/** One IP address. The value is the address as an unsigned number of 32 or 128 bits. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

export const FAMILY_BITS = { 4: 32, 6: 128 } as const satisfies Record<Family, number>;

/** The last address of each family as a number. */
export const LAST_ADDRESS = { 4: (1n << 32n) - 1n, 6: (1n << 128n) - 1n } as const satisfies Record<Family, bigint>;

/** The block ::ffff:0:0/96, in which an IPv4 address can hide from a filter that looks at IPv4 only. */
const MAPPED_PREFIX = 0xffffn;

/**
 * Reads one address in a form that no two programs read differently. Refused on purpose: leading zeros (`010.0.0.1` is 8.0.0.1 to some
 * readers), short forms (`10.1`), hexadecimal parts, IPv4-mapped and dotted IPv6, zone ids.
 */
export function parseAddress(text: string): Result<Address, string> {
  if (text.includes(":")) return parseIpv6(text);
  if (text.includes(".")) return parseIpv4(text);
  return err(`${quote(text)} is not an address; write it like 192.0.2.1 or 2001:db8::1`);
}

/** Reads back what `formatAddress` wrote, IPv4-mapped values too, which arise only as ends of calculated ranges. */
export function parseCanonicalAddress(text: string): Result<Address, string> {
  const parsed = text.includes(":") ? parseGroups(text) : parseIpv4(text);
  if (!parsed.ok) return parsed;
  const canonical = formatAddress(parsed.value);
  return canonical === text ? parsed : err(`${quote(text)} is not in canonical form; write ${canonical}`);
}

/** The one text of an address: dotted decimal, or RFC 5952 with every group in hexadecimal. */
export function formatAddress(address: Address): string {
  return address.family === 4 ? formatIpv4(address.value) : formatIpv6(address.value);
}

/** IPv4 before IPv6, then by value. */
export function compareAddresses(a: Address, b: Address): number {
  if (a.family !== b.family) return a.family - b.family;
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}

function parseIpv4(text: string): Result<Address, string> {
  const parts = text.split(".");
  if (parts.length !== 4) return err(`${quote(text)} is not an IPv4 address; it needs four numbers, like 192.0.2.1`);
  let value = 0n;
  for (const part of parts) {
    if (!/^[0-9]{1,3}$/.test(part))
      return err(`${quote(text)} is not an IPv4 address; ${quote(part)} is not a number from 0 to 255`);
    if (part.length > 1 && part.startsWith("0")) {
      return err(
        `${quote(text)} has a number with a leading zero, which some programs read as octal; write ${Number(part)} instead of ${part}`,
      );
    }
    const octet = Number(part);
    if (octet > 255) return err(`${quote(text)} is not an IPv4 address; ${part} is more than 255`);
    value = (value << 8n) | BigInt(octet);
  }
  return ok({ family: 4, value });
}

function parseIpv6(text: string): Result<Address, string> {
  if (text.includes("%"))
    return err(
      `${quote(text)} has a zone id; an address here has none, name the interface where an interface is asked for`,
    );
  if (text.includes(".")) {
    const tail = parseIpv4(text.slice(text.lastIndexOf(":") + 1));
    const hint = tail.ok
      ? `; for the IPv4 address write ${formatAddress(tail.value)}, for an IPv6 address write its last groups in hexadecimal`
      : "";
    return err(`${quote(text)} mixes IPv6 and IPv4 notation${hint}`);
  }
  const parsed = parseGroups(text);
  if (!parsed.ok) return parsed;
  if (parsed.value.value >> 32n === MAPPED_PREFIX) {
    return err(`${quote(text)} is an IPv4-mapped address; write ${formatIpv4(parsed.value.value & LAST_ADDRESS[4])}`);
  }
  return parsed;
}

function parseGroups(text: string): Result<Address, string> {
  const halves = text.split("::");
  if (halves.length > 2) return err(`${quote(text)} is not an IPv6 address; "::" may stand in it once`);
  const [head = "", tail] = halves;
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  for (const group of [...left, ...right]) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) {
      return err(
        `${quote(text)} is not an IPv6 address; ${group === "" ? "it has an empty group" : `${quote(group)} is not one to four hexadecimal digits`}`,
      );
    }
  }
  const written = left.length + right.length;
  if (tail === undefined ? written !== 8 : written > 7) {
    return err(
      `${quote(text)} is not an IPv6 address; it has ${written} groups${tail === undefined ? " and needs 8, or :: for a run of zeros" : ' beside "::", which must stand for one at least'}`,
    );
  }
  const groups = [...left, ...Array<string>(8 - written).fill("0"), ...right];
  return ok({ family: 6, value: groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n) });
}

function formatIpv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join(".");
}

function formatIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(16 * (7 - index))) & 0xffffn));
  const run = longestZeroRun(groups);
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  // RFC 5952: one zero group alone is written as 0, not as "::".
  if (run.length < 2) return hex(groups);
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`;
}

/** The longest run of zero groups, the first of them when two are as long. */
function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  groups.forEach((group, index) => {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  });
  return best;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
