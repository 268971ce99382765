import type { Foreign } from "@holdfast/core/foreign.ts";
import type { NetworkConfig } from "@holdfast/domains/network/model.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { abort, apply, onTrial, refused, TRIAL, words } from "./change-stage.ts";
import { makeNonce, makeRequestId } from "./commander.ts";
import { driftOf, link, look, network, NONE, static4, static6 } from "./network-stage.ts";
import { SystemdAgent } from "./systemd-agent.ts";

let lab: Lab;
let server: LabServer;
let agent: SystemdAgent;
let found: string;

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfh-${process.pid}` });
  const lan = await lab.network({ name: "lan", subnet4: "10.20.0.0/24" });
  const attachments = [{ network: lan, interface: "eth0", addresses: ["10.20.0.10"] }];
  server = lab.server({ name: "web", kind: "systemd", addressing: "networkd", attachments });
  await server.start();
  agent = new SystemdAgent(server);
  await agent.install();
  found = await look(server);
});
afterAll(async () => {
  agent.letGo();
  await lab.close();
});
beforeEach(async () => {
  expect(await look(server)).toBe(found);
});

const WAN = link("eth0", { ipv4: static4("10.20.0.20/24") });

/** Prepared and executed, it fails by itself, and the server is as before. */
async function undoneByItself(domains: Readonly<Record<string, NetworkConfig | object>>): Promise<string> {
  const id = makeRequestId();
  const prepared = await agent.prepareDomains(id, domains as Parameters<typeof agent.prepareDomains>[1], TRIAL);
  expect(prepared, words(prepared)).toMatchObject({ code: "" });
  const executed = await agent.execute(id, makeNonce());
  expect(await look(server)).toBe(found);
  return words(executed);
}

/** What the server is known not to do, before anybody plans on it. */
async function lacking(): Promise<readonly string[]> {
  // This module alone: those of other domains are to be started by the test that needs them.
  const { domains } = await (await agent.guard()).observe({ domains: ["network"] });
  const { lacks } = domains[0] ?? {};
  return (lacks?.lacks ?? [{ feature: "nobody", code: "said" }]).map(({ feature, code }) => `${feature} ${code}`);
}

test("a VLAN and a bond are refused before anything changes where the kernel lacks them, with the reason", async () => {
  const vlan = network({
    wan: WAN,
    staff: link("staff", { device: { kind: "vlan", id: 10, parent: "wan" }, ipv4: static4("10.30.0.1/24") }),
  });
  expect(await refused(agent, { network: vlan })).toMatch(/kernel_lacks.*cannot make a vlan, which staff is/);
  const bond = network({
    pair: link("pair", { device: { kind: "bond", mode: "active-backup", members: ["wan"] }, ipv4: WAN.ipv4 }),
    wan: link("eth0", {}),
  });
  expect(await refused(agent, { network: bond })).toMatch(/kernel_lacks.*cannot make a bond, which pair is/);
  expect(await lacking()).toEqual(["vlan network.kernel_lacks", "bond network.kernel_lacks"]);
});

test("what networkd could not set, and what it set otherwise, is found by reading back and undone", async () => {
  // An own address that the server does not have: the kernel refuses the route, and networkd only writes that into its log.
  const route = { to: "10.99.0.0/16", via: "10.20.0.1", source: "10.20.0.99", table: 254, onLink: false };
  expect(await undoneByItself({ network: network({ wan: { ...WAN, routes: [route] } }) })).toContain("verify");
  // A remark of somebody else on our own file: networkd does as that says, and the file has the right text all the same.
  const dropIn = "/run/systemd/network/04-holdfast-wan.network.d";
  await server.must(["mkdir", "-p", dropIn]);
  await server.writeFile(`${dropIn}/x.conf`, "[Link]\nMTUBytes=1300\n");
  const executed = await undoneByItself({ network: network({ wan: { ...WAN, mtu: 1400 } }) });
  await server.must(["rm", "-r", dropIn]);
  expect(executed).toMatch(/interfaces\.wan\.mtu: expected 1400, found 1300/);
});

test("a rule of somebody else that networkd drops and that does not come back undoes the change", async () => {
  const rule = "priority 300 from 10.8.0.0/24 table 77";
  await server.must(["sh", "-c", `ip rule add ${rule}`]);
  // Whenever it is made again it is taken away again, as by a program that had seen it go.
  const takes = `ip monitor rule | while read -r line; do ip rule delete ${rule}; done`;
  await server.must(["systemd-run", "--quiet", "--unit=taker", "sh", "-c", takes]);
  expect(await undoneByItself({ network: network({ wan: WAN }) })).toMatch(
    /verify\.mismatch.*IPv4 priority 300 from 10\.8\.0\.0\/24 table 77, which somebody else had set/,
  );
  await server.must(["systemctl", "stop", "taker.service"]);
  await server.exec(["sh", "-c", `ip rule delete ${rule}`]);
});

test("network and firewall are one change: what the second makes fail, the first goes back with", async () => {
  const firewall = {
    mode: "enforce",
    floor: { inbound: [], controlPlane: [] },
    interfaces: {},
    zones: {},
    sets: {},
    needs: [],
    inbound: { default: "drop", rules: [] },
  };
  // A server whose nft takes the batch and forgets it: read back, our table is not there.
  await server.must(["mkdir", "-p", "/usr/local/sbin"]);
  await server.writeFile("/usr/local/sbin/nft", "#!/bin/sh\nexit 0\n", 0o755);
  try {
    const id = makeRequestId();
    const prepared = await agent.prepareDomains(id, { network: network({ wan: WAN }), firewall }, TRIAL);
    if (prepared.code === "") expect(words(await agent.execute(id, makeNonce()))).toMatch(/verify|step/);
  } finally {
    await server.must(["rm", "/usr/local/sbin/nft"]);
  }
  expect(await look(server)).toBe(found);
});

test("who was a neighbour before is found anew on trial; what somebody set stays", async () => {
  const know = (address: string, state: string): Promise<string> =>
    server.must(["ip", "neigh", "replace", address, "lladdr", "02:00:00:00:00:77", "nud", state, "dev", "eth0"]);
  const known = (): Promise<string> => server.must(["ip", "neigh", "show", "dev", "eth0"]);
  await apply(agent, { network: network({ wan: WAN }) });
  // Nobody answers at this address any more, and for minutes nobody would notice.
  await know("10.20.0.77", "stale");
  await know("10.20.0.78", "permanent");
  // With this family nothing else makes the kernel forget: the link keeps an address of its own.
  await know("fe80::77", "stale");
  const { id } = await onTrial(agent, { network: network({ wan: { ...WAN, search: ["example.org"] } }) });
  const onTrialKnown = await known();
  await abort(agent, id);
  const afterwards = await known();
  await apply(agent, { network: null });
  const given = await known();
  await server.must(["ip", "neigh", "flush", "nud", "permanent", "dev", "eth0"]);
  for (const gone of ["10.20.0.77", "fe80::77"]) expect(onTrialKnown).not.toContain(gone);
  for (const seen of [onTrialKnown, afterwards, given]) expect(seen).toMatch(/10\.20\.0\.78.*PERMANENT/);
});

test("what others have set here is told as it stands, and nothing of ours with it", async () => {
  await apply(agent, { network: network({ wan: WAN }) });
  const { domains } = await (await agent.guard()).observe({ domains: ["network"] });
  await apply(agent, { network: null });
  const told = JSON.parse(domains[0]?.foreignJson ?? "null") as Foreign;
  const [source] = told.blocks.map((block) => block.source);
  const whole = told.blocks.flatMap((block) => (block.source === source ? [block.text] : [])).join("");
  expect(whole).toBe(await server.must(["cat", source ?? "/nothing"]));
  expect(JSON.stringify(told)).not.toContain("holdfast-");
});

test("drift is seen and named, put back only when that is said, and what others made on the link stays", async () => {
  const theirs = async (): Promise<string> =>
    (await server.exec(["sh", "-c", "ip rule show priority 500; ip route show table 500; ip route show 10.77.0.0/16"]))
      .stdout;
  await apply(agent, { network: network({ wan: { ...WAN, mtu: 1400 } }) });
  expect(await driftOf(agent)).toMatchObject({ error: "", drift: false });
  // A VPN or a routing daemon: a table and a rule of its own, and a route with a protocol of its own.
  await server.must(["ip", "rule", "add", "priority", "500", "from", "10.77.0.0/16", "table", "500"]);
  await server.must(["ip", "route", "add", "10.78.0.0/16", "via", "10.20.0.1", "table", "500"]);
  await server.must(["ip", "route", "add", "10.77.0.0/16", "via", "10.20.0.1", "proto", "186"]);
  const before = await theirs();
  expect(await driftOf(agent)).toMatchObject({ error: "", drift: false });
  await server.must(["ip", "address", "add", "10.20.0.66/24", "dev", "eth0"]);
  await server.must(["ip", "link", "set", "eth0", "mtu", "1450"]);
  expect(await driftOf(agent)).toMatchObject({ error: "", drift: true });
  const next = network({ wan: { ...WAN, mtu: 1420 } });
  expect(await refused(agent, { network: next })).toMatch(/plan\.drift.*interfaces\.wan/);

  const [id, nonce] = [makeRequestId(), makeNonce()];
  const prepared = await agent.prepareDomains(id, { network: next }, TRIAL, true);
  expect(prepared, words(prepared)).toMatchObject({ code: "" });
  const executed = await agent.execute(id, nonce);
  expect(executed, words(executed)).toMatchObject({ code: "" });
  const now = await look(server);
  expect(now).toContain("mtu 1420");
  expect(now).not.toContain("10.20.0.66");
  expect(await theirs()).toBe(before);
  // The undo puts back what a person had changed too: the state of before is that of before.
  await agent.abort(id);
  const undone = await look(server);
  expect(undone).toContain("10.20.0.66");
  expect(undone).toContain("mtu 1450");
  expect(await theirs()).toBe(before);

  await server.must(["ip", "address", "delete", "10.20.0.66/24", "dev", "eth0"]);
  await server.must(["ip", "link", "set", "eth0", "mtu", "1400"]);
  await server.must(["ip", "rule", "delete", "priority", "500"]);
  await server.must(["ip", "route", "flush", "table", "500"]);
  await server.must(["ip", "route", "delete", "10.77.0.0/16"]);
  await apply(agent, {});
});

test("a route over several ways is in the kernel as it was asked for, changed, and gone again", async () => {
  const [a, b, c] = ["10.20.0.1", "10.20.0.253", "10.20.0.254"];
  const shared = (
    ways: readonly { via: string; weight: number }[],
    six: readonly { via: string; weight: number }[],
  ) => ({
    network: network({
      wan: {
        ...WAN,
        ipv6: static6("fd20::20/64"),
        routes: [
          { to: "10.99.0.0/16", ways: [...ways], table: 254, onLink: false },
          ...(six.length === 0 ? [] : [{ to: "fd99::/64", ways: [...six], table: 100, onLink: false }]),
        ],
      },
    }),
  });
  const SIX = [
    { via: "fd20::1", weight: 1 },
    { via: "fd20::2", weight: 4 },
  ];
  await apply(
    agent,
    shared(
      [
        { via: a, weight: 3 },
        { via: b, weight: 1 },
      ],
      SIX,
    ),
  );
  const routes = async (): Promise<string> =>
    (await server.must(["sh", "-c", "ip -4 route show 10.99.0.0/16; ip -6 route show table 100"])).replaceAll(
      /\s+/g,
      " ",
    );
  expect(await routes()).toMatch(/10.99.0.0\/16 .*via 10.20.0.1 dev eth0 weight 3 .*via 10.20.0.253 dev eth0 weight 1/);
  expect(await routes()).toMatch(/fd99::\/64 .*via fd20::1 dev eth0 weight 1 .*via fd20::2 dev eth0 weight 4/);
  // Others in its place, then one way alone; each is read back, and the last undo leaves nothing.
  const confirmed = await look(server);
  const other = await onTrial(
    agent,
    shared(
      [
        { via: a, weight: 1 },
        { via: c, weight: 2 },
      ],
      [],
    ),
  );
  expect(await routes()).toMatch(/weight 1 .*via 10.20.0.254 dev eth0 weight 2/);
  expect(await routes()).not.toContain("fd99");
  await agent.abort(other.id);
  expect(await look(server)).toBe(confirmed);
  await apply(agent, { network: network({ wan: WAN }) });
  expect(await routes()).not.toMatch(/10.99|fd99/);
  await apply(agent, {});
});

test("an interface that is turned off goes down, and comes back", async () => {
  const off = network({ wan: link("eth0", { ...NONE, enable: false }) });
  const { id } = await onTrial(agent, { network: off });
  expect(await look(server)).toMatch(/^eth0 DOWN/m);
  await agent.abort(id);
});

test("where nobody that we know sets the network up, it is read and not changed, and the reason is told", async () => {
  const config = { network: network({ wan: WAN }) };
  const unit = (name: string): Promise<void> =>
    server.writeFile(`/run/systemd/system/${name}`, "[Service]\nExecStart=/bin/sleep infinity\n");
  await server.must(["systemctl", "disable", "--now", "systemd-networkd.socket", "systemd-networkd.service"]);
  try {
    expect(await refused(agent, config)).toMatch(/read_only.*systemd-networkd is not in use/);
    await unit("networking.service");
    await server.writeFile("/etc/network/interfaces", "auto eth0\niface eth0 inet static\n  address 10.20.0.10/24\n");
    await server.must(["sh", "-c", "systemctl daemon-reload && systemctl start networking.service"]);
    expect(await refused(agent, config)).toMatch(/read_only.*ifupdown/);
    expect(await lacking()).toContain(" network.read_only");
    await unit("NetworkManager.service");
    await server.must(["sh", "-c", "systemctl daemon-reload && systemctl start NetworkManager.service"]);
    expect(await refused(agent, config)).toMatch(/read_only.*NetworkManager/);
    // What is read is there all the same.
    const observed = JSON.stringify(await (await agent.guard()).observe({ domains: ["network"] }));
    expect(observed).toContain("10.20.0.10");
  } finally {
    await server.must(["systemctl", "stop", "networking.service", "NetworkManager.service"]);
    await server.must(["rm", "/run/systemd/system/networking.service", "/run/systemd/system/NetworkManager.service"]);
    await server.must(["rm", "/etc/network/interfaces"]);
    await server.must(["systemctl", "daemon-reload"]);
    await server.must(["systemctl", "enable", "--now", "systemd-networkd.service"]);
    await server.must(["/lib/systemd/systemd-networkd-wait-online", "--timeout=20", "--interface=eth0"]);
  }
});
