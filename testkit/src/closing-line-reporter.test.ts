import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { closingLine } from "./closing-line-reporter.ts";

const REPORTER = join(import.meta.dirname, "closing-line-reporter.ts");

/** Runs vitest on the given test files and returns its exit code and last line. */
function run(files: Readonly<Record<string, string>>): { readonly status: number | null; readonly lines: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "closing-line-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const vitest = join(import.meta.dirname, "../../node_modules/vitest/vitest.mjs");
  const flags = ["run", "--globals", "--root", folder, "--reporter", "default", "--reporter", REPORTER];
  const { status, stdout } = spawnSync(process.execPath, [vitest, ...flags], { encoding: "utf8" });
  return { status, lines: stdout.trimEnd().split("\n") };
}

test("skipped tests are named only when there are some", () => {
  expect(closingLine({ passed: 3, failed: 0, skipped: 0 })).toBe("3 passed, 0 failed");
  expect(closingLine({ passed: 3, failed: 1, skipped: 2 })).toBe("3 passed, 1 failed, 2 skipped");
});

test("a failed test, a failed hook and a file that does not load count one each, and skips say why", () => {
  const { status, lines } = run({
    "mixed.test.ts": `
      test("good", () => {});
      test("bad", () => { throw new Error("bad"); });
      test("left out", (context) => context.skip("no such device"));`,
    "hook.test.ts": `
      afterAll(() => { throw new Error("hook"); });
      test("good", () => {});`,
    "broken.test.ts": `throw new Error("does not load");`,
  });
  expect(lines.at(-1)).toBe("2 passed, 3 failed, 1 skipped");
  expect(lines.at(-2)).toBe("skipped 1: no such device");
  expect(status).toBe(1);
});

test("an error that nobody caught is a failure, though every test passed", () => {
  const { status, lines } = run({
    "stray.test.ts": `test("good", async () => {
      setTimeout(() => { throw new Error("stray"); }, 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
    });`,
  });
  expect(lines.at(-1)).toBe("1 passed, 1 failed");
  expect(status).toBe(1);
});

test("a test that passes only when it is tried again is named, with what it said before", () => {
  const { status, lines } = run({
    "unsteady.test.ts": `
      let tries = 0;
      test("unsteady", { retry: 1 }, () => { tries += 1; if (tries === 1) throw new Error("too early"); });
      test("good", () => {});`,
  });
  expect(lines.at(-1)).toBe("2 passed, 0 failed");
  expect(lines.at(-2)).toBe("passed when tried again: unsteady.test.ts > unsteady: too early");
  expect(status).toBe(0);
});
