/** Every invariant of the protocol is held by code and tried by a test that name it, and those of the model stand there too. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY_ROOT } from "../src/repository.ts";

interface Row {
  readonly label: string;
  readonly code: readonly string[];
  readonly tests: readonly string[];
}

const PAGE = readFileSync(join(REPOSITORY_ROOT, "docs/protocol/apply.md"), "utf8");
const MODEL = readFileSync(join(REPOSITORY_ROOT, "docs/protocol/model/apply.pml"), "utf8");
const STATED = [...PAGE.matchAll(/^\| (I\d+)( ◆)? \| /gm)].map(([, label = "", mark]) => ({
  label,
  isModelled: mark !== undefined,
}));
const FILES = String.raw`[\w./-]+\.ts(?: [\w./-]+\.ts)*`;

function rowsOf(text: string): readonly Row[] {
  return [...text.matchAll(new RegExp(`^\\| (I\\d+) \\| (${FILES}) \\| (${FILES}) \\|$`, "gm"))].map(
    ([, label = "", code = "", tests = ""]) => ({ label, code: code.split(" "), tests: tests.split(" ") }),
  );
}

/** What is wrong with the rows, in words. */
function faultsOf(rows: readonly Row[]): readonly string[] {
  return rows.flatMap(({ label, code, tests }) => [
    ...code.filter((file) => file.endsWith(".test.ts")).map((file) => `${label}: ${file} is a test, not what holds it`),
    ...tests.filter((file) => !file.endsWith(".test.ts")).map((file) => `${label}: ${file} is no test`),
    ...[...code, ...tests].flatMap((file) => {
      const path = join(REPOSITORY_ROOT, file);
      if (!existsSync(path)) return [`${label}: ${file} is not there`];
      return names(readFileSync(path, "utf8"), label) ? [] : [`${label}: ${file} does not name it`];
    }),
  ]);
}

/** By itself, or within a span like I1-I6. */
function names(text: string, label: string): boolean {
  if (new RegExp(`\\b${label}\\b`).test(text)) return true;
  const number = Number(label.slice(1));
  return [...text.matchAll(/\bI(\d+)-I(\d+)\b/g)].some(
    ([, from, to]) => Number(from) <= number && number <= Number(to),
  );
}

test("each invariant has code that holds it and a test that tries it, and both name it", () => {
  const rows = rowsOf(PAGE);
  const labels = [...new Set(STATED.map(({ label }) => label))];
  expect(labels.length).toBeGreaterThan(20);
  expect(rows.map(({ label }) => label)).toEqual(labels);
  expect(faultsOf(rows)).toEqual([]);
});

test("what is marked as modelled is named by the model", () => {
  const modelled = STATED.filter(({ isModelled }) => isModelled);
  expect(modelled.length).toBeGreaterThan(10);
  expect(modelled.filter(({ label }) => !names(MODEL, label))).toEqual([]);
});

test("a list with holes in it is found out", () => {
  const planted = rowsOf(
    [
      "| I1 | control/src/nowhere.ts | control/src/store/apply-law.test.ts |",
      "| I99 | core/src/ledger/kind.ts | core/src/ledger/fold.ts |",
    ].join("\n"),
  );
  expect(faultsOf(planted)).toEqual([
    "I1: control/src/nowhere.ts is not there",
    "I99: core/src/ledger/fold.ts is no test",
    "I99: core/src/ledger/kind.ts does not name it",
    "I99: core/src/ledger/fold.ts does not name it",
  ]);
});
