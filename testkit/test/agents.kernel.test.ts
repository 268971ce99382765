import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installAgent, type InstalledAgent } from "../src/agents/install-agent.ts";
import { ControlInstance } from "../src/control-plane/control-instance.ts";
import { Operator } from "../src/operator/operator.ts";
import { Lab } from "../src/servers/lab.ts";
import { Relay } from "../src/servers/relay.ts";
import type { ServerKind } from "../src/servers/server-kind.ts";
import type { LabServer } from "../src/servers/server.ts";
import { until } from "../src/until.ts";

const CONTROL = "192.0.2.2";
const HTTP_PORT = 7080;

let data: string;
let lab: Lab;
let control: ControlInstance;
let door: Relay;
let operator: Operator;
const servers = new Map<ServerKind, LabServer>();

beforeAll(async () => {
  // The database's user must be able to enter it.
  data = mkdtempSync("/var/tmp/holdfast-agents-");
  chmodSync(data, 0o711);
  lab = Lab.open({ prefix: `hft-${String(process.pid)}-agents`, hidden: [data] });
  const lan = await lab.network({ name: "lan", subnet4: "192.0.2.0/24" });
  const at = (address: string) => [{ network: lan, interface: "eth0", addresses: [address] }];
  const place = await lab.bare({ name: "control", attachments: at(CONTROL) });
  servers.set("systemd", lab.server({ name: "systemd-1", kind: "systemd", attachments: at("192.0.2.11") }));
  servers.set("plain", lab.server({ name: "plain-1", kind: "plain", attachments: at("192.0.2.12") }));
  control = new ControlInstance(place, {
    HOLDFAST_DATA_DIR: join(data, "control"),
    HOLDFAST_HTTP_PORT: String(HTTP_PORT),
    HOLDFAST_AGENT_PORT: "7081",
    HOLDFAST_METRICS_PORT: "7082",
    HOLDFAST_AGENT_NAMES: CONTROL,
    HOLDFAST_ENROLMENT_APPROVAL: "off",
  });
  door = await Relay.into(lab, { host: "127.0.0.1", port: 0 }, place, { host: "127.0.0.1", port: HTTP_PORT });
  const url = `http://127.0.0.1:${String(door.port)}`;
  const [login] = await Promise.all([control.login, ...[...servers.values()].map((server) => server.start())]);
  await control.ready(url);
  if (login === null) throw new Error(`the control plane gave no login:\n${control.output}`);
  ({ operator } = await Operator.first(url, login));
}, 120_000);

afterAll(async () => {
  await control.stop();
  await door.close();
  await lab.close();
  rmSync(data, { recursive: true, force: true });
}, 60_000);

describe.each<ServerKind>(["systemd", "plain"])("an agent on a %s server", (kind) => {
  let server: LabServer;
  let agent: InstalledAgent;

  beforeAll(async () => {
    const found = servers.get(kind);
    if (found === undefined) throw new Error(`no ${kind} server`);
    server = found;
    agent = await installAgent(server, await operator.expectServer(server.name, {}), {
      managementNetworks: ["192.0.2.0/24"],
    });
  }, 120_000);

  const connected = () => operator.waitConnected([server.name]);

  test("is enrolled, has a session, and its guard and module answer the control plane", async () => {
    await connected();
    expect(await agent.status()).toMatchObject({ generation: 0, open: null, lock: null });
    expect(JSON.parse((await server.readFile("/etc/holdfast/floor.json")) ?? "")).toMatchObject({
      inbound: [{ networks: ["192.0.2.0/24"], tcpPorts: [22] }],
    });
    expect(await agent.pid("session")).not.toBeNull();
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
  const server = lab.server({ name: "bare-1", kind: "plain", attachments: [] });
  await server.start();
  await expect(installAgent(server, null)).rejects.toThrow("bare-1 is not enrolled");
  await server.close();
});
