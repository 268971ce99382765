/**
 * A Grafana dashboard (schema version 39, Grafana 10 and newer) as plain data: what a panel asks, where it stands, in which unit.
 * What is made of it has the types that Grafana's own schema has, so that the compiler refuses a key or a word that Grafana does not know.
 */
import {
  BigValueColorMode,
  BigValueGraphMode,
  type Dashboard as GrafanaDashboard,
  type DashboardLink,
  type DataQuery,
  type Panel as GrafanaPanel,
  SortOrder,
  ThresholdsMode,
  TooltipDisplayMode,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from "@grafana/schema";
import type { Options as StatOptions } from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type { Options as TimeSeriesOptions } from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

export interface Query {
  readonly expr: string;
  /** Grafana's own legend form, with {{label}}. */
  readonly legend: string;
}

/** Grafana's names of units. */
export type Unit = "short" | "s" | "percentunit" | "bytes" | "none";

export interface Panel {
  readonly kind: "timeseries" | "stat";
  readonly title: string;
  /** What it means and what to do when it looks wrong. */
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly [Query, ...Query[]];
  /** Of 24 columns. */
  readonly width: 4 | 6 | 8 | 12 | 24;
  /** From this value on it is red. */
  readonly badFrom?: number;
}

export interface Dashboard {
  /** Stable: links and provisioning know it by this. */
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  /** What is chosen above the panels, and asked for in them as $name. */
  readonly choice?: Choice;
}

export interface Choice {
  readonly name: string;
  readonly label: string;
  /** Grafana's own question for the values, for example `label_values(metric, label)`. */
  readonly values: string;
}

const COLUMNS = 24;
const HEIGHT = { stat: 5, timeseries: 8 } as const satisfies Record<Panel["kind"], number>;
/** The variable that Grafana asks for at the import: which Prometheus. */
const DATASOURCE = { type: "prometheus", uid: "${datasource}" } as const;

/** To the other dashboards of Holdfast, with the same times and the same choice. */
const OTHERS: DashboardLink = {
  type: "dashboards",
  tags: ["holdfast"],
  title: "Holdfast",
  tooltip: "The other dashboards of Holdfast",
  icon: "external link",
  asDropdown: true,
  includeVars: true,
  keepTime: true,
  targetBlank: false,
};

/** What Grafana's Prometheus asks beside what every query has; its schema has no types for this one. */
interface PrometheusQuery extends DataQuery {
  readonly expr: string;
  readonly legendFormat: string;
  readonly editorMode: "code";
  readonly range: boolean;
}

/** What a chart sets itself; the rest is Grafana's own. */
const OPTIONS = {
  stat: {
    reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
    colorMode: BigValueColorMode.Value,
    graphMode: BigValueGraphMode.Area,
  } satisfies Partial<StatOptions>,
  timeseries: {
    legend: { placement: "bottom", showLegend: true, calcs: [] },
    tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
  } satisfies { legend: Partial<TimeSeriesOptions["legend"]>; tooltip: TimeSeriesOptions["tooltip"] },
} as const satisfies Record<Panel["kind"], Record<string, unknown>>;

export function grafanaJson({ uid, title, panels, choice }: Dashboard): GrafanaDashboard {
  let [x, y, rowHeight] = [0, 0, 0];
  const placed = panels.map((panel, index) => {
    if (x + panel.width > COLUMNS) [x, y, rowHeight] = [0, y + rowHeight, 0];
    const gridPos = { x, y, w: panel.width, h: HEIGHT[panel.kind] };
    x += panel.width;
    rowHeight = Math.max(rowHeight, gridPos.h);
    return panelJson(panel, index + 1, gridPos);
  });
  return {
    uid,
    title,
    tags: ["holdfast"],
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    timezone: "",
    templating: {
      list: [
        {
          name: "datasource",
          type: "datasource",
          query: "prometheus",
          label: "Prometheus",
          refresh: VariableRefresh.onDashboardLoad,
        },
        ...(choice === undefined ? [] : [choiceJson(choice)]),
      ],
    },
    annotations: { list: [] },
    links: [OTHERS],
    panels: placed,
  };
}

/** Asked anew whenever the times change: servers come and go. */
function choiceJson({ name, label, values }: Choice): VariableModel {
  const question = { query: values, refId: "choice" };
  return {
    name,
    type: "query",
    label,
    datasource: DATASOURCE,
    query: question,
    refresh: VariableRefresh.onTimeRangeChanged,
    sort: VariableSort.alphabeticalAsc,
  };
}

function panelJson(panel: Panel, id: number, gridPos: NonNullable<GrafanaPanel["gridPos"]>): GrafanaPanel {
  const steps = [
    { color: "green", value: null },
    ...(panel.badFrom === undefined ? [] : [{ color: "red", value: panel.badFrom }]),
  ];
  return {
    id,
    type: panel.kind,
    title: panel.title,
    description: panel.description,
    gridPos,
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: { unit: panel.unit, min: 0, thresholds: { mode: ThresholdsMode.Absolute, steps } },
      overrides: [],
    },
    options: OPTIONS[panel.kind],
    targets: panel.queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      expr,
      legendFormat: legend,
      datasource: DATASOURCE,
      editorMode: "code",
      range: true,
    })) satisfies readonly PrometheusQuery[],
  };
}
