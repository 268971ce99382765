import { width } from "./style.ts";

/** Columns under their headings, two spaces apart, no trailing blanks. An empty table says so in `empty`. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[], empty: string): string {
  if (rows.length === 0) return `${empty}\n`;
  const widths = headings.map((heading, column) =>
    Math.max(width(heading), ...rows.map((row) => width(row[column] ?? ""))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - width(cell))))
      .join("  ")
      .trimEnd();
  return `${[headings.map((heading) => heading.toUpperCase()), ...rows].map(line).join("\n")}\n`;
}
