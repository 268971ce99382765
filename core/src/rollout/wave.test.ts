import fc from "fast-check";
import { expect, test } from "vitest";
import { DEFAULT_WAVES } from "../compose/floor-settings.ts";
import { planWaves } from "./wave.ts";

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `server-${index}`);
const sizes = (count: number, settings = DEFAULT_WAVES): number[] =>
  planWaves(names(count), settings, 7).map((wave) => wave.length);

test("S50: one server is one wave, and more begin with a canary", () => {
  expect(sizes(1)).toEqual([1]);
  expect(sizes(2)).toEqual([1, 1]);
  expect(sizes(3)).toEqual([1, 2]);
  expect(sizes(20)).toEqual([1, 4, 15]);
  expect(sizes(50, { ...DEFAULT_WAVES, canary: 2, percent: [10, 50] })).toEqual([2, 3, 20, 25]);
});

test("a canary setting larger than the fleet still leaves somebody for later", () => {
  expect(sizes(3, { ...DEFAULT_WAVES, canary: 9 })).toEqual([2, 1]);
  expect(sizes(2, { ...DEFAULT_WAVES, canary: 0, percent: [] })).toEqual([1, 1]);
});

test("another seed gives another order, the same seed the same", () => {
  expect(planWaves(names(30), DEFAULT_WAVES, 1)).toEqual(planWaves(names(30).reverse(), DEFAULT_WAVES, 1));
  expect(planWaves(names(30), DEFAULT_WAVES, 1)).not.toEqual(planWaves(names(30), DEFAULT_WAVES, 2));
});

test("W1, W2, W3 for any fleet and any settings", () => {
  const settings = fc.record({
    canary: fc.integer({ min: 0, max: 40 }),
    percent: fc.array(fc.integer({ min: 0, max: 150 }), { maxLength: 6 }),
    pauseSeconds: fc.constant(0),
    atOnce: fc.constant(10),
  });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 120 }), settings, fc.integer(), (count, wave, seed) => {
      const waves = planWaves(names(count), wave, seed);
      expect(waves.flat().toSorted()).toEqual(names(count).toSorted());
      expect(waves.every((members) => members.length > 0)).toBe(true);
      if (count > 1) expect(waves.length).toBeGreaterThan(1);
      expect(planWaves(names(count), wave, seed)).toEqual(waves);
    }),
    { numRuns: 200 },
  );
});

test("W4: servers that belong together are in one wave, side by side", () => {
  const pairs = [
    ["server-0", "server-1"],
    ["server-1", "server-2"],
    ["server-7", "elsewhere"],
  ];
  const whole = planWaves(names(2), DEFAULT_WAVES, 7, [["server-0", "server-1"]]);
  expect(whole.map((wave) => wave.length)).toEqual([2]);
  fc.assert(
    fc.property(fc.integer({ min: 3, max: 60 }), fc.integer(), (count, seed) => {
      const waves = planWaves(names(count), DEFAULT_WAVES, seed, pairs);
      expect(waves.flat().toSorted()).toEqual(names(count).toSorted());
      const first = waves.find((wave) => wave.includes("server-0")) ?? [];
      const places = ["server-0", "server-1", "server-2"].map((name) => first.indexOf(name)).toSorted((a, b) => a - b);
      expect(places[0]).toBeGreaterThanOrEqual(0);
      expect((places[2] ?? 0) - (places[0] ?? 0)).toBe(2);
    }),
    { numRuns: 100 },
  );
});
