import { expect, test } from "vitest";
import { OBJECTIVE_NAMES, OBJECTIVES, standingOf } from "./objective.ts";

test("nothing counted is no share; all good leaves the whole budget; as much bad as may be leaves none; more is below zero", () => {
  for (const name of OBJECTIVE_NAMES) {
    const objective = OBJECTIVES[name];
    expect(standingOf(objective, { all: 0, good: 0 })).toEqual({ share: null, budgetLeft: null });
    expect(standingOf(objective, { all: 7, good: 7 })).toEqual({ share: 1, budgetLeft: 1 });
    expect(standingOf(objective, { all: 1000, good: 1000 * objective.promised }).budgetLeft).toBeCloseTo(0, 9);
    expect(standingOf(objective, { all: 10, good: 0 }).budgetLeft).toBeLessThan(0);
  }
});
