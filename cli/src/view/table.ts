import type { Context } from "../context.ts";
import { width } from "./style.ts";

/** Between two columns. */
const GAP = 2;
/** A column is not made narrower than this by breaking lines: three words a line can be read, one cannot. */
const NARROW = 16;

/**
 * Columns under their headings, two spaces apart, no trailing blanks. An empty table says so in `empty`. In a terminal it is not wider than
 * that: lines are broken between words, and where that is not enough each row stands as a block. Whatever reads a pipe gets one line a row.
 */
export function table(
  context: Context,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  empty: string,
): string {
  if (rows.length === 0) return `${empty}\n`;
  const heads = headings.map((heading) => heading.toUpperCase());
  const widths = fitted(heads, rows, context.process.stdout.columns);
  if (widths === null) return rows.map((row) => block(heads, row)).join("\n");
  return [heads, ...rows].map((row) => line(row, widths)).join("");
}

/** Null: no breaking of lines makes them fit. */
function fitted(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number | undefined,
): readonly number[] | null {
  const most = (of: (cell: string) => number): number[] =>
    heads.map((head, column) => Math.max(width(head), ...rows.map((row) => of(row[column] ?? ""))));
  const widths = most(width);
  if (columns === undefined) return widths;
  const least = most((cell) => Math.max(Math.min(width(cell), NARROW), longestWord(cell)));
  const room = columns - GAP * (heads.length - 1);
  if (sum(least) > room) return null;
  for (let over = sum(widths) - room; over > 0; over--) {
    const widest = widths.reduce(
      (best, size, column) => (size > (least[column] ?? 0) && (best < 0 || size > (widths[best] ?? 0)) ? column : best),
      -1,
    );
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function line(row: readonly string[], widths: readonly number[]): string {
  const cells = widths.map((size, column) => broken(row[column] ?? "", size));
  const height = Math.max(...cells.map((cell) => cell.length));
  let text = "";
  for (let at = 0; at < height; at++)
    text += `${cells
      .map((cell, column) => padded(cell[at] ?? "", widths[column] ?? 0))
      .join(" ".repeat(GAP))
      .trimEnd()}\n`;
  return text;
}

function block(heads: readonly string[], row: readonly string[]): string {
  const widest = Math.max(...heads.map(width));
  return heads
    .map((head, column) => `${padded(head, widest + GAP)}${row[column] ?? ""}`.trimEnd())
    .map((text) => `${text}\n`)
    .join("");
}

function broken(cell: string, size: number): readonly string[] {
  if (width(cell) <= size) return [cell];
  const lines: string[] = [];
  let current = "";
  for (const word of cell.split(" ")) {
    const longer = current === "" ? word : `${current} ${word}`;
    if (width(longer) <= size) current = longer;
    else {
      lines.push(current);
      current = word;
    }
  }
  return [...lines, current];
}

/** What is painted is not broken: the paint would run over the other columns. */
function longestWord(cell: string): number {
  return cell.includes("\u001b") ? width(cell) : Math.max(...cell.split(" ").map(width));
}

function padded(text: string, size: number): string {
  return text + " ".repeat(Math.max(0, size - width(text)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
