import { err, ok, type Result } from "../base/result.ts";
import { type Address, type Family, FAMILY_BITS, formatAddress, LAST_ADDRESS, parseAddress } from "./address.ts";

/** A block of addresses. `value` has no host bits set. */
export interface Network {
  readonly family: Family;
  readonly value: bigint;
  readonly prefix: number;
}

/** The address of one interface together with the network it stands in, like 10.20.10.1/24. */
export interface InterfaceAddress {
  readonly address: Address;
  readonly network: Network;
}

/** Reads `ADDRESS/PREFIX` where a network is meant. Host bits are refused: either the address or the length is a slip. */
export function parseNetwork(text: string): Result<Network, string> {
  const parsed = parsePrefixed(text, "10.20.0.0/16 or 2001:db8::/32");
  if (!parsed.ok) return parsed;
  const { address, prefix } = parsed.value;
  const network = networkOf(address, prefix);
  if (network.value !== address.value) {
    return err(
      `${JSON.stringify(text)} has host bits set; the network is ${formatNetwork(network)}, the one address is ${formatAddress(address)}`,
    );
  }
  return ok(network);
}

/** Reads `ADDRESS/PREFIX` where the address of an interface is meant: a host of that network, with the length of the network. */
export function parseInterfaceAddress(text: string): Result<InterfaceAddress, string> {
  const parsed = parsePrefixed(text, "10.20.10.1/24 or 2001:db8:1::1/64");
  if (!parsed.ok) return parsed;
  const { address, prefix } = parsed.value;
  const network = networkOf(address, prefix);
  const hostBits = FAMILY_BITS[address.family] - prefix;
  // A network of one or two addresses (/32, /31, /128, /127) has no address of its own and no broadcast (RFC 3021, RFC 6164).
  if (hostBits >= 2 && network.value === address.value) {
    const example = formatAddress({ family: address.family, value: network.value + 1n });
    return err(
      `${JSON.stringify(text)} is a network, not the address of an interface in it; write a host of it, like ${example}/${prefix}`,
    );
  }
  if (hostBits >= 2 && address.family === 4 && lastOf(network) === address.value) {
    return err(
      `${JSON.stringify(text)} is the broadcast address of ${formatNetwork(network)}; an interface cannot have it`,
    );
  }
  return ok({ address, network });
}

export function formatNetwork(network: Network): string {
  return `${formatAddress(network)}/${network.prefix}`;
}

export function formatInterfaceAddress(of: InterfaceAddress): string {
  return `${formatAddress(of.address)}/${of.network.prefix}`;
}

/** The network of that length around an address. */
export function networkOf(address: Address, prefix: number): Network {
  const hostBits = BigInt(FAMILY_BITS[address.family] - prefix);
  return { family: address.family, value: (address.value >> hostBits) << hostBits, prefix };
}

/** The last address of a network, as a number. */
export function lastOf(network: Network): bigint {
  return network.value | (LAST_ADDRESS[network.family] >> BigInt(network.prefix));
}

function parsePrefixed(
  text: string,
  example: string,
): Result<{ readonly address: Address; readonly prefix: number }, string> {
  const [head = "", length, ...rest] = text.split("/");
  if (length === undefined) return err(`${JSON.stringify(text)} has no prefix length; write it like ${example}`);
  const address = parseAddress(head);
  if (!address.ok) return address;
  const bits = FAMILY_BITS[address.value.family];
  if (rest.length > 0 || !/^(0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > bits) {
    return err(`${JSON.stringify(text)} has a bad prefix length; it is a number from 0 to ${bits}, like ${example}`);
  }
  return ok({ address: address.value, prefix: Number(length) });
}
