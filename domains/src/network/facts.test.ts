import type { RawFact, RawFacts } from "@holdfast/core/domain.ts";
import { expect, test } from "vitest";
import { networkFacts, observeNetwork } from "./facts.ts";

/** What the programs of a server print, cut to what is read of it. */

function said(stdout: string): RawFact {
  return { status: 0, stdout, stderr: "" };
}
const ABSENT: RawFact = { status: 1, stdout: "", stderr: "there is no such file" };

function units(states: Readonly<Record<string, string>>): RawFact {
  const names = ["systemd-networkd", "systemd-resolved", "NetworkManager", "networking"];
  return said(
    names
      .map(
        (name) =>
          `Id=${name}.service\nLoadState=loaded\nActiveState=${states[name] ?? "inactive"}\nUnitFileState=enabled`,
      )
      .join("\n\n"),
  );
}

const BYTES = [10, 20, 0, 57];
const DESCRIBED = {
  Interfaces: [
    {
      Name: "eth0",
      AdministrativeState: "configured",
      OperationalState: "routable",
      NetworkFile: "/etc/systemd/network/05-holdfast-wan.network",
      Addresses: [{ Family: 2, Address: BYTES, ConfigSource: "DHCPv4", ConfigProvider: [10, 20, 0, 1] }],
      DNS: [
        { Family: 2, Address: [9, 9, 9, 9], ConfigSource: "static" },
        { Family: 2, Address: [10, 20, 0, 1], ConfigSource: "DHCPv4" },
      ],
      SearchDomains: [{ Domain: "example.com", ConfigSource: "static" }],
    },
  ],
};

const LINKS = [
  {
    ifname: "eth0",
    flags: ["BROADCAST", "UP", "LOWER_UP"],
    mtu: 1400,
    link_type: "ether",
    address: "52:54:00:00:00:99",
    permaddr: "52:54:00:aa:10:01",
    master: "lan0",
    linkinfo: { info_slave_kind: "bridge", info_slave_data: { cost: 4, priority: 32, isolated: true } },
    addr_info: [
      { local: "10.20.0.57", prefixlen: 24, scope: "global", dynamic: true, valid_life_time: 3599 },
      { local: "10.20.0.2", prefixlen: 24, scope: "global", valid_life_time: 4_294_967_295 },
      { local: "fe80::1", prefixlen: 64, scope: "link", valid_life_time: 4_294_967_295, tentative: true },
    ],
    stats64: { rx: { bytes: 1, errors: 2 }, tx: { bytes: 3, errors: 4 } },
  },
  {
    ifname: "lan0",
    flags: [],
    mtu: 1500,
    link_type: "ether",
    address: "52:54:00:aa:10:07",
    linkinfo: {
      info_kind: "bridge",
      info_data: {
        stp_state: 1,
        priority: 4096,
        forward_delay: 400,
        ageing_time: 800,
        topology_change: 1,
        mcast_snooping: 0,
        vlan_filtering: 1,
        vlan_default_pvid: 0,
      },
    },
  },
  {
    ifname: "pair",
    flags: ["UP"],
    mtu: 1500,
    link_type: "ether",
    address: "52:54:00:aa:10:01",
    linkinfo: {
      info_kind: "bond",
      info_data: {
        mode: "802.3ad",
        miimon: 100,
        xmit_hash_policy: "layer3+4",
        min_links: 1,
        ad_lacp_rate: "fast",
        arp_interval: 0,
        arp_ip_target: [],
      },
    },
  },
];

