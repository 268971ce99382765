import { expect, test } from "vitest";
import { BARE_SERVER, RENTED_SERVER, serverAfter } from "../../test/network-server.ts";
import { foreignFileFor } from "./foreign-file.ts";
import type { InterfaceConfig, NetworkConfig } from "./model.ts";
import type { NetworkObserved } from "./observed.ts";
import { planNetwork } from "./plan.ts";
import { verifyNetwork } from "./verify.ts";

const PATH = { controlPlane: [{ address: "192.0.2.200", port: 7081 }], inbound: [] };
const NONE = { method: "none" as const, addresses: [], gateways: [], use: [] };

function one(name: string, change: Partial<InterfaceConfig>): InterfaceConfig {
  const base = { bound: { name }, enable: true, ipv4: NONE, ipv6: NONE, routes: [], rules: [], dns: [], search: [] };
  return { ...base, ...change };
}

function config(
  interfaces: Readonly<Record<string, InterfaceConfig>>,
  forwarding: NetworkConfig["forwarding"] = {},
): NetworkConfig {
  return { reachedAt: [], forwarding, interfaces: { ...interfaces } };
}

const STATIC: InterfaceConfig["ipv4"] = { method: "static", addresses: ["10.1.0.2/24"], gateways: [], use: [] };
const LAN = one("eth1", { ipv4: STATIC });
const A = config({ lan: LAN });

function plan(desired: NetworkConfig | null, observed: NetworkObserved, confirmed: NetworkConfig | null = null) {
  const { steps, findings } = planNetwork({ desired, confirmed, observed, managementPath: PATH });
  return { steps, codes: findings.map(({ severity, code }) => `${severity} ${code}`), findings };
}

test.each(["NetworkManager", "ifupdown", "nobody we know"])(
  "where %s sets the network up, nothing is planned and the reason told",
  (name) => {
    const observed: NetworkObserved = { ...BARE_SERVER, renderer: { state: "foreign", name, why: `${name} does it` } };
    const { steps, findings, codes } = plan(A, observed);
    expect(steps).toEqual([]);
    expect(codes).toEqual(["error network.read_only"]);
    expect(findings[0]?.message).toContain(`${name} does it`);
    // A server without a network policy has nothing to be told.
    expect(plan(null, observed)).toMatchObject({ steps: [], codes: [] });
  },
);

test("what could not be read is not changed", () => {
  expect(plan(A, { ...BARE_SERVER, unreadable: "links" })).toMatchObject({
    steps: [],
    codes: ["error network.unreadable"],
  });
});

test("files first, which nobody reads yet; then networkd, once; then what it leaves behind", () => {
  const before = config({ lan: { ...LAN, rules: [{ priority: 1000, from: "10.1.0.0/24", table: 100 }] } });
  const { steps } = plan(config({ lan: { ...LAN, mtu: 1400 } }), serverAfter(before), before);
  expect(steps.map(({ id }) => id)).toEqual([
    "network.write.lan.network",
    "network.reload",
    "network.routing",
    // Last, so that nothing that comes back is learnt from what is on its way out.
    "network.neighbours.eth1",
  ]);
  const last = steps.at(-2)?.action;
  expect(last?.kind === "ip_state" ? last.absent.rules : []).toMatchObject([{ priority: 1000 }]);
});

test.each(["vlan", "bond"] as const)(
  "a %s is refused where the kernel lacks it, and said where that is not known",
  (kind) => {
    const device: InterfaceConfig["device"] =
      kind === "vlan" ? { kind, id: 7, parent: "lan" } : { kind, mode: "active-backup", members: ["lan"] };
    const wanted = config({ lan: kind === "vlan" ? LAN : one("eth1", {}), made: one("made", { device }) });
    const kernel = (can: boolean | null): NetworkObserved => ({ ...BARE_SERVER, kernel: { vlan: can, bond: can } });
    expect(plan(wanted, kernel(false)).codes).toContain("error network.kernel_lacks");
    expect(plan(wanted, kernel(null)).codes).toContain("warning network.kernel_unknown");
    expect(plan(wanted, kernel(true)).codes.join()).not.toContain("kernel");
  },
);

test("a bond that is made anew takes its members in again, whose own files are as before", () => {
  const bonded = (device: Partial<Extract<InterfaceConfig["device"], { readonly kind: "bond" }>>): NetworkConfig =>
    config({
      left: one("eth0", {}),
      right: one("eth1", {}),
      pair: one("pair0", { device: { kind: "bond", mode: "active-backup", members: ["left", "right"], ...device } }),
    });
  const before = bonded({ monitorMs: 100 });
  const { steps } = plan(bonded({ arp: { intervalMs: 200, targets: ["10.1.0.1"] } }), serverAfter(before), before);
  expect(steps.map(({ id }) => id)).toEqual([
    "network.write.left.network",
    "network.write.pair.netdev",
    "network.write.right.network",
    "network.delete.pair0",
    "network.reload",
  ]);
});

