import { expect, test } from "vitest";
import type { InterfaceConfig, NetworkConfig } from "./model.ts";
import { validateNetwork } from "./validate.ts";

type Change = Partial<InterfaceConfig>;
const NONE = { method: "none" as const, addresses: [], gateways: [], use: [] };

function one(name: string, change: Change): InterfaceConfig {
  const base = { bound: { name }, enable: true, ipv4: NONE, ipv6: NONE, routes: [], rules: [], dns: [], search: [] };
  return { ...base, ...change };
}

function static4(addresses: string[], via?: string): InterfaceConfig["ipv4"] {
  return { method: "static", addresses, gateways: via === undefined ? [] : [{ via, onLink: false }], use: [] };
}

function codesOf(interfaces: Readonly<Record<string, InterfaceConfig>>, more: Partial<NetworkConfig> = {}): string[] {
  const config: NetworkConfig = { reachedAt: [], forwarding: {}, interfaces: { ...interfaces }, ...more };
  return validateNetwork(config).map(({ code }) => code);
}

const WAN = one("eth0", { ipv4: static4(["10.0.0.2/24"], "10.0.0.1") });
const route = (parts: Partial<InterfaceConfig["routes"][number]>) => ({
  to: "10.9.0.0/16",
  table: 254,
  onLink: false,
  ...parts,
});

const way = (via: string, by?: string) => ({ via, ...(by === undefined ? {} : { by }), weight: 1 });

test("a plain card has no remark, nor one that shares its packets out over two", () => {
  expect(codesOf({ wan: WAN })).toEqual([]);
  const lan = one("eth1", { ipv4: static4(["10.1.0.2/24"]) });
  const ways = [way("10.0.0.3"), way("10.1.0.4", "lan")];
  expect(codesOf({ wan: { ...WAN, routes: [route({ ways })] }, lan })).toEqual([]);
});

const BRIDGE = { kind: "bridge" as const, members: ["wan"], stp: true };
const MEMBER = one("eth0", {});

