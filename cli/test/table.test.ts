import fc from "fast-check";
import { expect, test } from "vitest";
import type { Context } from "../src/context.ts";
import { width } from "../src/view/style.ts";
import { table } from "../src/view/table.ts";

/** A terminal of so many columns; none is a pipe. */
function shownOn(columns: number | undefined): Context {
  return { process: { stdout: { columns } } } as unknown as Context;
}

test("columns stand under their headings, also with wide letters", () => {
  const lines = table(
    shownOn(undefined),
    ["name", "state"],
    [
      ["서버-1", "a"],
      ["web-1", "b"],
    ],
    "none",
  )
    .trimEnd()
    .split("\n");
  expect(lines.map((line) => width(line.slice(0, line.search(/(STATE|a|b)$/))))).toEqual([8, 8, 8]);
  expect(table(shownOn(undefined), ["name"], [], "none")).toBe("none\n");
});

test("in a terminal lines are broken between words, and every column keeps its place", () => {
  const rows = [
    ["kim", "view, edit, apply everywhere; role operator role=web", "active"],
    ["lee", "view", "disabled"],
  ];
  expect(table(shownOn(45), ["user", "may", "state"], rows, "none")).toBe(
    [
      "USER  MAY                            STATE",
      "kim   view, edit, apply everywhere;  active",
      "      role operator role=web",
      "lee   view                           disabled",
      "",
    ].join("\n"),
  );
  const piped = table(shownOn(undefined), ["user", "may", "state"], rows, "none");
  expect(piped.split("\n")).toHaveLength(4);
});

test("where breaking is not enough each row is a block, and what has no blank is never broken: an id is copied whole", () => {
  const id = "01a21665-7e97-7dc7-a7a7-fcc23b3c7c30";
  const row = [id, "holdfast login on laptop", "view apply", "everywhere", "in 30 d"];
  const blocks = table(shownOn(60), ["token", "name", "may", "where", "last used"], [row, row], "none");
  const one = [
    `TOKEN      ${id}`,
    "NAME       holdfast login on laptop",
    "MAY        view apply",
    "WHERE      everywhere",
    "LAST USED  in 30 d",
    "",
  ].join("\n");
  expect(blocks).toBe(`${one}\n${one}`);
});

test("no table is wider than its terminal, and no word of it is lost", () => {
  const cell = fc.array(fc.stringMatching(/^[a-z0-9]{1,9}$/), { maxLength: 8 }).map((words) => words.join(" "));
  fc.assert(
    fc.property(
      fc.integer({ min: 30, max: 90 }),
      fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 5 }),
      (columns, rows) => {
        const shown = table(shownOn(columns), ["a", "b", "c"], rows, "none");
        const isBlock = shown.startsWith("A") && !/^A +B/.test(shown);
        if (!isBlock) for (const text of shown.split("\n")) expect(width(text)).toBeLessThanOrEqual(columns);
        const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== "");
        const wanted = rows.flatMap((row) => row.flatMap(words)).toSorted();
        const got = words(shown).filter((word) => !/^[ABC]$/.test(word));
        expect(got.toSorted()).toEqual(wanted);
      },
    ),
    { numRuns: 300 },
  );
});
