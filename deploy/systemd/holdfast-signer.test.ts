import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

/** S26, for the unit that holds the command key: what `systemd-analyze security` says of it, 0 walled in, 10 free. */
const MOST_EXPOSED = 1.4;

test("S26: the signer's unit is exposed to no more than its limit, has a user of its own and writes its own folder only", () => {
  const unit = join(import.meta.dirname, "holdfast-signer.service");
  const { stdout, stderr } = spawnSync("systemd-analyze", ["security", "--offline=true", "--no-pager", unit], {
    encoding: "utf8",
  });
  const score = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
  expect(score, stdout + stderr).toBeLessThanOrEqual(MOST_EXPOSED);
});
