import { liveStateSchema } from "@holdfast/core/api/server.ts";
import { DOMAIN_MODULES } from "@holdfast/domains/registry.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ControlOnLan } from "../src/agents/control-on-lan.ts";
import { installAgent, type InstalledAgent } from "../src/agents/install-agent.ts";
import type { ServerKind } from "../src/servers/server-kind.ts";
import type { LabServer } from "../src/servers/server.ts";
import { until } from "../src/until.ts";

let house: ControlOnLan;
let close: () => Promise<void> = () => Promise.resolve();
beforeAll(async () => {
  house = await ControlOnLan.open(`hft-${String(process.pid)}-agents`);
  close = () => house.close();
}, 120_000);
afterAll(() => close(), 60_000);

const HOSTS = { systemd: 11, plain: 12 } as const satisfies Record<ServerKind, number>;

describe.each<ServerKind>(["systemd", "plain"])("an agent on a %s server", (kind) => {
  let server: LabServer;
  let agent: InstalledAgent;

  beforeAll(async () => {
    server = await house.server(`${kind}-1`, kind, HOSTS[kind]);
    agent = await installAgent(server, await house.operator.expectServer(server.name, {}), {
      managementNetworks: ["192.0.2.0/24"],
    });
  }, 120_000);

  const connected = () => house.operator.waitConnected([server.name]);

  test("is enrolled, has a session, and its guard and module answer the control plane", async () => {
    await connected();
    expect(await agent.status()).toMatchObject({ generation: 0, open: null, lock: null });
    expect(JSON.parse((await server.readFile("/etc/holdfast/floor.json")) ?? "")).toMatchObject({
      inbound: [{ networks: ["192.0.2.0/24"], tcpPorts: [22] }],
    });
    const live = await house.operator.call("getServerLive", { params: { name: server.name }, answer: liveStateSchema });
    expect(live.domains.map(({ domain, error }) => [domain, error])).toEqual(
      Object.keys(DOMAIN_MODULES).map((domain) => [domain, ""]),
    );
    for (const role of ["session", "guard", "module"] as const) expect(await agent.pid(role), role).not.toBeNull();
  });

  test("comes back when its session is killed, and when it is started anew", async () => {
    const before = await agent.pid("session");
    expect(await agent.kill("session")).toBe(true);
    await until("a new session process", async () => ![null, before].includes(await agent.pid("session")));
    await connected();
    await agent.restart();
    await agent.waitForSession();
    await connected();
  });

  test("goes on with its old enrolment after a power cut", async () => {
    await server.cut();
    await server.startAgain();
    const again = await installAgent(server, null);
    expect(await again.status()).toMatchObject({ open: null });
    await connected();
  });
});

test("a server that was never enrolled says so", async () => {
  const server = house.lab.server({ name: "bare-1", kind: "plain", attachments: [] });
  await server.start();
  await expect(installAgent(server, null)).rejects.toThrow("bare-1 is not enrolled");
  await server.close();
});
