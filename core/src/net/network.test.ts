import fc from "fast-check";
import { expect, test } from "vitest";
import { FAMILY_BITS, LAST_ADDRESS } from "./address.ts";
import {
  formatInterfaceAddress,
  formatNetwork,
  lastOf,
  networkOf,
  parseInterfaceAddress,
  parseNetwork,
} from "./network.ts";

test("a network is read back as itself, and its ends share its prefix", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(4 as const, 6 as const),
      fc.bigInt({ min: 0n, max: LAST_ADDRESS[6] }),
      fc.nat(128),
      (family, bits, length) => {
        const prefix = length % (FAMILY_BITS[family] + 1);
        const network = networkOf({ family, value: bits & LAST_ADDRESS[family] }, prefix);
        const mapped = family === 6 && network.value >> 32n === 0xffffn;
        fc.pre(!mapped);
        expect(parseNetwork(formatNetwork(network))).toEqual({ ok: true, value: network });
        expect(networkOf({ family, value: lastOf(network) }, prefix)).toEqual(network);
      },
    ),
    { numRuns: 300 },
  );
});

test.each([
  ["10.0.0.5/24", "the network is 10.0.0.0/24, the one address is 10.0.0.5"],
  ["2001:db8::1/64", "the network is 2001:db8::/64"],
  ["10.0.0.0", "no prefix length"],
  ["10.0.0.0/33", "from 0 to 32"],
  ["10.0.0.0/08", "from 0 to 32"],
  ["10.0.0.0/255.0.0.0", "from 0 to 32"],
  ["10.0.0.0/8/8", "from 0 to 32"],
  ["::/129", "from 0 to 128"],
  ["010.0.0.0/8", "leading zero"],
  ["::ffff:0:0/96", "IPv4-mapped"],
])("network %s is refused and the message says %s", (text, part) => {
  const parsed = parseNetwork(text);
  expect(parsed.ok ? "accepted" : parsed.error).toContain(part);
});

test.each([
  "10.20.10.1/24",
  "10.0.0.0/31",
  "10.0.0.1/31",
  "192.0.2.1/32",
  "2001:db8::1/64",
  "2001:db8::/127",
  "2001:db8::/128",
])("%s is the address of an interface", (text) => {
  const parsed = parseInterfaceAddress(text);
  expect(parsed.ok && formatInterfaceAddress(parsed.value)).toBe(text);
});

test.each([
  ["10.20.10.0/24", "like 10.20.10.1/24"],
  ["10.20.10.255/24", "broadcast"],
  ["2001:db8::/64", "like 2001:db8::1/64"],
  ["10.20.10.1", "no prefix length"],
])("interface address %s is refused and the message says %s", (text, part) => {
  const parsed = parseInterfaceAddress(text);
  expect(parsed.ok ? "accepted" : parsed.error).toContain(part);
});
