import fc from "fast-check";
import { expect, test } from "vitest";
import { unifiedDiff } from "./text-diff.ts";

test("a diff shows what went, what came, and three lines around it", () => {
  const from = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
  expect(unifiedDiff(from, from.replace("e", "E"), "r1", "r2")).toBe(
    "--- r1\n+++ r2\n@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n",
  );
  expect(unifiedDiff(from, from, "r1", "r2")).toBe("");
  expect(unifiedDiff("", "x\n", "r0", "r1")).toContain("+x");
});

test("taking out what went and putting in what came gives the other text", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c", ""), { maxLength: 30 }).map((lines) => lines.join("\n"));
  fc.assert(
    fc.property(text, text, (from, to) => {
      expect(patched(from, unifiedDiff(from, to, "r1", "r2"))).toBe(to);
    }),
  );
});

/** What `patch` does, without any tolerance. */
function patched(from: string, diff: string): string {
  if (diff === "") return from;
  const old = from.split("\n");
  const out: string[] = [];
  let at = 0;
  for (const line of diff.split("\n").slice(2, -1)) {
    const hunk = /^@@ -(\d+),/.exec(line);
    if (hunk !== null) {
      const start = Number(hunk[1]) - 1;
      out.push(...old.slice(at, start));
      at = start;
    } else if (line.startsWith("+")) out.push(line.slice(1));
    else {
      expect(old[at]).toBe(line.slice(1));
      if (line.startsWith(" ")) out.push(line.slice(1));
      at += 1;
    }
  }
  return [...out, ...old.slice(at)].join("\n");
}
