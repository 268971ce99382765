/** A Grafana dashboard (schema version 39, Grafana 10 and newer) as plain data: what a panel asks, where it stands, in which unit. */
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

export function grafanaJson({ uid, title, panels, choice }: Dashboard): Record<string, unknown> {
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
        { name: "datasource", type: "datasource", query: "prometheus", label: "Prometheus", hide: 0, refresh: 1 },
        ...(choice === undefined ? [] : [choiceJson(choice)]),
      ],
    },
    annotations: { list: [] },
    links: [{ type: "dashboards", tags: ["holdfast"], title: "Holdfast", asDropdown: true, includeVars: true }],
    panels: placed,
  };
}

/** Asked anew whenever the times change: servers come and go. */
function choiceJson({ name, label, values }: Choice): Record<string, unknown> {
  const question = { query: values, refId: "choice" };
  return {
    name,
    type: "query",
    label,
    datasource: DATASOURCE,
    definition: values,
    query: question,
    refresh: 2,
    sort: 1,
    hide: 0,
  };
}

function panelJson(panel: Panel, id: number, gridPos: Record<string, number>): Record<string, unknown> {
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
      defaults: { unit: panel.unit, min: 0, thresholds: { mode: "absolute", steps } },
      overrides: [],
    },
    options:
      panel.kind === "stat"
        ? {
            reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
            colorMode: "value",
            graphMode: "area",
          }
        : {
            legend: { displayMode: "list", placement: "bottom", showLegend: true },
            tooltip: { mode: "multi", sort: "desc" },
          },
    targets: panel.queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      expr,
      legendFormat: legend,
      datasource: DATASOURCE,
      editorMode: "code",
      range: true,
    })),
  };
}
