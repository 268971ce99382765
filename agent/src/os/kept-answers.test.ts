import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KeptAnswers } from "./kept-answers.ts";

let root = "";
let folder = "";
let nowMs = 0;
let asked = 0;
let status = 0;
let kept = new KeptAnswers(() => nowMs);

/** Long after the last change. */
const LATER_MS = 60_000;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "holdfast-kept-"));
  folder = join(root, "system");
  mkdirSync(join(folder, "multi-user.target.wants"), { recursive: true });
  writeFileSync(join(folder, "a.service"), "[Unit]\n");
  mkdirSync(join(root, "elsewhere/b.service.wants"), { recursive: true });
  symlinkSync(join(root, "elsewhere/b.service.wants"), join(folder, "b.service.wants"));
  writeFileSync(join(root, "elsewhere/c.service"), "[Unit]\n");
  symlinkSync(join(root, "elsewhere/c.service"), join(folder, "c.service"));
  symlinkSync("/dev/null", join(folder, "masked.service"));
  nowMs = Date.now() + LATER_MS;
  asked = 0;
  status = 0;
  kept = new KeptAnswers(() => nowMs);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

async function answer(folders: readonly string[] = [folder, join(root, "absent")]): Promise<string> {
  const ask = () => Promise.resolve({ status, stdout: String(++asked), stderr: "" });
  return (await kept.answer("question", folders, ask)).stdout;
}

/** Waits for the kernel's clock to move on, which stands for some milliseconds: what follows gets another stamp. */
async function nextStamp(): Promise<void> {
  const probe = join(root, "probe");
  writeFileSync(probe, "");
  const { ctimeNs } = statSync(probe, { bigint: true });
  await expect
    .poll(
      () => {
        utimesSync(probe, 0, 0);
        return statSync(probe, { bigint: true }).ctimeNs > ctimeNs;
      },
      { interval: 2 },
    )
    .toBe(true);
}

test("what nobody has touched is not asked again", async () => {
  expect([await answer(), await answer(), await answer()]).toEqual(["1", "1", "1"]);
});

test.each<[string, () => void]>([
  ["a unit that is enabled", () => symlinkSync("../a.service", join(folder, "multi-user.target.wants/a.service"))],
  ["a line that is added in place", () => appendFileSync(join(folder, "a.service"), "[Install]\n")],
  ["a text of the same length", () => writeFileSync(join(folder, "a.service"), "[Uni7]\n")],
  [
    "a file that is replaced",
    () => {
      writeFileSync(join(root, "new"), "[Unit]\n");
      renameSync(join(root, "new"), join(folder, "a.service"));
    },
  ],
  ["a file that is gone", () => unlinkSync(join(folder, "a.service"))],
  ["what a link names", () => appendFileSync(join(root, "elsewhere/c.service"), "[Install]\n")],
  ["what a link named, and is gone", () => unlinkSync(join(root, "elsewhere/c.service"))],
  ["what is linked in a folder elsewhere", () => writeFileSync(join(root, "elsewhere/b.service.wants/a.service"), "")],
  ["a folder that was not there", () => mkdirSync(join(root, "absent"))],
  ["a folder that is gone", () => rmSync(folder, { recursive: true })],
])("%s is seen", async (_, change) => {
  expect([await answer(), await answer()]).toEqual(["1", "1"]);
  await nextStamp();
  change();
  nowMs = Date.now() + LATER_MS;
  expect([await answer(), await answer()]).toEqual(["2", "2"]);
});

test("what has just changed could change again under the same stamp, and is asked each time", async () => {
  nowMs = Date.now();
  expect([await answer(), await answer()]).toEqual(["1", "2"]);
  nowMs += LATER_MS;
  expect([await answer(), await answer()]).toEqual(["3", "3"]);
});

test("a file of a time to come hides no other that has just changed", async () => {
  const { ctimeMs } = statSync(join(folder, "a.service"));
  await sleep(1_100);
  writeFileSync(join(folder, "of-tomorrow.service"), "");
  // By a clock that has been set back to where it was when the rest was written.
  nowMs = ctimeMs;
  expect([await answer(), await answer()]).toEqual(["1", "2"]);
});

test("a failure is not kept", async () => {
  status = 1;
  expect([await answer(), await answer()]).toEqual(["1", "2"]);
  status = 0;
  expect([await answer(), await answer()]).toEqual(["3", "3"]);
});

test("a folder that cannot be read leaves nothing to be held against", async () => {
  symlinkSync("loop", join(root, "loop"));
  const path = join(root, "loop");
  expect([await answer([path]), await answer([path])]).toEqual(["1", "2"]);
});
