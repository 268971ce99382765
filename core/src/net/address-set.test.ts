import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type AddressSet,
  addressSetFromJson,
  addressSetFromText,
  addressSetToJson,
  ANY,
  contains,
  EMPTY,
  equals,
  intersect,
  isEmpty,
  isSubset,
  onlyFamily,
  overlaps,
  setOfNetwork,
  setOfRange,
  subtract,
  toNetworks,
  toRangesText,
  union,
} from "./address-set.ts";
import { type Address, LAST_ADDRESS } from "./address.ts";

/** A universe of 32 addresses of each family at the very end of the space, where an overflow would show. */
const SIZE = 32;
type Bits = readonly boolean[];
const bits = fc.array(fc.boolean(), { minLength: 2 * SIZE, maxLength: 2 * SIZE });

function addressAt(index: number): Address {
  const family = index < SIZE ? 4 : 6;
  return { family, value: LAST_ADDRESS[family] - BigInt(SIZE - 1 - (index % SIZE)) };
}

function setOf(model: Bits): AddressSet {
  return union(
    ...model.flatMap((present, index) => {
      const { family, value } = addressAt(index);
      return present ? [setOfRange(family, { first: value, last: value })] : [];
    }),
  );
}

function modelOf(set: AddressSet): Bits {
  return Array.from({ length: 2 * SIZE }, (_, index) => contains(set, addressAt(index)));
}

test("the algebra agrees with a model of bits", () => {
  fc.assert(
    fc.property(bits, bits, (a, b) => {
      const [left, right] = [setOf(a), setOf(b)];
      expect(modelOf(union(left, right))).toEqual(a.map((bit, index) => bit || b[index]));
      expect(modelOf(intersect(left, right))).toEqual(a.map((bit, index) => bit && b[index]));
      expect(modelOf(subtract(left, right))).toEqual(a.map((bit, index) => bit && !b[index]));
      expect(isSubset(left, right)).toBe(a.every((bit, index) => !bit || b[index]));
      expect(overlaps(left, right)).toBe(a.some((bit, index) => bit && b[index]));
      expect(isEmpty(left)).toBe(!a.includes(true));
      expect(equals(left, right)).toBe(a.every((bit, index) => bit === b[index]));
    }),
    { numRuns: 200 },
  );
});

test("equal sets have equal ranges, however they were made", () => {
  fc.assert(
    fc.property(bits, bits, (a, b) => {
      const [left, right] = [setOf(a), setOf(b)];
      expect(union(right, left)).toEqual(union(left, right));
      expect(subtract(union(left, right), subtract(right, left))).toEqual(left);
      expect(subtract(ANY, subtract(ANY, left))).toEqual(left);
      expect(intersect(ANY, left)).toEqual(left);
      expect(union(onlyFamily(left, 4), onlyFamily(left, 6))).toEqual(left);
    }),
    { numRuns: 200 },
  );
});

test("networks and texts are exactly the set", () => {
  fc.assert(
    fc.property(bits, (model) => {
      const set = setOf(model);
      expect(union(...toNetworks(set).map(setOfNetwork))).toEqual(set);
      expect(addressSetFromJson(addressSetToJson(set))).toEqual({ ok: true, value: set });
      for (const text of toRangesText(set)) expect(addressSetFromText(text).ok).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test("the list of networks is minimal: no two of them are the halves of one", () => {
  fc.assert(
    fc.property(bits, (model) => {
      const networks = toNetworks(setOf(model));
      for (const [index, network] of networks.entries()) {
        const next = networks[index + 1];
        if (next === undefined || next.family !== network.family || next.prefix !== network.prefix) continue;
        const size = 1n << BigInt((network.family === 4 ? 32 : 128) - network.prefix);
        expect(next.value === network.value + size && (network.value & size) === 0n).toBe(false);
      }
    }),
    { numRuns: 200 },
  );
});

test.each([
  ["10.0.0.1", ["10.0.0.1"]],
  ["10.0.0.0/24", ["10.0.0.0/24"]],
  ["10.0.0.0-10.0.0.255", ["10.0.0.0/24"]],
  ["10.0.0.1-10.0.0.2", ["10.0.0.1-10.0.0.2"]],
  ["10.0.0.1/32", ["10.0.0.1"]],
  ["2001:db8::-2001:db8::ff", ["2001:db8::/120"]],
])("%s is %j", (text, expected) => {
  const set = addressSetFromText(text);
  expect(set.ok && toRangesText(set.value)).toEqual(expected);
});

test.each([
  ["10.0.0.5/24", "host bits"],
  ["10.0.0.9-10.0.0.1", "runs backwards"],
  ["10.0.0.1-::1", "family"],
  ["10.0.0.1-10.0.0.2-10.0.0.3", "range of addresses"],
  ["office", "not an address"],
])("%s is refused and the message says %s", (text, part) => {
  const set = addressSetFromText(text);
  expect(set.ok ? "accepted" : set.error).toContain(part);
});

test("another spelling of a set is not its canonical JSON", () => {
  expect(addressSetFromJson(["10.0.0.0/25", "10.0.0.128/25"]).ok).toBe(false);
  expect(addressSetFromJson(["2001:DB8::1"]).ok).toBe(false);
  expect(addressSetFromJson([])).toEqual({ ok: true, value: EMPTY });
  expect(addressSetFromJson(["0.0.0.0/0", "::/0"])).toEqual({ ok: true, value: ANY });
});
