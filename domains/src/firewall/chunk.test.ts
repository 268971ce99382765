import fc from "fast-check";
import { expect, test } from "vitest";
import { chunksOf } from "./chunk.ts";

const names = fc
  .uniqueArray(fc.integer({ min: 0, max: 5_000 }), { minLength: 0, maxLength: 1_500 })
  .map((numbers) => numbers.map((number) => ({ name: `rule-${number}` })));

test("chunks are the rules in order, none empty, none long, each named by its first rule", () => {
  fc.assert(
    fc.property(names, (items) => {
      const chunks = chunksOf(items);
      expect(chunks.flatMap((chunk) => chunk.items)).toEqual(items);
      for (const [index, chunk] of chunks.entries()) {
        expect(chunk.items.length).toBeGreaterThan(0);
        expect(chunk.items.length).toBeLessThanOrEqual(128);
        expect(chunk.first).toBe(index === 0 ? null : (chunk.items[0]?.name ?? ""));
      }
    }),
    { numRuns: 50 },
  );
});

test("one rule put in or taken out changes few chunks, wherever it stands", () => {
  const items = Array.from({ length: 10_000 }, (_, index) => ({ name: `rule-${index}` }));
  const texts = (list: readonly { readonly name: string }[]) =>
    new Map(chunksOf(list).map((chunk) => [chunk.first, chunk.items.map((item) => item.name).join()]));
  const before = texts(items);
  for (const at of [0, 1, 63, 64, 5_000, 9_998, 9_999]) {
    const without = texts(items.toSpliced(at, 1));
    const added = texts(items.toSpliced(at, 0, { name: `new-${at}` }));
    for (const after of [without, added]) {
      const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
        (first) => before.get(first) !== after.get(first),
      );
      expect(changed.length).toBeLessThanOrEqual(3);
    }
  }
  expect(before.size).toBeGreaterThan(100);
  expect(before.size).toBeLessThan(300);
});
