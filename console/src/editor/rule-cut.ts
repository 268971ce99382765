import { formatPath, type Path } from "@holdfast/core/policy/path.ts";
import type { Positions } from "@holdfast/core/policy/yaml-source.ts";

/** Offsets in the text: where each item begins, and where the last one and what trails it ends. */
export interface Cut {
  readonly starts: readonly number[];
  readonly end: number;
}

export function lineStartsOf(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/**
 * Cuts a block list into the whole lines of its items; the pieces joined are the text again. An item begins with the comment lines directly
 * above it (those of the first may speak of the whole list, so they stay before it), and reaches to the next one. The last reaches as far
 * as blank lines and comments go, so that no line of a block text is ever left behind. Null: not written one below the other.
 */
export function cutList(
  text: string,
  lineStarts: readonly number[],
  positions: Positions,
  path: Path,
  count: number,
): Cut | null {
  const starts: number[] = [];
  let dash = -1;
  let head = 0;
  for (let index = 0; index < count; index += 1) {
    const position = positions.values.get(formatPath([...path, index]));
    const lineStart = position === undefined ? undefined : lineStarts[position.line - 1];
    if (position === undefined || lineStart === undefined) return null;
    const before = text.slice(lineStart, lineStart + position.column - 1);
    const indent = before.indexOf("-");
    if (!/^ *- +$/.test(before) || (dash !== -1 && indent !== dash)) return null;
    dash = indent;
    head = position.line - 1;
    starts.push(index === 0 ? lineStart : withComments(text, lineStarts, head, indent));
  }
  return starts.length === 0 ? null : { starts, end: endOf(text, lineStarts, head, dash) };
}

/** An item of the list is never above: its line is no comment. */
function withComments(text: string, lineStarts: readonly number[], line: number, indent: number): number {
  let first = line;
  const comment = `${" ".repeat(indent)}#`;
  while (first > 0 && text.startsWith(comment, lineStarts[first - 1])) first -= 1;
  return lineStarts[first] ?? 0;
}

function endOf(text: string, lineStarts: readonly number[], head: number, dash: number): number {
  for (let line = head + 1; line < lineStarts.length; line += 1) {
    const start = lineStarts[line] ?? text.length;
    const content = text.slice(start, lineStarts[line + 1] ?? text.length);
    const words = content.trimStart();
    if (words !== "" && !words.startsWith("#") && content.length - words.length <= dash) return start;
  }
  return text.length;
}
