/** Prometheus' text format for families that the database counts. What a process counts itself is prom-client's. */
export interface Family {
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
}

export function exposition(families: readonly Family[]): string {
  return families
    .map(({ name, type, help, samples }) => {
      const lines = samples.map(
        ({ suffix = "", labels = {}, value }) => `${name}${suffix}${labelText(labels)} ${value}`,
      );
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("\n")}${lines.length === 0 ? "" : "\n"}`;
    })
    .join("\n");
}

/** A histogram from counts that are cumulative already. */
export function histogram(
  name: string,
  help: string,
  bounds: readonly number[],
  spread: { readonly buckets: readonly number[]; readonly count: number; readonly seconds: number },
): Family {
  const buckets = bounds.map((bound, index): Sample => ({
    suffix: "_bucket",
    labels: { le: String(bound) },
    value: spread.buckets[index] ?? 0,
  }));
  return {
    name,
    type: "histogram",
    help,
    samples: [
      ...buckets,
      { suffix: "_bucket", labels: { le: "+Inf" }, value: spread.count },
      { suffix: "_sum", value: spread.seconds },
      { suffix: "_count", value: spread.count },
    ],
  };
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(
    ([key, value]) => `${key}="${value.replace(/[\\"\n]/g, (found) => (found === "\n" ? "\\n" : `\\${found}`))}"`,
  );
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}
