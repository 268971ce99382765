import type { ObjectiveStanding } from "@holdfast/core/api/objective.ts";
import type { RouteName } from "@holdfast/core/api/route.ts";
import {
  type Counted,
  OBJECTIVE_DAYS,
  OBJECTIVE_NAMES,
  type ObjectiveName,
  OBJECTIVES,
  standingOf,
} from "@holdfast/core/objective/objective.ts";
import type { MockCall, MockHandler } from "./call.ts";

/** A month of a house that is used daily: one promise well kept, one close to its end, one broken. */
const A_MONTH = {
  success: { all: 214, good: 209 },
  in_time: { all: 214, good: 204 },
  recovery: { all: 3, good: 2 },
} as const satisfies Record<ObjectiveName, Counted>;
const NOTHING: Counted = { all: 0, good: 0 };

function standing({ state }: MockCall): readonly ObjectiveStanding[] {
  return OBJECTIVE_NAMES.map((name) => {
    // A house without servers has nothing behind it.
    const counted = state.servers.length === 0 ? NOTHING : A_MONTH[name];
    const { all, good } = counted;
    return { name, ...OBJECTIVES[name], counted: all, good, ...standingOf(OBJECTIVES[name], counted) };
  });
}

export const OBJECTIVE_HANDLERS = {
  listObjectives: (call) => ({ status: 200, body: { days: OBJECTIVE_DAYS, items: standing(call) } }),
} as const satisfies Partial<Record<RouteName, MockHandler>>;
