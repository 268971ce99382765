import { summary } from "./statistics.ts";

/** One line of the table and of the file. */
export interface Row {
  readonly part: string;
  readonly what: string;
  readonly unit: "ms" | "s" | "MB" | "applies/s" | "packets";
  readonly n: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  /** Medians of the same run divided by each other: this one by the one that is named. */
  readonly ratios: Readonly<Record<string, number>>;
  /** What the product aims at, where it aims at something; it judges nothing, for machines differ. */
  readonly goal: string;
}

/** What a part hands back, in the order in which it is shown. */
export function row(
  part: string,
  what: string,
  unit: Row["unit"],
  samples: readonly number[],
  more: { readonly against?: Readonly<Record<string, readonly number[]>>; readonly goal?: string } = {},
): Row {
  const { n, min, median, p95 } = summary(samples);
  const ratios = Object.fromEntries(
    Object.entries(more.against ?? {}).map(([name, others]) => [name, median / summary(others).median]),
  );
  return { part, what, unit, n, min, median, p95, ratios, goal: more.goal ?? "" };
}

/** For people. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map((one) => [
    one.part,
    one.what,
    String(one.n),
    ...[one.min, one.median, one.p95].map((value) => figure(value)),
    one.unit,
    Object.entries(one.ratios)
      .map(([name, ratio]) => `${ratio.toFixed(ratio < 10 ? 1 : 0)} × ${name}`)
      .join(", "),
    one.goal,
  ]);
  const lines = [["part", "what", "n", "min", "median", "p95", "unit", "ratio in this run", "goal"], ...cells];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  const isNumber = (column: number): boolean => column >= 2 && column <= 5;
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function figure(value: number): string {
  return value.toFixed(value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2);
}
