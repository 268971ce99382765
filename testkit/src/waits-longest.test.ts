import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY_ROOT } from "./repository.ts";
import { WAITS_LONGEST } from "./waits-longest.ts";

test("the file that is begun early is there", () => {
  expect(existsSync(join(REPOSITORY_ROOT, WAITS_LONGEST))).toBe(true);
});
