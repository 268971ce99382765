import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { abort, apply, onTrial } from "./change-stage.ts";
import { driftOf, link, look, lookSettled, network, static4, static6 } from "./network-stage.ts";
import { SystemdAgent } from "./systemd-agent.ts";

let lab: Lab;
let server: LabServer;
let agent: SystemdAgent;

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfn-${process.pid}` });
  const lan = await lab.network({ name: "lan", subnet4: "10.20.0.0/24", subnet6: "fd20::/64" });
  const segment = await lab.network({ name: "segment", subnet4: "10.30.0.0/24" });
  server = lab.server({
    name: "gw",
    kind: "systemd",
    addressing: "networkd",
    attachments: [
      { network: lan, interface: "eth0", addresses: ["10.20.0.10", "fd20::10"] },
      { network: segment, interface: "eth1", addresses: [] },
      { network: segment, interface: "eth2", addresses: [] },
    ],
    routes: [{ to: "default", via: "10.20.0.1" }],
  });
  await server.start();
  agent = new SystemdAgent(server);
  await agent.install();
});
afterAll(async () => {
  agent.letGo();
  await lab.close();
});

const EVERYTHING = network(
  {
    wan: link("eth0", {
      mtu: 1400,
      ipv4: {
        ...static4("10.20.0.20/24", "10.20.0.21/24"),
        gateways: [{ via: "10.20.0.1", metric: 50, onLink: false }],
      },
      ipv6: static6("fd20::20/64"),
      routes: [
        { to: "10.99.0.0/16", via: "10.20.0.254", table: 254, onLink: false },
        { to: "10.98.0.0/16", via: "10.20.0.254", table: 100, metric: 7, onLink: false },
        { to: "10.97.0.0/16", is: "blackhole", table: 254, onLink: false },
        { to: "fd97::/32", is: "unreachable", table: 254, onLink: false },
        { to: "fd98::/32", via: "fd20::fe", table: 254, onLink: false },
      ],
      rules: [
        { priority: 1000, from: "10.20.0.21/32", table: 100 },
        { priority: 1001, mark: { value: 16, mask: 255 }, table: 100 },
        { priority: 1002, in: "lan", to: "10.98.0.0/16", table: 100 },
      ],
      dns: ["9.9.9.9", "2620:fe::fe"],
      search: ["example.com", "internal"],
    }),
    lan: link("lan0", {
      device: { kind: "bridge", members: ["port1", "port2"], stp: true, priority: 4096, ageing: 60, forwardDelay: 4 },
      ipv4: static4("10.30.0.1/24"),
    }),
    port1: link("eth1", { port: { cost: 40, priority: 8, isolated: false } }),
    port2: link("eth2", {}),
  },
  { forwarding: { ipv4: true, ipv6: true }, reachedAt: ["10.20.0.20"] },
);

test("a change is in force, and its undo leaves the server as it was", async () => {
  const before = await look(server);
  const { id } = await onTrial(agent, { network: EVERYTHING });
  const during = await look(server);
  for (const text of [
    "10.20.0.20/24",
    "fd20::20/64",
    "default via 10.20.0.1 dev eth0 proto static metric 50",
    "blackhole 10.97.0.0/16",
    "10.98.0.0/16 via 10.20.0.254 dev eth0 table 100 proto static metric 7",
    "unreachable fd97::/32",
    "fwmark 0x10/0xff lookup 100",
    "iif lan0 lookup 100",
    "lan0",
    "10.30.0.1/24",
  ])
    expect(during).toContain(text);
  // Nothing of a trial would survive a reboot.
  expect(await server.must(["ls", "/etc/systemd/network"])).not.toContain("holdfast");
  await abort(agent, id);
  expect(await look(server)).toBe(before);
});

test("a bridge that is there is set up otherwise and loses a port, and the undo makes it as it was", async () => {
  const found = await look(server);
  const lan = link("lan0", {
    device: { kind: "bridge", members: ["port1", "port2"], stp: true, priority: 4096, ageing: 60, forwardDelay: 4 },
    ipv4: static4("10.30.0.1/24"),
  });
  const port = (name: string, cost: number) => link(name, { port: { cost, priority: 8, isolated: false } });
  await apply(agent, { network: network({ lan, port1: port("eth1", 40), port2: port("eth2", 50) }) });
  const confirmed = await lookSettled(server);
  expect(confirmed).toContain("ageing_time 6000");

  const device = {
    kind: "bridge" as const,
    members: ["port1"],
    stp: false,
    priority: 8192,
    ageing: 120,
    forwardDelay: 10,
  };
  const other = network({
    lan: { ...lan, device, mtu: 1400 },
    port1: link("eth1", { port: { cost: 100, priority: 9, isolated: true } }),
    port2: link("eth2", { ipv4: static4("10.31.0.1/24") }),
  });
  const { id } = await onTrial(agent, { network: other });
  const during = await look(server);
  for (const text of ["forward_delay 1000", "cost 100", "isolated on", "stp_state 0", "10.31.0.1/24"])
    expect(during).toContain(text);
  await abort(agent, id);
  expect(await lookSettled(server)).toBe(confirmed);
  await apply(agent, {});
  expect(await look(server)).toBe(found);
});

const OTHER = network({ wan: link("eth0", { ipv4: static4("10.20.0.77/24") }) });

test("confirmed it survives a reboot; a reboot and a power cut on the next trial bring the confirmed state back; released, all is as it was found", async () => {
  const found = await look(server);
  await apply(agent, { network: EVERYTHING });
  const confirmed = await lookSettled(server);
  expect(confirmed).toContain("05-holdfast-wan.network");
  agent.letGo();
  await server.reboot();
  expect(await lookSettled(server)).toBe(confirmed);
  expect(await driftOf(agent)).toMatchObject({ error: "", drift: false });

  for (const end of ["reboot", "cut"] as const) {
    await onTrial(agent, { network: OTHER });
    expect(await look(server)).not.toBe(confirmed);
    agent.letGo();
    await server[end]();
    await server.startAgain();
    expect(await agent.story(), end).toContain("server.rebooted");
    expect(await lookSettled(server), end).toBe(confirmed);
  }

  await apply(agent, {});
  expect(await look(server)).toBe(found);
  agent.letGo();
  await server.reboot();
  expect(await look(server)).toBe(found);
});
