/** Dashboards in OpenObserve's own format, held to the fields that its version 8 has, and to the columns that the way there fills. */
import { withDatabase } from "@holdfast/testkit/database.ts";
import { HOLDFAST_VRL } from "@holdfast/testkit/vector/vrl.ts";
import { expect, test } from "vitest";
import { FILES } from "./content.ts";
import { LOG_DASHBOARDS } from "./dashboards.ts";

interface Axis {
  readonly alias: string;
}
interface Panel {
  readonly id: string;
  readonly title: string;
  readonly type: string;
  readonly layout: { readonly x: number; readonly y: number; readonly w: number };
  readonly queries: readonly {
    readonly query: string;
    readonly fields: { readonly x: readonly Axis[]; readonly y: readonly Axis[]; readonly breakdown: readonly Axis[] };
  }[];
}
interface Dashboard {
  readonly title: string;
  readonly tabs: readonly { readonly panels: readonly Panel[] }[];
}

/**
 * What stands at each place of a document of version 8, by the place's name without numbers: a field that it does not have would be lost without a word,
 * and one that is missing is refused by it.
 */
const FIELDS: Readonly<Record<string, string>> = {
  "": "defaultDatetimeDuration description tabs title variables version",
  defaultDatetimeDuration: "relativeTimePeriod type",
  variables: "list showDynamicFilters",
  tabs: "name panels tabId",
  "tabs.panels":
    "config customChartContent description htmlContent id layout markdownContent queries queryType title type",
  "tabs.panels.config": "base_map legends_position map_view show_legends",
  "tabs.panels.layout": "h i w x y",
  "tabs.panels.queries": "config customQuery fields joins query vrlFunctionQuery",
  "tabs.panels.queries.config": "promql_legend",
  "tabs.panels.queries.fields": "breakdown filter stream stream_type x y z",
  "tabs.panels.queries.fields.filter": "conditions filterType logicalOperator",
  "tabs.panels.queries.fields.x": "alias color column label type",
  "tabs.panels.queries.fields.y": "alias color column label type",
  "tabs.panels.queries.fields.breakdown": "alias color column label type",
};
const TYPES = ["area", "bar", "h-bar", "line", "stacked", "h-stacked", "pie", "donut", "metric", "gauge", "table"];

/** Where a document differs from the format. */
function strays(value: unknown, place = ""): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one) => strays(one, place));
  if (typeof value !== "object" || value === null) return [];
  const found = Object.keys(value).toSorted().join(" ");
  const below = Object.entries(value).flatMap(([name, one]) => strays(one, place === "" ? name : `${place}.${name}`));
  return found === FIELDS[place] ? below : [`${place}: ${found}`, ...below];
}

const dashboards = FILES["dashboards.json"] as readonly Dashboard[];
const panels = dashboards.flatMap(({ tabs }) => tabs.flatMap((tab) => tab.panels));

test("every field is one of the format, panels have ids of their own and do not lie on each other", () => {
  expect(strays(dashboards)).toEqual([]);
  expect(strays({ ...dashboards[0], refresh: 5 })).toHaveLength(1);
  for (const { type } of panels) expect(TYPES).toContain(type);
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
