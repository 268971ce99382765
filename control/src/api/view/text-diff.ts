/** Lines of agreement shown around each difference. */
const CONTEXT = 3;
/** Beyond this the difference is shown as "all out, all in": the table of the comparison would not fit into memory. */
const MOST_CELLS = 25_000_000;

interface Line {
  readonly mark: " " | "-" | "+";
  readonly text: string;
}

/** A unified diff of two texts; empty when they are the same. */
export function unifiedDiff(from: string, to: string, fromName: string, toName: string): string {
  if (from === to) return "";
  const lines = compareLines(from.split("\n"), to.split("\n"));
  const out = [`--- ${fromName}`, `+++ ${toName}`];
  let oldLine = 1;
  let newLine = 1;
  for (const hunk of hunksOf(lines)) {
    const skipped = lines.slice(hunk.skipFrom, hunk.from).length;
    oldLine += skipped;
    newLine += skipped;
    const shown = lines.slice(hunk.from, hunk.to);
    const oldCount = shown.filter((line) => line.mark !== "+").length;
    const newCount = shown.filter((line) => line.mark !== "-").length;
    out.push(`@@ -${oldLine},${oldCount} +${newLine},${newCount} @@`, ...shown.map((line) => line.mark + line.text));
    oldLine += oldCount;
    newLine += newCount;
  }
  return `${out.join("\n")}\n`;
}

/** Ranges of lines to show; between two of them only agreement is skipped. */
function hunksOf(
  lines: readonly Line[],
): readonly { readonly skipFrom: number; readonly from: number; readonly to: number }[] {
  const hunks: { skipFrom: number; from: number; to: number }[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.mark === " ") continue;
    const last = hunks.at(-1);
    const from = Math.max(0, index - CONTEXT);
    const to = Math.min(lines.length, index + CONTEXT + 1);
    if (last !== undefined && from <= last.to) last.to = to;
    else hunks.push({ skipFrom: last?.to ?? 0, from, to });
  }
  return hunks;
}

/** The longest common subsequence between what is the same at the beginning and at the end. */
function compareLines(a: readonly string[], b: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const same = (texts: readonly string[]): Line[] => texts.map((text) => ({ mark: " ", text }));
  return [
    ...same(a.slice(0, start)),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...same(a.slice(a.length - end)),
  ];
}

function middle(a: readonly string[], b: readonly string[]): readonly Line[] {
  const out = (text: string): Line => ({ mark: "-", text });
  const into = (text: string): Line => ({ mark: "+", text });
  if (a.length === 0 || b.length === 0 || a.length * b.length > MOST_CELLS) return [...a.map(out), ...b.map(into)];
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width);
  const at = (row: number, column: number): number => longest[row * width + column] ?? 0;
  for (let row = a.length - 1; row >= 0; row -= 1) {
    for (let column = b.length - 1; column >= 0; column -= 1) {
      longest[row * width + column] =
        a[row] === b[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: Line[] = [];
  let row = 0;
  let column = 0;
  while (row < a.length || column < b.length) {
    const left = a[row];
    const right = b[column];
    if (left !== undefined && right !== undefined && left === right) {
      lines.push({ mark: " ", text: left });
      row += 1;
      column += 1;
    } else if (right === undefined || (left !== undefined && at(row + 1, column) >= at(row, column + 1))) {
      lines.push(out(left ?? ""));
      row += 1;
    } else {
      lines.push(into(right));
      column += 1;
    }
  }
  return lines;
}
