import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { agentPaths } from "./paths.ts";
import { readSettings } from "./settings.ts";

let root = "";
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), "holdfast-settings-"))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

function settings(text: string | null) {
  const paths = agentPaths(root);
  if (text !== null) {
    mkdirSync(dirname(paths.settings), { recursive: true });
    writeFileSync(paths.settings, text);
  }
  return readSettings(paths);
}

test("without a file, and with an empty one, all is as it comes", () => {
  const asItComes = { ok: true, value: { init: "plain", driftSeconds: 30 } };
  expect(settings(null)).toEqual(asItComes);
  expect(settings("{}")).toEqual(asItComes);
});

test("both can be said", () => {
  expect(settings('{ "init": "systemd", "driftSeconds": 3600 }')).toEqual({
    ok: true,
    value: { init: "systemd", driftSeconds: 3600 },
  });
});

test.each([
  ['{ "driftSeconds": 0 }', "driftSeconds must be 1 to 86400"],
  ['{ "driftSeconds": 1.5 }', "driftSeconds must be 1 to 86400"],
  ['{ "driftSeconds": "30" }', "driftSeconds must be 1 to 86400"],
  ['{ "init": "openrc" }', 'init must be "systemd" or "plain"'],
  ['{ "driftseconds": 60 }', '"driftseconds" is not a setting; there are init and driftSeconds'],
  ['{ "listen": { "host": "0.0.0.0", "port": 1 } }', '"listen" is not a setting'],
  ["{", "agent.json"],
  ["[]", "agent.json"],
])("%s is refused with the setting named", (text, why) => {
  const read = settings(text);
  expect(read).toMatchObject({ ok: false });
  expect(read.ok ? "" : read.error).toContain(why);
});
