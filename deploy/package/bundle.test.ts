import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AGENT_ENTRY, bundleAgent } from "./bundle.ts";

let folder = "";
let bundle = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-bundle-"));
  bundle = join(folder, "holdfast-agent.mjs");
  await bundleAgent(AGENT_ENTRY, bundle);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("an agent's program starts without undici", () => {
  const tell = "process.on('exit', () => console.log(process.moduleLoadList.join('\\n')))";
  const run = spawnSync(process.execPath, ["--import", `data:text/javascript,${tell}`, bundle, "version"], {
    encoding: "utf8",
  });
  expect(run.status, run.stderr).toBe(0);
  expect(run.stdout).toContain("NativeModule http2");
  expect(run.stdout).not.toContain("undici");
});

test("it has Zod's messages in one language", () => {
  const languages = [...readFileSync(bundle, "utf8").matchAll(/zod\/v4\/locales\/(\w+)\.js/g)].map(([, name]) => name);
  expect(new Set(languages)).toEqual(new Set(["en", "index"]));
});
