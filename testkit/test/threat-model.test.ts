/** Every statement of the security baseline is named by a test, or by a decision that says why not now. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const STATEMENTS = Array.from({ length: 50 }, (_, index) => `S${index + 1}`);

interface Row {
  readonly statement: string;
  readonly files: readonly string[];
}

function rowsOf(text: string): readonly Row[] {
  return [...text.matchAll(/^\| (S\d+) \|[^|]+\| ([^|]+) \|$/gm)].map(([, statement = "", files = ""]) => ({
    statement,
    files: files.trim().split(/\s+/),
  }));
}

/** What is wrong with the rows, in words. */
function faultsOf(rows: readonly Row[]): readonly string[] {
  return rows.flatMap(({ statement, files }) =>
    files.flatMap((file): readonly string[] => {
      const isTest = file.endsWith(".test.ts");
      if (!isTest && !/^docs\/adr\/\d{4}-[a-z0-9-]+\.md$/.test(file))
        return [`${statement}: ${file} is neither a test nor a decision`];
      if (!existsSync(join(ROOT, file))) return [`${statement}: ${file} is not there`];
      const text = readFileSync(join(ROOT, file), "utf8");
      return new RegExp(`\\b${statement}\\b`).test(text) ? [] : [`${statement}: ${file} does not name it`];
    }),
  );
}

test("the table names each statement once, with tests or decisions that name it too", () => {
  const rows = rowsOf(readFileSync(join(ROOT, "docs/threat-model.md"), "utf8"));
  expect(rows.map((row) => row.statement)).toEqual(STATEMENTS);
  expect(faultsOf(rows)).toEqual([]);
});

test("a table with a hole in it is found out", () => {
  const planted = rowsOf(
    [
      "| S1 | x | control/test/nowhere.test.ts |",
      "| S2 | x | docs/threat-model.md |",
      "| S49 | x | core/src/rollout/wave.test.ts |",
    ].join("\n"),
  );
  expect(faultsOf(planted)).toEqual([
    "S1: control/test/nowhere.test.ts is not there",
    "S2: docs/threat-model.md is neither a test nor a decision",
    "S49: core/src/rollout/wave.test.ts does not name it",
  ]);
});
