/** `make up` as a newcomer meets it, on ports and in a folder of its own. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { meSchema } from "@holdfast/core/api/account.ts";
import { Operator } from "@holdfast/testkit/operator/operator.ts";
import { RunningProcess } from "@holdfast/testkit/servers/child.ts";
import { nodeBinary, repository } from "@holdfast/testkit/servers/machine.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

const READY_WITHIN_MS = 240_000;
const STOPPED_WITHIN_MS = 60_000;

const data = mkdtempSync("/var/tmp/holdfast-demo-test-");
let environment: Readonly<Record<string, string>> = {};
let up: RunningProcess;

beforeAll(async () => {
  // The database's user must be able to enter it.
  chmodSync(data, 0o755);
  const [http, agent, metrics] = await Promise.all([freePort(), freePort(), freePort()]);
  environment = {
    HOLDFAST_DATA_DIR: data,
    HOLDFAST_HTTP_PORT: String(http),
    HOLDFAST_AGENT_PORT: String(agent),
    HOLDFAST_METRICS_PORT: String(metrics),
  };
  up = new RunningProcess(
    [nodeBinary, "--disable-warning=ExperimentalWarning", join(repository, "testkit/src/demo/up.ts")],
    { env: environment },
  );
  await until(
    () => `the demo to be ready:\n${up.output}`,
    () => {
      if (up.end !== undefined) throw new Error(`the demo has ended:\n${up.output}`);
      return /^Stop: /m.test(up.output);
    },
    READY_WITHIN_MS,
  );
}, READY_WITHIN_MS);

afterAll(async () => {
  await up.stop("SIGINT", STOPPED_WITHIN_MS);
  rmSync(data, { recursive: true, force: true });
}, STOPPED_WITHIN_MS);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

test("it prints where the console is and a login that works; three servers are connected", async () => {
  const url = /^Console:\s+(http:\S+)$/m.exec(up.output)?.[1] ?? "";
  expect(url).toBe(`http://127.0.0.1:${environment["HOLDFAST_HTTP_PORT"]}`);
  const page = await fetch(url);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain("<title>");
  const [, user = "", password = ""] = /^Login:\s+(\S+) \/ (\S+)$/m.exec(up.output) ?? [];
  const session = await new Operator(url, "").call("login", {
    body: { user, password },
    answer: meSchema.extend({ sessionToken: z.string() }),
  });
  const servers = await new Operator(url, session.sessionToken).servers();
  expect(servers.map(({ name, connected }) => [name, connected])).toEqual([
    ["gw-busan", true],
    ["gw-seoul", true],
    ["web-1", true],
  ]);
});

test("the story of the first five minutes: both mistakes are undone, and the visitor sees the page again", async () => {
  const story = new RunningProcess([join(repository, "bin/holdfast"), "demo", "lockout"], { env: environment });
  const end = await story.ended;
  expect(end.code, story.output).toBe(0);
  expect(story.output).toContain("the control plane has just been killed");
  expect(story.output.match(/ROLLED_BACK, server as before/g)).toHaveLength(2);
  expect(story.output).toContain("Both mistakes were undone by the server itself");
});

test("a signal ends it cleanly", async () => {
  up.signal("SIGTERM");
  const end = await up.ended;
  expect(end, up.output).toMatchObject({ code: 0 });
});
