import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Address,
  compareAddresses,
  formatAddress,
  LAST_ADDRESS,
  parseAddress,
  parseCanonicalAddress,
} from "./address.ts";

const anyAddress: fc.Arbitrary<Address> = fc.oneof(
  fc.bigInt({ min: 0n, max: LAST_ADDRESS[4] }).map((value): Address => ({ family: 4, value })),
  fc.bigInt({ min: 0n, max: LAST_ADDRESS[6] }).map((value): Address => ({ family: 6, value })),
  // Groups of few values, so that runs of zeros are common.
  fc
    .array(fc.constantFrom<bigint[]>(0n, 0n, 0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 })
    .map((groups): Address => ({
      family: 6,
      value: groups.reduce((value, group) => (value << 16n) | group, 0n),
    })),
);

test("what is formatted is read back as the same address", () => {
  fc.assert(
    fc.property(anyAddress, (address) => {
      const text = formatAddress(address);
      expect(parseCanonicalAddress(text)).toEqual({ ok: true, value: address });
      const mapped = address.family === 6 && address.value >> 32n === 0xffffn;
      expect(parseAddress(text).ok).toBe(!mapped);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["::", "::"],
  ["::1", "::1"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:0db8::0001", "2001:db8::1"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["64:ff9b::c000:201", "64:ff9b::c000:201"],
])("%s is written as %s", (text, canonical) => {
  const parsed = parseAddress(text);
  expect(parsed.ok && formatAddress(parsed.value)).toBe(canonical);
});

test.each([
  ["010.0.0.1", "leading zero"],
  ["10.1", "four numbers"],
  ["10.0.0.0.1", "four numbers"],
  ["10.0.0.256", "more than 255"],
  ["10.0.0.0x1", "0 to 255"],
  ["10.0.0.", "0 to 255"],
  [" 10.0.0.1", "0 to 255"],
  ["167772161", "not an address"],
  ["", "not an address"],
  ["::ffff:10.0.0.1", "write 10.0.0.1"],
  ["::ffff:a00:1", "write 10.0.0.1"],
  ["64:ff9b::192.0.2.1", "mixes"],
  ["fe80::1%eth0", "zone id"],
  ["1::2::3", "once"],
  ["1:2:3", "needs 8"],
  ["1:2:3:4:5:6:7:8:9", "needs 8"],
  ["1:2:3:4:5:6:7:8::", "stand for one"],
  ["12345::", "one to four"],
  [":1:2:3:4:5:6:7", "empty group"],
  ["1:::2", "empty group"],
  ["g::", "one to four"],
])("%s is refused and the message says %s", (text, part) => {
  const parsed = parseAddress(text);
  expect(parsed.ok ? "accepted" : parsed.error).toContain(part);
});

test("only the canonical spelling is read back as canonical", () => {
  expect(parseCanonicalAddress("2001:DB8::1").ok).toBe(false);
  expect(parseCanonicalAddress("::ffff:a00:1").ok).toBe(true);
});

test("IPv4 stands before IPv6", () => {
  expect(compareAddresses({ family: 4, value: LAST_ADDRESS[4] }, { family: 6, value: 0n })).toBeLessThan(0);
  expect(compareAddresses({ family: 4, value: 2n }, { family: 4, value: 1n })).toBeGreaterThan(0);
});
