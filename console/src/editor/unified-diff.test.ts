import fc from "fast-check";
import { expect, test } from "vitest";
import { compareLines, unifiedDiff } from "./unified-diff.ts";

test("lines that changed, with their surroundings", () => {
  expect(unifiedDiff("a\nb\nc\nd\ne\nf\ng\n", "a\nb\nc\nX\ne\nf\ng\n")).toBe(
    "@@ -1 +1 @@\n a\n b\n c\n-d\n+X\n e\n f\n g",
  );
  expect(unifiedDiff("same\n", "same\n")).toBe("");
  expect(unifiedDiff("", "new\n")).toBe("@@ -1 +1 @@\n+new");
});

test("the two sides are the two texts", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 12 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const lines = compareLines(a, b);
      const side = (sign: string): readonly string[] =>
        lines.filter((line) => line.sign === sign || line.sign === " ").map((line) => line.text);
      expect(side("-")).toEqual(a);
      expect(side("+")).toEqual(b);
    }),
    { numRuns: 300 },
  );
});
