import fc from "fast-check";
import { expect, test } from "vitest";
import { waitBeforeSignIn } from "./lock-out.ts";

const quiet = { anywhere: 0, lastAnywhereMs: null };

test("typing slips are free; then each wrong password doubles the wait, up to a quarter of an hour", () => {
  const waits = [0, 4, 5, 6, 7, 30].map((here) => waitBeforeSignIn({ here, lastHereMs: 1_000, ...quiet }, 1_000));
  expect(waits).toEqual([0, 0, 2_000, 4_000, 8_000, 900_000]);
});

test("guessing from everywhere slows the owner down by a minute at most", () => {
  fc.assert(
    fc.property(fc.nat({ max: 100_000 }), fc.nat({ max: 1_000_000 }), (anywhere, nowMs) => {
      expect(
        waitBeforeSignIn({ here: 0, lastHereMs: null, anywhere, lastAnywhereMs: nowMs }, nowMs),
      ).toBeLessThanOrEqual(60_000);
    }),
  );
});

test("a wait always ends by itself", () => {
  fc.assert(
    fc.property(fc.nat({ max: 10_000 }), fc.nat({ max: 10_000 }), (here, anywhere) => {
      expect(waitBeforeSignIn({ here, lastHereMs: 0, anywhere, lastAnywhereMs: 0 }, 15 * 60_000)).toBe(0);
    }),
  );
});