const RAW: RawFacts = {
  units: units({ "systemd-networkd": "active", "systemd-resolved": "active" }),
  networkd: said(JSON.stringify({ type: "s", data: [JSON.stringify(DESCRIBED)] })),
  links: said(JSON.stringify(LINKS)),
  "bridge vlans": said(
    JSON.stringify([
      {
        ifname: "eth0",
        vlans: [
          { vlan: 20 },
          { vlan: 10, flags: ["PVID", "Egress Untagged"] },
          { vlan: 21 },
          { vlan: 30, vlanEnd: 39 },
        ],
      },
      { ifname: "lan0", vlans: [{ vlan: 20 }] },
    ]),
  ),
  routes4: said(
    JSON.stringify([
      { dst: "default", gateway: "10.20.0.1", dev: "eth0", protocol: "4", metric: 50, flags: [] },
      { type: "6", dst: "10.66.0.0/16", protocol: "4", flags: [] },
      {
        dst: "10.7.0.0/16",
        protocol: "3",
        table: "100",
        nexthops: [
          { gateway: "10.20.0.3", dev: "eth0", weight: 2, flags: [] },
          { gateway: "10.20.0.4", dev: "eth0", weight: 1, flags: ["onlink"] },
        ],
      },
      { type: "2", dst: "10.20.0.2", dev: "eth0", table: "255", protocol: "2" },
    ]),
  ),
  routes6: said(""),
  rules4: said(
    JSON.stringify([
      { priority: 0, src: "all", table: "255", protocol: "2" },
      {
        priority: 1000,
        src: "10.20.0.0",
        srclen: 24,
        fwmark: "0x10",
        fwmask: "0xff",
        iif: "eth0",
        table: "100",
        protocol: "4",
      },
      { priority: 900, not: null, src: "10.0.0.1", table: "100", protocol: "0" },
    ]),
  ),
  rules6: said(JSON.stringify([{ priority: 0, src: "all", table: "255", protocol: "2" }])),
  neighbours: said(
    JSON.stringify([{ dst: "10.20.0.1", dev: "eth0", lladdr: "52:54:00:00:00:01", state: ["REACHABLE"] }]),
  ),
  forwarding4: said("1\n"),
  forwarding6: said("0\n"),
  "/etc/systemd/network network": said(
    JSON.stringify({ "05-holdfast-wan.network": "ours", "10-theirs.network": "[Match]\nName=eth1\n" }),
  ),
  "/etc/systemd/network netdev": said(JSON.stringify({ "wg.netdev": "[WireGuard]\nPrivateKey=secret\n" })),
  "/run/systemd/network network": said(JSON.stringify({ "04-holdfast-wan.network": "on trial" })),
  "/run/systemd/network netdev": said("{}"),
  "/usr/lib/systemd/network network": said("{}"),
  "/usr/lib/systemd/network netdev": said("{}"),
  "forwarding run": ABSENT,
  "forwarding etc": said("net.ipv4.ip_forward = 1\n"),
  netplan: said(JSON.stringify({ "50-cloud-init.yaml": "network: {}" })),
  ifupdown: ABSENT,
  vlans: ABSENT,
  bonds: said("\n"),
  "vlan module": { status: 1, stdout: "", stderr: "" },
  "bond module": { status: 255, stdout: "", stderr: "spawn modprobe ENOENT" },
};

test("every fact that is read is asked for, once", () => {
  const names = networkFacts.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.toSorted()).toEqual(Object.keys(RAW).toSorted());
});

test("nothing that is asked changes anything, or starts anybody", () => {
  const commands = networkFacts.flatMap((query) => (query.kind === "command" ? [query.argv.join(" ")] : []));
  expect(commands.filter((words) => / (add|set|delete|replace|reload|start) /.test(words))).toEqual([]);
  expect(commands.find((words) => words.startsWith("busctl"))).toContain("--auto-start=no");
  // Where it has not begun, the bus may be there and answer only when the boot has come further than we.
  expect(networkFacts.find(({ name }) => name === "networkd")).toMatchObject({ onlyWith: "/run/systemd/netif/state" });
  expect(commands.filter((words) => words.startsWith("modprobe")).every((words) => words.includes("--dry-run"))).toBe(
    true,
  );
});

test("links: what is set, what is lent, what only the link has; hardware by the address it was made with", () => {
  const { links } = observeNetwork(RAW);
  expect(links[0]).toMatchObject({
    name: "eth0",
    mac: "52:54:00:aa:10:01",
    up: true,
    carrier: true,
    master: "lan0",
    setup: "configured",
    file: "/etc/systemd/network/05-holdfast-wan.network",
    addresses: [
      { address: "10.20.0.2/24", source: "set", leaseSeconds: null },
      { address: "10.20.0.57/24", source: "learnt", leaseSeconds: 3599, lender: "10.20.0.1" },
      { address: "fe80::1/64", source: "link", tentative: true },
    ],
    dns: ["9.9.9.9"],
    search: ["example.com"],
    port: { cost: 4, priority: 32, isolated: true },
    counters: { rxBytes: 1, rxErrors: 2, txBytes: 3, txErrors: 4 },
  });
  expect(links[1]?.bridge).toMatchObject({ stp: true, priority: 4096, ageing: null, multicastSnooping: false });
  expect(links[1]?.bridge).toMatchObject({ vlanFiltering: true, defaultVlan: 0 });
  expect(links.map(({ name, vlans }) => [name, vlans])).toEqual([
    [
      "eth0",
      [
        { first: 10, last: 10, untagged: true },
        { first: 20, last: 21, untagged: false },
        { first: 30, last: 39, untagged: false },
      ],
    ],
    ["lan0", [{ first: 20, last: 20, untagged: false }]],
    ["pair", null],
  ]);
  expect(links[2]?.bond).toEqual({
    mode: "802.3ad",
    hashPolicy: "layer3+4",
    lacpRate: "fast",
    monitorMs: 100,
    arpIntervalMs: 0,
    arpTargets: [],
    minLinks: 1,
    primary: null,
  });
});

