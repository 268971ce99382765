import { type ObjectiveStanding, objectivesSchema } from "@holdfast/core/api/objective.ts";
import type { ObjectiveName } from "@holdfast/core/objective/objective.ts";
import { buildRouteMap } from "@stricli/core";
import type { Context } from "../context.ts";
import { verb } from "../verb.ts";
import { painter } from "../view/style.ts";
import { table } from "../view/table.ts";

const WHAT = {
  success: "ended as requested",
  in_time: "ended in time, whatever the end",
  recovery: "cut off by a change, as before in time",
} as const satisfies Record<ObjectiveName, string>;

const list = verb({
  brief: "What is promised over thirty days, and how much of what may go wrong is left",
  example: "objective list",
  run: async (client) => {
    const value = await client.call("listObjectives", { answer: objectivesSchema });
    return { value, text: (context) => printObjectives(context, value.items) };
  },
});

export const objectiveRoutes = buildRouteMap({
  routes: { list },
  docs: { brief: "What is promised, and whether it is kept" },
});

function printObjectives(context: Context, items: readonly ObjectiveStanding[]): string {
  return table(
    context,
    ["objective", "promised", "is", "of", "budget left", "what"],
    items.map((item) => [
      item.name,
      percent(item.promised),
      item.share === null ? "-" : percent(item.share),
      String(item.counted),
      budget(context, item.budgetLeft),
      `${WHAT[item.name]}${item.withinSeconds === null ? "" : ` (${String(item.withinSeconds)} s)`}`,
    ]),
    "Nothing is promised.",
  );
}

function budget(context: Context, left: number | null): string {
  if (left === null) return "-";
  return left < 0 ? painter(context)("red", `spent (${percent(left)})`) : percent(left);
}

/** Cut, not rounded: 94.99 % is not what 95 % is. */
function percent(share: number): string {
  return `${(Math.floor(share * 1000 + 1e-9) / 10).toFixed(1)} %`;
}
