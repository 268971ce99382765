/** Dashboards made by code: the files beside this one are what the code makes, and what they ask is understood and answered. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Measures } from "@holdfast/agent/session/measures.ts";
import { metrics } from "@holdfast/control/metrics/metrics.ts";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { storedHouse } from "@holdfast/testkit/stored-house.ts";
import { expect, test } from "vitest";
import { grafanaJson } from "./dashboard.ts";
import { DASHBOARDS } from "./dashboards.ts";

const HERE = import.meta.dirname;
const EXPRESSIONS = DASHBOARDS.flatMap(({ panels }) =>
  panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)),
);

test.each(DASHBOARDS)("$uid.json is what the code makes; UPDATE_GOLDEN=1 writes it anew", (dashboard) => {
  const file = path.join(HERE, `${dashboard.uid}.json`);
  const text = `${JSON.stringify(grafanaJson(dashboard), null, 2)}\n`;
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text);
  expect(readFileSync(file, "utf8")).toBe(text);
});

test("panels have ids of their own, say what they mean, and do not lie on each other", () => {
  for (const dashboard of DASHBOARDS) {
    const placed = grafanaJson(dashboard).panels ?? [];
    expect(placed).toHaveLength(dashboard.panels.length);
    expect(new Set(placed.map(({ id }) => id)).size).toBe(placed.length);
    const taken = new Set<string>();
    for (const { gridPos } of placed) {
      if (gridPos === undefined) throw new Error(`${dashboard.uid} has a panel without a place`);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`), `${dashboard.uid} ${x} ${y}`).toBe(false);
          taken.add(`${x} ${y}`);
        }
    }
    for (const { description } of dashboard.panels)
      for (const [page = ""] of description.matchAll(/docs\/\S+\.md/g))
        expect(existsSync(path.join(HERE, "../..", page)), page).toBe(true);
  }
  expect(new Set(DASHBOARDS.map(({ uid }) => uid)).size).toBe(DASHBOARDS.length);
});

test.skipIf(!existsSync("/usr/bin/promtool"))("Prometheus understands every question", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "holdfast-grafana-"));
  try {
    const rules = EXPRESSIONS.map((expr, index) => ({ record: `panel_${index}`, expr }));
    writeFileSync(path.join(folder, "panels.yml"), JSON.stringify({ groups: [{ name: "panels", rules }] }));
    const said = execFileSync("promtool", ["check", "rules", "panels.yml"], { cwd: folder, encoding: "utf8" });
    expect(said).toContain(`${EXPRESSIONS.length} rules found`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what is asked for is given: by the metrics themselves, or by a rule", async () => {
  const rules = readFileSync(path.join(HERE, "../prometheus/holdfast.rules.yml"), "utf8");
  const recorded = new Set([...rules.matchAll(/record: (\S+)/g)].map(([, name]) => name));
  await withDatabase(async ({ app }) => {
    await storedHouse(app);
    const source = metrics({ database: app, sessions: () => 0, eventStreams: () => 0, onTrouble: () => undefined });
    const families = new Set([...(await source.text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    const nothing = {
      version: "1",
      connections: 0,
      certificateEndsMs: null,
      nowMs: 0,
      residentBytes: 0,
      uptimeSeconds: 0,
    };
    for (const [, name = ""] of new Measures().text(nothing).matchAll(/^# TYPE (\S+)/gm)) families.add(name);
    // Given only where there is a certificate.
    families.add("holdfast_certificate_expiry_seconds");
    for (const expr of [...EXPRESSIONS, ...DASHBOARDS.flatMap(({ choice }) => choice?.values ?? [])])
      for (const [name] of expr.matchAll(/\bholdfast[_:][a-z0-9_:]+/g))
        expect(recorded.has(name) || families.has(name.replace(/_bucket$/, "")), name).toBe(true);
  });
});
