import { expect, test } from "vitest";
import { pauseBeforeDial } from "./backoff.ts";

test("the pause doubles from a fifth of a second to a quarter of a minute, half of it by chance", () => {
  expect([0, 1, 2, 6, 7, 1000].map((failures) => pauseBeforeDial(failures, 0))).toEqual([
    100, 200, 400, 6400, 7500, 7500,
  ]);
  expect([0, 1, 7].map((failures) => pauseBeforeDial(failures, 0.999))).toEqual([200, 400, 14993]);
});
