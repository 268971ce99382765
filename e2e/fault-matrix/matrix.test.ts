import { expect, test } from "vitest";
import { uncovered } from "./matrix.ts";

test("every row of the fault table is provoked on real servers, and nothing is that no row names", () => {
  expect(uncovered()).toEqual([]);
});
