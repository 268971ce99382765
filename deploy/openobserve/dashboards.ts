import { STREAM } from "./stream.ts";

/** One chart over the stream. `over` is what stands on the left of the chart's question: time, or a column. */
interface Chart {
  readonly title: string;
  readonly description: string;
  readonly type: "stacked" | "line" | "h-bar" | "table" | "metric";
  /** Columns in order: what it is drawn over, how much, and by what it is told apart. */
  readonly columns: {
    readonly x: readonly string[];
    readonly y: readonly string[];
    readonly breakdown: readonly string[];
  };
  readonly sql: string;
  /** A whole row, or half of one. */
  readonly isWide: boolean;
}

interface LogDashboard {
  readonly title: string;
  readonly description: string;
  readonly charts: readonly Chart[];
}

const overTime = (title: string, description: string, by: string, where: string): Chart => ({
  title,
  description,
  type: "stacked",
  columns: { x: ["at"], y: ["lines"], breakdown: [by] },
  sql: `select histogram(_timestamp) as at, ${by}, count(*) as lines from ${STREAM} where ${where} group by at, ${by} order by at`,
  isWide: false,
});

const most = (title: string, description: string, by: string, where: string): Chart => ({
  title,
  description,
  type: "h-bar",
  columns: { x: [by], y: ["times"], breakdown: [] },
  sql: `select ${by}, count(*) as times from ${STREAM} where ${where} group by ${by} order by times desc limit 20`,
  isWide: false,
});

export const LOG_DASHBOARDS: readonly LogDashboard[] = [
  {
    title: "Holdfast: applies",
    description:
      "How applies end, by the control planes' own lines. The numbers of deploy/grafana are the house's; these show the lines behind them.",
    charts: [
      overTime("Applies that ended", "By their result code; ok is APPLIED", "result_code", "message = 'apply ended'"),
      most(
        "Why they did not end well",
        "Result codes other than ok",
        "result_code",
        "message = 'apply ended' and result_code <> 'ok'",
      ),
      most("Servers that undid", "Where an undo was asked for", "host", "message = 'undo asked for'"),
      overTime(
        "Undone, by why",
        "An undo that nobody wanted is what a change came to",
        "result_code",
        "message = 'undo asked for'",
      ),
      {
        title: "The last that did not end well",
        description: "With the id by which one_apply in searches.json shows everything of it",
        type: "table",
        columns: { x: ["at", "target_host", "request_id", "result_code"], y: [], breakdown: [] },
        sql: `select _timestamp as at, target_host, request_id, result_code from ${STREAM} where message = 'apply ended' and result_code <> 'ok' order by _timestamp desc limit 50`,
        isWide: true,
      },
    ],
  },
  {
    title: "Holdfast: servers and processes",
    description: "What control planes and agents say, and where somebody should look",
    charts: [
      overTime("Lines by level", "A step up without applies is worth a look", "level", "level <> 'debug'"),
      most(
        "Errors by process",
        "session, guard, module, revert on servers; control and signer beside the database",
        "process",
        "level in ('error', 'fatal')",
      ),
      most("Servers with errors", "As journald names them", "host", "level in ('error', 'fatal')"),
      most(
        "Commands that a guard did not obey",
        "An old fence, another key, another server",
        "result_code",
        "message = 'command refused'",
      ),
      {
        title: "The last errors",
        description: "Also the last words of a process that broke",
        type: "table",
        columns: { x: ["at", "host", "process", "message", "result_code"], y: [], breakdown: [] },
        sql: `select _timestamp as at, host, process, message, result_code from ${STREAM} where level in ('error', 'fatal') order by _timestamp desc limit 50`,
        isWide: true,
      },
    ],
  },
];

/** The version of the format: field names are those of OpenObserve's `meta/dashboards/v8`. */
const VERSION = 8;
/** Columns of its grid, and the height of a chart in its rows. */
const GRID = 192;
const HEIGHT = 18;

/** `POST /api/{org}/dashboards?folder=default` */
export function dashboardJson({ title, description, charts }: LogDashboard): Readonly<Record<string, unknown>> {
  let x = 0;
  let y = 0;
  const panels = charts.map((chart, index) => {
    const width = chart.isWide ? GRID : GRID / 2;
    if (x + width > GRID) {
      x = 0;
      y += HEIGHT;
    }
    const layout = { x, y, w: width, h: HEIGHT, i: index + 1 };
    x += width;
    return panel(chart, layout);
  });
  return {
    version: VERSION,
    title,
    description,
    tabs: [{ tabId: "default", name: "Default", panels }],
    variables: { list: [], showDynamicFilters: true },
    defaultDatetimeDuration: { type: "relative", relativeTimePeriod: "1d" },
  };
}

function panel(chart: Chart, layout: { readonly i: number }): Readonly<Record<string, unknown>> {
  const axis = (name: string): Readonly<Record<string, unknown>> => ({
    label: name,
    alias: name,
    column: name,
    type: "custom",
    color: null,
  });
  return {
    id: `holdfast_${String(layout.i)}`,
    type: chart.type,
    title: chart.title,
    description: chart.description,
    config: { show_legends: true, legends_position: null, base_map: null, map_view: null },
    queryType: "sql",
    queries: [
      {
        query: chart.sql,
        vrlFunctionQuery: "",
        customQuery: true,
        fields: {
          stream: STREAM,
          stream_type: "logs",
          x: chart.columns.x.map(axis),
          y: chart.columns.y.map(axis),
          z: [],
          breakdown: chart.columns.breakdown.map(axis),
          filter: { filterType: "group", logicalOperator: "AND", conditions: [] },
        },
        config: { promql_legend: "" },
        joins: [],
      },
    ],
    layout,
    htmlContent: "",
    markdownContent: "",
    customChartContent: "",
  };
}
