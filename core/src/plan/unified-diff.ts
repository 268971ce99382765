/** Lines around a change that are shown with it. */
const CONTEXT = 3;
/** Cells of the table of common lines; parts larger than this are shown as replaced whole. */
const MOST_CELLS = 1_000_000;

interface Line {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** What of a native text belongs together, before and after. */
export type DiffPart = readonly [before: readonly string[], after: readonly string[]];

/** Unified diff, live against desired, of texts that are compared part by part; empty when they are equal. */
export function unifiedDiff(parts: readonly DiffPart[]): string {
  const hunks = hunksOf(parts.flatMap(([before, after]) => diffLines(before, after)));
  return hunks.length === 0 ? "" : ["--- live", "+++ desired", ...hunks, ""].join("\n");
}

/** Longest common subsequence, after the equal ends are set aside. */
function diffLines(before: readonly string[], after: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end += 1;
  const middle = between(before.slice(start, before.length - end), after.slice(start, after.length - end));
  return [...before.slice(0, start).map(same), ...middle, ...before.slice(before.length - end).map(same)];
}

function same(text: string): Line {
  return { sign: " ", text };
}

function between(before: readonly string[], after: readonly string[]): readonly Line[] {
  const gone = before.map((text): Line => ({ sign: "-", text }));
  const come = after.map((text): Line => ({ sign: "+", text }));
  if (before.length === 0 || after.length === 0 || before.length * after.length > MOST_CELLS) return [...gone, ...come];
  const width = after.length + 1;
  const common = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1)
      common[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length && j < after.length) {
    const [left, right] = [before[i] ?? "", after[j] ?? ""];
    if (left === right) {
      lines.push(same(left));
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) {
      lines.push({ sign: "-", text: left });
      i += 1;
    } else {
      lines.push({ sign: "+", text: right });
      j += 1;
    }
  }
  return [...lines, ...gone.slice(i), ...come.slice(j)];
}

function hunksOf(lines: readonly Line[]): readonly string[] {
  const output: string[] = [];
  let [beforeLine, afterLine] = [1, 1];
  let at = 0;
  while (at < lines.length) {
    const next = lines.findIndex((line, index) => index >= at && line.sign !== " ");
    if (next === -1) break;
    const start = Math.max(at, next - CONTEXT);
    let end = next;
    for (let index = next; index < lines.length && index <= end + 2 * CONTEXT; index += 1)
      if (lines[index]?.sign !== " ") end = index;
    end = Math.min(lines.length, end + CONTEXT + 1);
    beforeLine += start - at;
    afterLine += start - at;
    const hunk = lines.slice(start, end);
    const [removed, added] = [
      hunk.filter((line) => line.sign !== "+").length,
      hunk.filter((line) => line.sign !== "-").length,
    ];
    output.push(
      `@@ -${removed === 0 ? 0 : beforeLine},${removed} +${added === 0 ? 0 : afterLine},${added} @@`,
      ...hunk.map((line) => `${line.sign}${line.text}`),
    );
    beforeLine += removed;
    afterLine += added;
    at = end;
  }
  return output;
}
