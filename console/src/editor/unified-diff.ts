/** Unchanged lines shown around a change, as in every unified diff. */
const CONTEXT = 3;
/** Above this many cells of the table the middle is shown as one replacement: a browser must stay quick with two large texts. */
const MOST_CELLS = 4_000_000;

interface Line {
  readonly sign: " " | "+" | "-";
  readonly text: string;
}

/** A unified diff of two texts, made in the browser from what it already has; "" when they are equal. */
export function unifiedDiff(before: string, after: string): string {
  if (before === after) return "";
  return hunks(compareLines(linesOf(before), linesOf(after))).join("\n");
}

function linesOf(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

/** Every line of both texts, in order. */
export function compareLines(a: readonly string[], b: readonly string[]): readonly Line[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail])
    tail += 1;
  const same = (lines: readonly string[]): readonly Line[] => lines.map((text) => ({ sign: " ", text }));
  const middle = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)] as const;
  return [...same(a.slice(0, head)), ...changed(...middle), ...same(a.slice(a.length - tail))];
}

/** Longest common subsequence: exact, and small enough for documents of people. */
function changed(a: readonly string[], b: readonly string[]): readonly Line[] {
  const removed = a.map((text): Line => ({ sign: "-", text }));
  const added = b.map((text): Line => ({ sign: "+", text }));
  if (a.length * b.length > MOST_CELLS || a.length === 0 || b.length === 0) return [...removed, ...added];
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => longest[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    if (left !== undefined && left === right) {
      lines.push({ sign: " ", text: left });
      i += 1;
      j += 1;
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ sign: "-", text: left });
      i += 1;
    } else {
      lines.push({ sign: "+", text: right ?? "" });
      j += 1;
    }
  }
  return lines;
}

function hunks(lines: readonly Line[]): readonly string[] {
  const shown = new Set<number>();
  for (const [index, line] of lines.entries()) {
    if (line.sign !== " ") for (let near = index - CONTEXT; near <= index + CONTEXT; near += 1) shown.add(near);
  }
  const out: string[] = [];
  let [before, after] = [1, 1];
  let open = false;
  for (const [index, line] of lines.entries()) {
    if (shown.has(index)) {
      if (!open) out.push(`@@ -${before} +${after} @@`);
      out.push(`${line.sign}${line.text}`);
    }
    open = shown.has(index);
    if (line.sign !== "+") before += 1;
    if (line.sign !== "-") after += 1;
  }
  return out;
}
