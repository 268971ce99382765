import fc from "fast-check";
import { expect, test } from "vitest";
import { firewallConfig } from "../../test/firewall-arbitrary.ts";
import { nativeTable } from "./native.ts";
import { tableLines } from "./render.ts";
import { tableDiff } from "./unified-diff.ts";

/** What `patch` does, without its leniency: every line number and every line of context must be right. */
function patched(before: readonly string[], diff: string): readonly string[] {
  const output: string[] = [];
  let at = 0;
  let counts = { before: 0, after: 0 };
  for (const line of diff.split("\n").slice(2, -1)) {
    const head = /^@@ -(\d+),(\d+) \+(\d+),(\d+) @@$/.exec(line);
    if (head !== null) {
      expect(counts).toEqual({ before: 0, after: 0 });
      counts = { before: Number(head[2]), after: Number(head[4]) };
      const start = counts.before === 0 ? Number(head[1]) : Number(head[1]) - 1;
      output.push(...before.slice(at, start));
      at = start;
      expect(output).toHaveLength(counts.after === 0 ? Number(head[3]) : Number(head[3]) - 1);
      continue;
    }
    const [sign, text] = [line.slice(0, 1), line.slice(1)];
    if (sign !== "+") {
      expect(before[at]).toBe(text);
      at += 1;
      counts.before -= 1;
    }
    if (sign !== "-") {
      output.push(text);
      counts.after -= 1;
    }
  }
  expect(counts).toEqual({ before: 0, after: 0 });
  return [...output, ...before.slice(at)];
}

test("the diff makes the new text from the old one, and is empty only where they are equal", () => {
  const config = fc.option(firewallConfig({ limits: true, nat: true }), { nil: null });
  fc.assert(
    fc.property(config, config, (a, b) => {
      const [before, after] = [a === null ? null : nativeTable(a, []), b === null ? null : nativeTable(b, [])];
      const diff = tableDiff(before, after);
      expect(diff === "" ? tableLines(before) : patched(tableLines(before), diff)).toEqual(tableLines(after));
      expect(tableDiff(after, after)).toBe("");
    }),
    { numRuns: 100 },
  );
});
