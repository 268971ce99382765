import fc from "fast-check";
import { expect, test } from "vitest";
import { likelySkewMs, narrowSkew, secondsLeft, UNKNOWN_SKEW } from "./server-clock.ts";

test("two clocks that agree are left alone", () => {
  expect(likelySkewMs(UNKNOWN_SKEW)).toBe(0);
  expect(likelySkewMs(narrowSkew(UNKNOWN_SKEW, 10_000, 10_100, 10_180))).toBe(0);
});

test("a laptop that is an hour behind counts down by the control plane's clock", () => {
  const hour = 3_600_000;
  const skew = narrowSkew(UNKNOWN_SKEW, 10_000 + hour, 10_400, 10_450);
  expect(Math.abs(likelySkewMs(skew) - hour)).toBeLessThanOrEqual(1000);
});

test("a clock that was set meanwhile begins anew", () => {
  const before = narrowSkew(UNKNOWN_SKEW, 10_000, 10_100, 10_180);
  const after = narrowSkew(before, 10_000, 90_100, 90_180);
  expect(likelySkewMs(after)).toBeLessThan(-70_000);
});

test("whatever the delays, the true difference stays inside of what is known", () => {
  const exchange = fc.record({
    at: fc.integer({ min: 0, max: 10_000_000 }),
    out: fc.integer({ min: 0, max: 4000 }),
    back: fc.integer({ min: 0, max: 4000 }),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
      fc.array(exchange, { minLength: 1, maxLength: 8 }),
      (trueSkew, exchanges) => {
        let skew = UNKNOWN_SKEW;
        for (const { at, out, back } of exchanges) {
          const serverMs = at + out + trueSkew;
          skew = narrowSkew(skew, Math.floor(serverMs / 1000) * 1000, at, at + out + back);
        }
        expect(skew.least).toBeLessThanOrEqual(trueSkew);
        expect(skew.most).toBeGreaterThanOrEqual(trueSkew);
      },
    ),
    { numRuns: 200 },
  );
});

test.each([
  ["2026-11-22T10:00:10.000Z", 10],
  ["2026-11-22T10:00:00.001Z", 1],
  ["2026-11-22T10:00:00.000Z", 0],
  ["2026-11-22T09:59:00.000Z", 0],
])("until %s there are %i s", (deadline, expected) => {
  expect(secondsLeft(deadline, Date.parse("2026-11-22T10:00:00.000Z"))).toBe(expected);
});
