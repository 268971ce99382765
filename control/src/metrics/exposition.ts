/**
 * Prometheus' text format and OpenMetrics for families that the database counts. What a process counts itself is prom-client's. Exemplars stand in
 * OpenMetrics only: the older format has no place for them.
 */
export interface Family {
  /** Of a counter with its `_total`. */
  readonly name: string;
  readonly type: "gauge" | "counter" | "histogram";
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** After the family's name: `_bucket`, `_sum`, `_count`, or nothing. */
  readonly suffix?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar?: Exemplar;
}

/** One of those that were counted. Its labels have 128 characters at most, names included (OpenMetrics 1.0). */
export interface Exemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Seconds since 1970. */
  readonly at: number;
}

export type ExpositionFormat = "prometheus" | "openmetrics";

export const CONTENT_TYPES = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const satisfies Record<ExpositionFormat, string>;

/** What the reader asks for; Prometheus names every format that it knows, the best first. */
export function formatOf(accept: string | undefined): ExpositionFormat {
  return /application\/openmetrics-text(?![^,]*;\s*q=0(?:\.0*)?\s*(?:,|;|$))/i.test(accept ?? "")
    ? "openmetrics"
    : "prometheus";
}

export function exposition(families: readonly Family[], format: ExpositionFormat): string {
  return families
    .map(({ name, type, help, samples }) => {
      const family = format === "openmetrics" && type === "counter" ? name.replace(/_total$/, "") : name;
      const lines = samples.map(
        ({ suffix = "", labels = {}, value, exemplar }) =>
          `${name}${suffix}${labelText(labels)} ${value}${format === "openmetrics" ? exemplarText(exemplar) : ""}\n`,
      );
      return `# HELP ${family} ${help}\n# TYPE ${family} ${type}\n${lines.join("")}`;
    })
    .join("");
}

export interface Spread {
  /** For each bound, how many took at most so long. */
  readonly buckets: readonly number[];
  readonly count: number;
  readonly seconds: number;
  /** The newest of each bucket that has one, by the number of bounds below it. */
  readonly newest?: readonly { readonly bucket: number; readonly exemplar: Exemplar }[];
}

/** A histogram from counts that are cumulative already. */
export function histogram(
  name: string,
  help: string,
  bounds: readonly number[],
  spreads: readonly (Spread & { readonly labels?: Readonly<Record<string, string>> })[],
): Family {
  return { name, type: "histogram", help, samples: spreads.flatMap((spread) => samplesOf(bounds, spread)) };
}

function samplesOf(
  bounds: readonly number[],
  { labels = {}, buckets, count, seconds, newest = [] }: Parameters<typeof histogram>[3][number],
): readonly Sample[] {
  const counts = [
    ...bounds.map((bound, index) => [String(bound), buckets[index] ?? 0] as const),
    ["+Inf", count] as const,
  ];
  return [
    ...counts.map(([le, value], index): Sample => {
      const exemplar = newest.find(({ bucket }) => bucket === index)?.exemplar;
      return { suffix: "_bucket", labels: { ...labels, le }, value, ...(exemplar === undefined ? {} : { exemplar }) };
    }),
    { suffix: "_sum", labels, value: seconds },
    { suffix: "_count", labels, value: count },
  ];
}

function exemplarText(exemplar: Exemplar | undefined): string {
  return exemplar === undefined ? "" : ` # ${labelText(exemplar.labels)} ${exemplar.value} ${exemplar.at.toFixed(3)}`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(
    ([key, value]) => `${key}="${value.replace(/[\\"\n]/g, (found) => (found === "\n" ? "\\n" : `\\${found}`))}"`,
  );
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}