test("devices that others made are never taken", () => {
  const wanted = config({ br: one("br0", { device: { kind: "bridge", members: [], stp: false } }) });
  const [eth0] = BARE_SERVER.links;
  if (eth0 === undefined) throw new Error("the sample has no card");
  const theirs: NetworkObserved = {
    ...BARE_SERVER,
    links: [...BARE_SERVER.links, { ...eth0, name: "br0", kind: "bridge" }],
  };
  expect(plan(wanted, theirs).codes).toContain("error network.device_foreign");
  // And a device of ours that has become another kind is left.
  const ours = serverAfter(wanted);
  const turned = {
    ...ours,
    links: ours.links.map((link) => (link.name === "br0" ? { ...link, kind: "dummy" } : link)),
  };
  expect(plan(null, turned, wanted).steps.some(({ action }) => action.kind === "link")).toBe(false);
});

test("hardware that is missing is told and waits; hardware that is there twice is refused", () => {
  const byMac = config({ lan: { ...LAN, bound: { mac: "52:54:00:ff:ff:ff" } } });
  expect(plan(byMac, BARE_SERVER).codes).toContain("warning network.interface_missing");
  const twins = { ...BARE_SERVER, links: BARE_SERVER.links.map((link) => ({ ...link, mac: "52:54:00:ff:ff:ff" })) };
  expect(plan(byMac, twins).codes).toContain("error network.interface_ambiguous");
});

test("a file of somebody else that networkd would take before ours is refused", () => {
  const path = "/etc/systemd/network/00-first.network";
  const links = BARE_SERVER.links.map((link) => (link.name === "eth1" ? { ...link, file: path } : link));
  expect(plan(A, { ...BARE_SERVER, links }).codes).toContain("error network.foreign_first");
});

test("others who write network settings are named", () => {
  const { codes, findings } = plan(A, { ...BARE_SERVER, competing: ["NetworkManager runs beside systemd-networkd"] });
  expect(codes).toContain("warning network.competing_manager");
  expect(findings.find(({ code }) => code === "network.competing_manager")?.message).toContain("NetworkManager");
});

test("what stands on a card by hand and will not any more is told", () => {
  const codes = plan(config({ wan: one("eth0", { ipv4: STATIC }) }), RENTED_SERVER).codes;
  expect(codes).toContain("warning network.address_removed");
  expect(codes).toContain("warning network.route_removed");
});

test("a card that is released and for which there is no other file keeps nothing, which is a danger", () => {
  expect(plan(null, serverAfter(A), A).codes).toContain("danger network.released_bare");
  const wan = config({ wan: one("eth0", { ipv4: STATIC }) });
  expect(plan(null, serverAfter(wan, RENTED_SERVER), wan).codes.join()).not.toContain("released_bare");
});

test("rules of others that could not be made again are a danger wherever networkd is told to begin anew", () => {
  const strange = { ...BARE_SERVER.rules[0]!, priority: 77, protocol: 0, isStrange: true };
  expect(plan(A, { ...BARE_SERVER, rules: [...BARE_SERVER.rules, strange] }).codes).toContain(
    "danger network.cannot_put_back",
  );
});

test("what daemons made on a card that is set up anew is made again, what was ours is not", () => {
  const before = config({
    lan: { ...LAN, routes: [{ to: "10.9.0.0/16", via: "10.1.0.9", table: 100, onLink: false }] },
  });
  const there = serverAfter(before);
  const hops = [{ via: "10.1.0.9", dev: "eth1", weight: 1, onLink: false }];
  const bird = {
    family: 4 as const,
    kind: "unicast" as const,
    to: "10.8.0.0/16",
    table: 254,
    metric: 0,
    protocol: 186,
    hops,
    source: null,
  };
  const { steps } = plan(null, { ...there, routes: [...there.routes, bird] }, before);
  const last = steps.at(-1)?.action;
  expect(last?.kind === "ip_state" ? last.present.routes : []).toEqual([bird]);
});

test("name servers that nobody asks are told", () => {
  expect(plan(config({ lan: { ...LAN, dns: ["9.9.9.9"] } }), { ...BARE_SERVER, resolved: false }).codes).toContain(
    "warning network.dns_unused",
  );
});

test("before networkd has started only its files and the kernel's own settings are set", () => {
  const wanted = config({ lan: LAN }, { ipv4: true });
  const kinds = plan(wanted, { ...BARE_SERVER, renderer: { state: "starting" } }).steps.map(
    ({ action }) => action.kind,
  );
  expect(new Set(kinds)).toEqual(new Set(["write_file", "sysctl"]));
});

test.each([
  ["[Match]\nName=eth*\n", true],
  ["[Match]\nName=en* eth1\n", true],
  ["[Match]\nName=eth?\nType=ether\n", false],
  ["[Match]\nMACAddress=52:54:00:AA:10:02\n", true],
  ["[Match]\nName=[\n", false],
  ["[Match]\n# Name=eth1\n", false],
  ["[Network]\nDHCP=yes\n", false],
])("a foreign file %j is for eth1: %s", (text, isFor) => {
  const observed: NetworkObserved = {
    ...BARE_SERVER,
    foreign: [{ path: "/etc/systemd/network/50-x.network", kind: "network", text }],
  };
  expect(foreignFileFor({ name: "eth1", mac: "52:54:00:aa:10:02" }, observed) !== null).toBe(isFor);
});