test.each<[string, Readonly<Record<string, InterfaceConfig>>, string]>([
  ["two roles, one card", { wan: WAN, also: { ...MEMBER } }, "network.bound_twice"],
  ["a member with an address", { wan: WAN, br: one("br0", { device: BRIDGE }) }, "network.member"],
  [
    "a member of two",
    { wan: MEMBER, br: one("br0", { device: BRIDGE }), br2: one("br1", { device: BRIDGE }) },
    "network.member",
  ],
  ["a bridge in itself", { br: one("br0", { device: { ...BRIDGE, members: ["br"] } }) }, "network.member"],
  ["a VLAN on itself", { v: one("v", { device: { kind: "vlan", id: 1, parent: "v" } }) }, "network.member"],
  [
    "a primary that is no member",
    {
      wan: MEMBER,
      b: one("b", { device: { kind: "bond", mode: "active-backup", members: ["wan"], primary: "other" } }),
    },
    "network.member",
  ],
  [
    "a member that is in no VLAN of a bridge that tells them apart",
    { wan: MEMBER, br: one("br0", { device: { ...BRIDGE, vlans: { tagged: [] } } }) },
    "network.bridge_vlans",
  ],
  [
    "VLANs of a member of a bridge that does not tell them apart",
    { wan: { ...MEMBER, port: { vlans: { tagged: [] } } }, br: one("br0", { device: BRIDGE }) },
    "network.bridge_vlans",
  ],
  [
    "a VLAN with its tag and without",
    {
      wan: { ...MEMBER, port: { vlans: { tagged: [{ first: 5, last: 15 }], untagged: 10 } } },
      br: one("br0", { device: { ...BRIDGE, vlans: { tagged: [] } } }),
    },
    "network.bridge_vlans",
  ],
  [
    "a VLAN of a bridge that does not let the server into it",
    {
      wan: { ...MEMBER, port: { vlans: { tagged: [{ first: 10, last: 10 }] } } },
      br: one("br0", { device: { ...BRIDGE, vlans: { tagged: [] } } }),
      staff: one("staff", { device: { kind: "vlan", id: 10, parent: "br" } }),
    },
    "network.bridge_vlan_missing",
  ],
  ["the port of no bridge", { wan: { ...WAN, port: { cost: 4 } } }, "network.member"],
  ["static without an address", { wan: one("eth0", { ipv4: static4([]) }) }, "network.method"],
  ["none with an address", { wan: one("eth0", { ipv4: { ...NONE, addresses: ["10.0.0.2/24"] } }) }, "network.method"],
  [
    "a gateway elsewhere",
    { wan: one("eth0", { ipv4: static4(["10.0.0.2/24"], "10.1.0.1") }) },
    "network.gateway_off_link",
  ],
  ["a next hop elsewhere", { wan: { ...WAN, routes: [route({ via: "10.5.0.1" })] } }, "network.gateway_off_link"],
  [
    "a way elsewhere, by the other card",
    {
      wan: { ...WAN, routes: [route({ ways: [way("10.0.0.3"), way("10.0.0.4", "lan")] })] },
      lan: one("eth1", { ipv4: static4(["10.1.0.2/24"]) }),
    },
    "network.gateway_off_link",
  ],
  [
    "a way by a card that is kept down",
    {
      wan: { ...WAN, routes: [route({ ways: [way("10.0.0.3"), way("10.1.0.4", "lan")] })] },
      lan: one("eth1", { enable: false, ipv4: static4(["10.1.0.2/24"]) }),
    },
    "network.route_ways",
  ],
  [
    "a way twice",
    { wan: { ...WAN, routes: [route({ ways: [way("10.0.0.3"), way("10.0.0.3")] })] } },
    "network.route_ways",
  ],
  [
    "two families over ways",
    { wan: { ...WAN, routes: [route({ ways: [way("10.0.0.3"), way("fe80::1")] })] } },
    "network.route_family",
  ],
  ["two families in a route", { wan: { ...WAN, routes: [route({ via: "fe80::1" })] } }, "network.route_family"],
  [
    "the same route twice",
    { wan: { ...WAN, routes: [route({ via: "10.0.0.3" }), route({ via: "10.0.0.4" })] } },
    "network.route_twice",
  ],
  [
    "the same address twice",
    { wan: WAN, lan: one("eth1", { ipv4: static4(["10.0.0.2/25"]) }) },
    "network.address_twice",
  ],
  [
    "networks that overlap",
    { wan: WAN, lan: one("eth1", { ipv4: static4(["10.0.0.200/25"]) }) },
    "network.networks_overlap",
  ],
  [
    "too small for IPv6",
    { wan: { ...WAN, mtu: 1200, ipv6: { ...NONE, method: "static", addresses: ["fd00::2/64"] } } },
    "network.mtu_ipv6",
  ],
  [
    "a bridge that waits for longer than the kernel takes",
    { wan: MEMBER, br: one("br0", { device: { ...BRIDGE, forwardDelay: 60 } }) },
    "network.bridge_timer",
  ],
])("%s is told", (_, interfaces, code) => {
  expect(codesOf(interfaces)).toContain(code);
});

test.each([
  ["backwards", 20, 10, true],
  ["beyond the network", 100, 255, true],
  ["with the server in it", 1, 10, true],
  ["as it should be", 10, 20, false],
])("a pool %s", (_, first, last, isBad) => {
  const dhcpServer = { first, last, leaseSeconds: 60, dns: [], gateway: true };
  expect(codesOf({ wan: { ...WAN, dhcpServer } })).toEqual(isBad ? ["network.dhcp_pool"] : []);
});

test("what is learnt, link-local or on the link by word needs no network of its own", () => {
  const learnt = one("eth0", { ipv4: { method: "dhcp", addresses: [], gateways: [], use: ["address"] } });
  expect(codesOf({ wan: { ...learnt, routes: [route({ via: "10.5.0.1" })] } })).toEqual([]);
  expect(codesOf({ wan: { ...WAN, routes: [route({ via: "10.5.0.1", onLink: true })] } })).toEqual([]);
  const six: InterfaceConfig["ipv6"] = {
    ...NONE,
    method: "static",
    addresses: ["fd00::2/64"],
    gateways: [{ via: "fe80::1", onLink: false }],
  };
  expect(codesOf({ wan: { ...WAN, ipv6: six } })).toEqual([]);
});

test("a document that says an address of this network which the server does not have is told", () => {
  expect(codesOf({ wan: WAN }, { reachedAt: ["10.0.0.9"] })).toEqual(["network.server_address"]);
  expect(codesOf({ wan: WAN }, { reachedAt: ["10.0.0.2", "203.0.113.9"] })).toEqual([]);
});