test("routes and rules: the kernel's own are not settings, what is shared out stays whole, what is strange is said", () => {
  const { routes, rules } = observeNetwork(RAW);
  expect(routes.map(({ kind, to, table, metric }) => [kind, to, table, metric])).toEqual(
    expect.arrayContaining([
      ["unicast", "0.0.0.0/0", 254, 50],
      ["blackhole", "10.66.0.0/16", 254, 0],
      ["unicast", "10.7.0.0/16", 100, 0],
    ]),
  );
  expect(routes).toHaveLength(3);
  expect(routes.find(({ to }) => to === "10.7.0.0/16")?.hops).toEqual([
    { via: "10.20.0.3", dev: "eth0", weight: 2, onLink: false },
    { via: "10.20.0.4", dev: "eth0", weight: 1, onLink: true },
  ]);
  expect(rules.find(({ priority }) => priority === 1000)).toEqual({
    family: 4,
    priority: 1000,
    from: "10.20.0.0/24",
    to: null,
    mark: { value: 16, mask: 255 },
    in: "eth0",
    table: 100,
    protocol: 4,
    isStrange: false,
  });
  expect(rules.find(({ priority }) => priority === 900)?.isStrange).toBe(true);
});

test("files: ours apart from those of others, and no key of theirs is kept", () => {
  const { own, foreign, competing } = observeNetwork(RAW);
  expect(own).toEqual({
    run: { "wan.network": "on trial" },
    etc: { "wan.network": "ours", "forwarding.conf": "net.ipv4.ip_forward = 1\n" },
  });
  expect(foreign).toEqual([
    { path: "/etc/systemd/network/10-theirs.network", kind: "network", text: "[Match]\nName=eth1\n" },
    { path: "/etc/systemd/network/wg.netdev", kind: "netdev", text: "" },
  ]);
  expect(competing.join()).toContain("cloud-init");
});

test("forwarding, resolver, neighbours, and what the kernel can make", () => {
  expect(observeNetwork(RAW)).toMatchObject({
    forwarding: { ipv4: true, ipv6: false },
    resolved: true,
    kernel: { vlan: false, bond: true },
    neighbours: [{ address: "10.20.0.1", link: "eth0", mac: "52:54:00:00:00:01", state: "reachable" }],
    unreadable: null,
  });
});

const MANAGER = { "systemd-networkd": "inactive", NetworkManager: "active" };
test.each<[string, Partial<RawFacts>, string]>([
  ["networkd, and it answers", {}, "running"],
  ["NetworkManager", { units: units(MANAGER) }, "NetworkManager"],
  ["ifupdown", { units: units({ networking: "active" }), ifupdown: said("iface eth0 inet dhcp\n") }, "ifupdown"],
  ["networkd that is not there", { units: units({}) }, "systemd-networkd"],
  [
    "networkd that does not answer",
    { networkd: { status: 1, stdout: "", stderr: "no such name" } },
    "systemd-networkd",
  ],
  ["no systemd", { units: { status: 255, stdout: "", stderr: "" } }, "nobody we know"],
])("who sets the network up: %s", (_, change, who) => {
  const { renderer } = observeNetwork({ ...RAW, ...change } as RawFacts);
  expect(renderer.state === "foreign" ? renderer.name : renderer.state).toBe(who);
});

test("in the middle of a boot networkd is on its way", () => {
  const text = units({}).stdout.replace("ActiveState=inactive", "ActiveState=inactive\nJob=4711");
  expect(observeNetwork({ ...RAW, units: said(text) }).renderer).toEqual({ state: "starting" });
});

test.each(["links", "routes4", "rules6", "/run/systemd/network network"])("without %s nothing is known", (name) => {
  expect(observeNetwork({ ...RAW, [name]: { status: 255, stdout: "", stderr: "" } }).unreadable).not.toBeNull();
});

test("nonsense in any answer is no reason to fall over", () => {
  for (const name of Object.keys(RAW))
    for (const stdout of [
      "",
      "nonsense",
      "null",
      "[]",
      "{}",
      "[null, 7, []]",
      '[{"dst":7,"ifname":{}}]',
      '{"data":["x"]}',
    ])
      expect(() => observeNetwork({ ...RAW, [name]: said(stdout) }), `${name}: ${stdout}`).not.toThrow();
});
