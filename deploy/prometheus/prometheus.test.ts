/** The rules by Prometheus' own tools, and a real Prometheus that scrapes a real control plane's metrics. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { look as lookAtHouse } from "@holdfast/control/alerts/look.ts";
import { recordAlerts } from "@holdfast/control/alerts/record.ts";
import { metrics, serveMetrics } from "@holdfast/control/metrics/metrics.ts";
import { move as moveApply } from "@holdfast/control/store/apply-move.ts";
import { ALERT_KINDS, runbookOf } from "@holdfast/core/alert/kind.ts";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { storedHouse } from "@holdfast/testkit/stored-house.ts";
import { until } from "@holdfast/testkit/until.ts";
import { expect, test } from "vitest";

const HERE = import.meta.dirname;
const REPOSITORY = path.join(HERE, "../..");
const RULES = readFileSync(path.join(HERE, "holdfast.rules.yml"), "utf8");
const hasPrometheus = ["prometheus", "promtool", "prometheus-alertmanager", "amtool"].every((name) =>
  existsSync(`/usr/bin/${name}`),
);

const promtool = (...argv: string[]): string =>
  execFileSync("promtool", argv, { cwd: HERE, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

test.skipIf(!hasPrometheus)(
  "promtool takes the rules and the configuration, and every rule does what its test says",
  { timeout: 120_000 },
  () => {
    expect(promtool("check", "config", "prometheus.yml")).toContain("SUCCESS");
    expect(execFileSync("amtool", ["check-config", "alertmanager.yml"], { cwd: HERE, encoding: "utf8" })).toContain(
      "SUCCESS",
    );
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

/** Started here, and ended with the test. */
function start(program: string, args: readonly string[]): ChildProcess {
  return spawn(program, [...args], { stdio: "ignore" });
}

/** What the house writes to its log is not looked at here. */
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined } as unknown as Parameters<
  typeof recordAlerts
>[3];

interface Called {
  readonly status: string;
  readonly alerts: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[];
}

test.skipIf(!hasPrometheus)(
  "a real Prometheus scrapes a control plane and knows every metric that the rules ask for; a stuck apply that the house has found reaches a webhook by Alertmanager, and so does its end",
  { timeout: 180_000 },
  async () => {
    await withDatabase(async ({ app, owner }) => {
      const house = await storedHouse(app);
      const source = metrics({ database: app, sessions: () => 0, eventStreams: () => 0, onTrouble: () => undefined });
      const served = await serveMetrics(source, "127.0.0.1", 0, () => undefined);
      const folder = mkdtempSync(path.join(tmpdir(), "holdfast-prometheus-"));
      const [port, managerPort, gossip] = [await freePort(), await freePort(), await freePort()];
      const called: Called[] = [];
      const webhook = createHttpServer((request, response) => {
        let text = "";
        request.setEncoding("utf8").on("data", (part: string) => (text += part));
        request.on("end", () => {
          called.push(JSON.parse(text) as Called);
          response.writeHead(200).end();
        });
      });
      await new Promise<void>((resolve) => webhook.listen(0, "127.0.0.1", resolve));
      const children: ChildProcess[] = [];
      const stuckIs = (status: string): boolean =>
        called.some(({ alerts }) =>
          alerts.some((one) => one.labels["kind"] === "apply-stuck" && one.status === status),
        );
      try {
        const hookPort = (webhook.address() as AddressInfo).port;
        writeFileSync(
          path.join(folder, "alertmanager.yml"),
          readFileSync(path.join(HERE, "alertmanager.yml"), "utf8")
            .replace("127.0.0.1:9099", `127.0.0.1:${hookPort}`)
            .replaceAll(/group_interval: \w+/g, "group_interval: 1s"),
        );
        const config = readFileSync(path.join(HERE, "prometheus.yml"), "utf8")
          .replace("127.0.0.1:7082", `127.0.0.1:${served.port}`)
          .replace("127.0.0.1:9093", `127.0.0.1:${managerPort}`)
          .replace("15s", "1s")
          .replace("- holdfast.rules.yml", `- ${path.join(HERE, "holdfast.rules.yml")}`);
        writeFileSync(path.join(folder, "prometheus.yml"), `global:\n  evaluation_interval: 1s\n${config}`);
        children.push(
          start("prometheus-alertmanager", [
            `--config.file=${folder}/alertmanager.yml`,
            `--storage.path=${folder}/alertmanager`,
            `--web.listen-address=127.0.0.1:${managerPort}`,
            `--cluster.listen-address=127.0.0.1:${gossip}`,
          ]),
          start("prometheus", [
            `--config.file=${folder}/prometheus.yml`,
            `--storage.tsdb.path=${folder}/data`,
            "--enable-feature=exemplar-storage",
            `--web.listen-address=127.0.0.1:${port}`,
          ]),
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
        const never = new Set(["holdfast_applies_total", "holdfast_rollbacks_total"]); // only where something has ended
        expect([...asked].filter((name) => !known.has(name) && !never.has(name))).toEqual([]);
        expect(await source.text()).toContain("# TYPE holdfast_applies_total counter");

        // Changed an hour ago, and not a word since: the house's own look finds it.
        const { apply, sent, said } = await house.applying(await house.server("web-1"));
        const changed = (since: string): Promise<number> =>
          owner.run({
            text: `update holdfast.host_transactions set execute_sent_at = now() - $2::interval where request_id = $1`,
            values: [sent.request_id, since],
          });
        const look = async (): Promise<void> => recordAlerts(app, await lookAtHouse(app), house.by, SILENT);
        await changed("1 hour");
        await look();
        await until("the call", () => stuckIs("firing"), 60_000, 250);
        await changed("1 second");
        await look();
        await until("that it is over", () => stuckIs("resolved"), 60_000, 250);

        // Ended, it is one by which a slow bucket's log is found.
        await said("finalized");
        await house.do((tx) => moveApply(tx, apply, { to: "APPLIED" }, house.by));
        const exemplars = async () =>
          JSON.stringify(
            await ask(
              `query_exemplars?query=holdfast_apply_duration_seconds_bucket&start=${Date.now() / 1_000 - 600}&end=${Date.now() / 1_000 + 60}`,
            ),
          );
        await until(
          "the exemplar",
          async () => (await exemplars()).includes(`"request_id":"${sent.request_id}"`),
          60_000,
          250,
        );
      } finally {
        for (const child of children) child.kill("SIGTERM");
        webhook.close();
        webhook.closeAllConnections();
        await served.close();
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      }
    });
  },
);
