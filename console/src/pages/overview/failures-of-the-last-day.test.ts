import { expect, test } from "vitest";
import { seed } from "../../../mock-api/seed.ts";
import { applySummary } from "../../../mock-api/view.ts";
import { barsOfTheLastDay, failuresOfTheLastDay } from "./failures-of-the-last-day.ts";

const NOW = Date.parse("2026-11-22T10:00:00Z");
const state = seed("busy", NOW);
const applies = state.applies.map((apply) => applySummary(apply, NOW));

test("failed and undone applies of the day, and the bars count each apply that ended once", () => {
  expect(
    failuresOfTheLastDay(applies, NOW)
      .map((apply) => apply.code ?? "")
      .toSorted(),
  ).toEqual(["apply.drift_in_the_way", "apply.not_reconnected", "apply.probe_failed", "apply.restore_failed"]);
  const bars = barsOfTheLastDay(applies, NOW);
  expect(bars).toHaveLength(24);
  const sum = (pick: (bar: (typeof bars)[number]) => number): number =>
    bars.reduce((total, bar) => total + pick(bar), 0);
  expect([sum((bar) => bar.applied), sum((bar) => bar.undone), sum((bar) => bar.failed)]).toEqual([8, 2, 2]);
});

test("a day later nothing of it is left", () => {
  expect(failuresOfTheLastDay(applies, NOW + 86_400_000)).toEqual([]);
});
