/** The rules by Prometheus' own tools, and a real Prometheus that scrapes a real control plane's metrics. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { metrics, serveMetrics } from "@holdfast/control/metrics/metrics.ts";
import { openAlert } from "@holdfast/control/store/alerts.ts";
import { ALERT_KINDS, runbookOf } from "@holdfast/core/alert/kind.ts";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { storedHouse } from "@holdfast/testkit/stored-house.ts";
import { until } from "@holdfast/testkit/until.ts";
import { expect, test } from "vitest";

const HERE = import.meta.dirname;
const REPOSITORY = path.join(HERE, "../..");
const RULES = readFileSync(path.join(HERE, "holdfast.rules.yml"), "utf8");
const hasPrometheus = existsSync("/usr/bin/prometheus") && existsSync("/usr/bin/promtool");

const promtool = (...argv: string[]): string =>
  execFileSync("promtool", argv, { cwd: HERE, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

test.skipIf(!hasPrometheus)(
  "promtool takes the rules and the configuration, and every rule does what its test says",
  () => {
    expect(promtool("check", "config", "prometheus.yml")).toContain("SUCCESS");
    expect(promtool("test", "rules", "holdfast.rules.test.yml")).toContain("SUCCESS");
  },
);

test("every rule that calls somebody has a test, and names pages that are there", () => {
  const tests = readFileSync(path.join(HERE, "holdfast.rules.test.yml"), "utf8");
  const names = [...RULES.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) expect(tests).toContain(`alertname: ${name}\n`);
  for (const [, page = ""] of RULES.matchAll(/runbook: "?(docs\/[^"\n]+)/g)) {
    const pages = page.includes("{{") ? ALERT_KINDS.map(runbookOf) : [page];
    for (const one of pages) expect(existsSync(path.join(REPOSITORY, one)), one).toBe(true);
  }
});

async function freePort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

test.skipIf(!hasPrometheus)(
  "a real Prometheus scrapes a control plane, knows every metric that the rules ask for, and calls for what stands",
  { timeout: 90_000 },
  async () => {
    await withDatabase(async ({ app }) => {
      const house = await storedHouse(app);
      await house.apply(await house.server("web-1"));
      const source = metrics({ database: app, sessions: () => 0, eventStreams: () => 0, onTrouble: () => undefined });
      const served = await serveMetrics(source, "127.0.0.1", 0, () => undefined);
      const folder = mkdtempSync(path.join(tmpdir(), "holdfast-prometheus-"));
      const port = await freePort();
      let prometheus: ChildProcess | null = null;
      try {
        const config = readFileSync(path.join(HERE, "prometheus.yml"), "utf8")
          .replace("127.0.0.1:7082", `127.0.0.1:${served.port}`)
          .replace("15s", "1s")
          .replace("- holdfast.rules.yml", `- ${path.join(HERE, "holdfast.rules.yml")}`);
        writeFileSync(path.join(folder, "prometheus.yml"), `global:\n  evaluation_interval: 1s\n${config}`);
        prometheus = spawn(
          "prometheus",
          [
            `--config.file=${folder}/prometheus.yml`,
            `--storage.tsdb.path=${folder}/data`,
            `--web.listen-address=127.0.0.1:${port}`,
          ],
          { stdio: "ignore" },
        );
        const ask = async (where: string): Promise<unknown> => {
          const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${where}`).catch(() => null);
          return answer === null || !answer.ok ? null : ((await answer.json()) as { data: unknown }).data;
        };
        const values = async (query: string): Promise<readonly string[]> => {
          const data = (await ask(`query?query=${encodeURIComponent(query)}`)) as {
            result: readonly { value: [number, string] }[];
          } | null;
          return (data?.result ?? []).map(({ value }) => value[1]);
        };
        await until("the scrape", async () => (await values('up{job="holdfast"}'))[0] === "1", 60_000, 250);
        expect(await values("holdfast_database_up")).toEqual(["1"]);
        // What a rule asks for by a name that nobody gives would be silent for ever.
        const asked = new Set([...RULES.matchAll(/\bholdfast_[a-z0-9_]+/g)].map(([name]) => name));
        const known = new Set((await ask("label/__name__/values")) as readonly string[]);
        const never = new Set(["holdfast_applies_total"]); // only where something has ended
        expect([...asked].filter((name) => !known.has(name) && !never.has(name))).toEqual([]);
        expect(await source.text()).toContain("# TYPE holdfast_applies_total counter");

        const stuck = { kind: "apply-stuck", subject: "apply/x", serverId: null, applyId: null, message: "m" } as const;
        await house.do((tx) => openAlert(tx, stuck, house.by));
        await until(
          "the call",
          async () =>
            (await values('ALERTS{alertname="HoldfastCritical", kind="apply-stuck", alertstate="firing"}')).length ===
            1,
          30_000,
          250,
        );
      } finally {
        prometheus?.kill("SIGTERM");
        await served.close();
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      }
    });
  },
);