const SHARED: InterfaceConfig = {
  ...LAN,
  routes: [
    {
      to: "10.9.0.0/16",
      ways: [
        { via: "10.1.0.3", weight: 3 },
        { via: "10.2.0.4", by: "other", weight: 1 },
      ],
      table: 254,
      onLink: false,
    },
  ],
};
const OTHER = one("eth2", { ipv4: { ...STATIC, addresses: ["10.2.0.2/24"] } });

test("a route over several ways is read back whole: another weight, a way less and one left behind are found", () => {
  const wanted = config({ lan: SHARED, other: OTHER });
  const live = serverAfter(wanted);
  expect(verifyNetwork(wanted, live)).toEqual([]);
  const withHops = (change: (hops: NetworkObserved["routes"][number]["hops"]) => typeof hops) => ({
    ...live,
    routes: live.routes.map((route) => (route.hops.length > 1 ? { ...route, hops: change(route.hops) } : route)),
  });
  const found = (observed: NetworkObserved, of = wanted) => verifyNetwork(of, observed).map(({ path }) => path);
  // The kernel may tell them in another order.
  expect(found(withHops((hops) => hops.toReversed()))).toEqual([]);
  expect(found(withHops((hops) => hops.map((hop) => ({ ...hop, weight: 1 }))))).toContain("interfaces.lan.routes");
  expect(found(withHops((hops) => hops.slice(0, 1)))).toContain("interfaces.lan.routes");
  // networkd leaves it behind: it is taken away by name, and its remains would be told.
  const without = config({ lan: LAN, other: OTHER });
  expect(found(live, without)).toContain("interfaces.lan.routes");
  const last = plan(without, live, wanted).steps.find(({ id }) => id === "network.routing")?.action;
  expect(last?.kind === "ip_state" ? last.absent.routes.map(({ to }) => to) : []).toEqual(["10.9.0.0/16"]);
});

test("a way by hardware that is not there is left out with its route, and comes when it is plugged in", () => {
  const wanted = config({ lan: SHARED, other: { ...OTHER, bound: { mac: "52:54:00:ff:ff:ff" } } });
  const live = serverAfter(wanted);
  expect(verifyNetwork(wanted, live)).toEqual([]);
  expect(live.routes.some(({ hops }) => hops.length > 1)).toBe(false);
  expect(Object.values(live.own.etc).join("")).not.toContain("MultiPathRoute");
});

const SWITCH = (tagged: readonly number[], untagged?: number): NetworkConfig =>
  config({
    left: one("eth1", {
      port: {
        vlans: {
          tagged: tagged.map((id) => ({ first: id, last: id })),
          ...(untagged === undefined ? {} : { untagged }),
        },
      },
    }),
    br: one("br0", { device: { kind: "bridge", members: ["left"], stp: false, vlans: { tagged: [] } } }),
  });

test("networkd takes a port out of no VLAN, so it is done for it: exactly what is too many, and what is too few", () => {
  const before = SWITCH([10, 20, 21]);
  const { steps } = plan(SWITCH([20], 30), serverAfter(before), before);
  const vlans = steps.flatMap(({ action }) =>
    action.kind === "link" && action.change.op === "vlans" ? [[action.link, action.change] as const] : [],
  );
  expect(vlans).toEqual([
    [
      "eth1",
      {
        op: "vlans",
        isBridge: false,
        absent: [
          { first: 10, last: 10, untagged: false },
          { first: 21, last: 21, untagged: false },
        ],
        present: [{ first: 30, last: 30, untagged: true }],
      },
    ],
  ]);
  // After networkd, which makes the bridge.
  expect(steps.findIndex(({ id }) => id === "network.reload")).toBeLessThan(
    steps.findIndex(({ id }) => id === "network.vlans.eth1"),
  );
  // A way that nobody wrote is found.
  const live = serverAfter(before);
  const open = {
    ...live,
    links: live.links.map((link) =>
      link.name === "eth1"
        ? { ...link, vlans: [...(link.vlans ?? []), { first: 66, last: 66, untagged: false }] }
        : link,
    ),
  };
  expect(verifyNetwork(before, open)).toEqual([
    { path: "interfaces.left.vlans", expected: "10, 20-21", found: "10, 20-21, 66" },
  ]);
});

test("a kernel without VLANs is refused a bridge that tells them apart, and no other bridge", () => {
  const lacking: NetworkObserved = { ...BARE_SERVER, kernel: { vlan: false, bond: null } };
  expect(plan(SWITCH([10]), lacking).codes).toContain("error network.kernel_lacks");
  expect(
    plan(config({ br: one("br0", { device: { kind: "bridge", members: [], stp: false } }) }), lacking).codes,
  ).toEqual([]);
});
