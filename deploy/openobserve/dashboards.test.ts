/** Dashboards in OpenObserve's own format, held to the fields that its version 8 has, and to the columns that the way there fills. */
import { withDatabase } from "@holdfast/testkit/database.ts";
import { HOLDFAST_VRL } from "@holdfast/testkit/vector/vrl.ts";
import { expect, test } from "vitest";
import { z } from "zod";
import { FILES } from "./content.ts";
import { LOG_DASHBOARDS } from "./dashboards.ts";

const axisSchema = z.strictObject({
  label: z.string(),
  alias: z.string(),
  column: z.string(),
  type: z.enum(["build", "raw", "custom"]),
  color: z.string().nullable(),
});

/** Strict: a field that it does not have would be lost without a word, and one that is missing is refused by it. */
const dashboardSchema = z.strictObject({
  version: z.literal(8),
  title: z.string().min(1),
  description: z.string(),
  tabs: z.array(
    z.strictObject({
      tabId: z.string(),
      name: z.string(),
      panels: z.array(
        z.strictObject({
          id: z.string(),
          type: z.enum([
            "area",
            "area-stacked",
            "bar",
            "h-bar",
            "line",
            "scatter",
            "stacked",
            "h-stacked",
            "pie",
            "donut",
            "metric",
            "gauge",
            "table",
          ]),
          title: z.string(),
          description: z.string(),
          config: z.strictObject({
            show_legends: z.boolean(),
            legends_position: z.null(),
            base_map: z.null(),
            map_view: z.null(),
          }),
          queryType: z.literal("sql"),
          queries: z.array(
            z.strictObject({
              query: z.string(),
              vrlFunctionQuery: z.string(),
              customQuery: z.literal(true),
              fields: z.strictObject({
                stream: z.string(),
                stream_type: z.literal("logs"),
                x: z.array(axisSchema),
                y: z.array(axisSchema),
                z: z.array(axisSchema),
                breakdown: z.array(axisSchema),
                filter: z.strictObject({
                  filterType: z.literal("group"),
                  logicalOperator: z.enum(["AND", "OR"]),
                  conditions: z.tuple([]),
                }),
              }),
              config: z.strictObject({ promql_legend: z.string() }),
              joins: z.tuple([]),
            }),
          ),
          layout: z.strictObject({ x: z.int(), y: z.int(), w: z.int(), h: z.int(), i: z.int() }),
          htmlContent: z.literal(""),
          markdownContent: z.literal(""),
          customChartContent: z.literal(""),
        }),
      ),
    }),
  ),
  variables: z.strictObject({ list: z.tuple([]), showDynamicFilters: z.boolean() }),
  defaultDatetimeDuration: z.strictObject({
    type: z.enum(["relative", "absolute"]),
    relativeTimePeriod: z.string().regex(/^\d+[smhdwM]$/),
  }),
});

const dashboards = z.array(dashboardSchema).parse(FILES["dashboards.json"]);
const panels = dashboards.flatMap(({ tabs }) => tabs.flatMap((tab) => tab.panels));

test("every field is one of the format, panels have ids of their own and do not lie on each other", () => {
  expect(dashboards.map(({ title }) => title)).toEqual(LOG_DASHBOARDS.map(({ title }) => title));
  for (const { tabs } of dashboards) {
    const placed = tabs.flatMap((tab) => tab.panels);
    expect(new Set(placed.map(({ id }) => id)).size).toBe(placed.length);
    const taken = new Set<string>();
    for (const { layout } of placed) {
      expect(layout.x + layout.w).toBeLessThanOrEqual(192);
      for (let x = layout.x; x < layout.x + layout.w; x++) {
        expect(taken.has(`${String(x)} ${String(layout.y)}`)).toBe(false);
        taken.add(`${String(x)} ${String(layout.y)}`);
      }
    }
  }
});

test("every question is SQL over columns that the way there fills, and gives each axis its column", async () => {
  const columns = [...new Set([...HOLDFAST_VRL.matchAll(/^\s*\.(\w+) = /gm)].map(([, name = ""]) => name))];
  await withDatabase(async ({ owner }) => {
    // OpenObserve's own function; what it gives is a time.
    await owner.run({
      text: "create function holdfast.histogram(at text) returns text language sql as 'select at'",
      values: [],
    });
    const stream = `with holdfast as (select ${columns.map((name) => `'x'::text as "${name}"`).join(", ")})`;
    for (const { title, queries } of panels)
      for (const { query, fields } of queries) {
        const rows = await owner.rows<Record<string, unknown>>({
          text: `${stream} select * from (${query}) asked right join (values (1)) one on true`,
          values: [],
        });
        const given = Object.keys(rows[0] ?? {});
        for (const { alias } of [...fields.x, ...fields.y, ...fields.breakdown]) expect(given, title).toContain(alias);
      }
  });
});
