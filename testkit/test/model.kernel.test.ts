import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY_ROOT } from "../src/repository.ts";

/** Two and a half minutes of processor time, several at once; a machine that is shared needs much longer. */
const PATIENCE_MS = 20 * 60_000;

// Among the tests that run alone: it takes every processor for itself.
test(
  "the protocol model holds, every mutant of it is refuted and every witness reached",
  { timeout: PATIENCE_MS },
  () => {
    const run = spawnSync(join(REPOSITORY_ROOT, "docs/protocol/model/run-all.sh"), {
      encoding: "utf8",
      timeout: PATIENCE_MS,
    });
    expect(run.status, `${run.stdout}${run.stderr}`).toBe(0);
    expect(run.stdout).toMatch(/^[1-9]\d* passed, 0 failed$/m);
  },
);
