/**
 * The fault table on real servers, with two control planes and one database: the rows that between them reach every part of the way back,
 * and each who takes part killed once. `make soak` provokes all of them at every step, again and again.
 */
import { House } from "@holdfast/testkit/house/house.ts";
import { expect, test } from "vitest";
import { ALL_FAULTS, judge, MATRIX_HOUSE, printedWhole, type Verdict } from "./matrix.ts";
import { Stage } from "./stage.ts";

const SLICE = ALL_FAULTS.filter((fault) => fault.slice === true);
/** A trial with its window, an undo, and a house that is mended, each a few times over on a busy machine. */
const MS_PER_FAULT = 120_000;

test("each fault ends as the table says", { timeout: SLICE.length * MS_PER_FAULT }, async () => {
  await using house = await House.open(MATRIX_HOUSE);
  const stage = Stage.of(house);
  const verdicts: Verdict[] = [];
  for (const fault of SLICE) verdicts.push(await judge(fault, stage));
  process.stdout.write(`${printedWhole(verdicts)}\n`);
  expect(verdicts.filter((verdict) => verdict.wrong.length > 0).map(({ fault, wrong }) => ({ fault, wrong }))).toEqual(
    [],
  );
});
