import { expect, test } from "vitest";
import { BARE_SERVER, RENTED_SERVER, serverAfter } from "../../test/network-server.ts";
import { guardFindings } from "./guard.ts";
import type { InterfaceConfig, NetworkConfig } from "./model.ts";
import type { NetworkObserved } from "./observed.ts";
import { planNetwork } from "./plan.ts";

const CONTROL = { address: "192.0.2.200", port: 7081 };
const PATH = { controlPlane: [CONTROL], inbound: [{ networks: ["198.51.100.0/24"], tcpPorts: [22] }] };
const NONE = { method: "none" as const, addresses: [], gateways: [], use: [] };

function config(wan: Partial<InterfaceConfig>, reachedAt: string[] = ["198.51.100.20"]): NetworkConfig {
  const base = { bound: { name: "eth0" }, enable: true, ipv6: NONE, routes: [], rules: [], dns: [], search: [] };
  return { reachedAt, forwarding: {}, interfaces: { wan: { ...base, ipv4: NONE, ...wan } } };
}

function at(address: string, via = "198.51.100.1"): InterfaceConfig["ipv4"] {
  return { method: "static", addresses: [`${address}/24`], gateways: [{ via, onLink: false }], use: [] };
}

const HERE = config({ ipv4: at("198.51.100.20") });
const CONFIRMED = serverAfter(HERE, RENTED_SERVER);

function codes(
  desired: NetworkConfig | null,
  observed: NetworkObserved = CONFIRMED,
  confirmed: NetworkConfig | null = HERE,
) {
  return guardFindings(confirmed, desired, observed, PATH).map(({ code, severity }) => `${severity} ${code}`);
}

const CUT = "danger network.management_path_cut";
const UNKNOWN = "warning network.management_path_unknown";
const MOVES = "note network.management_address_moves";

test("what changes nothing of the way is no remark", () => {
  expect(codes(HERE)).toEqual([]);
  expect(codes(config({ ipv4: at("198.51.100.20"), mtu: 1400 }))).toEqual([]);
});

test("taking a server over as it is cuts nothing", () => {
  expect(codes(HERE, RENTED_SERVER, null)).toEqual([]);
});

test("a card turned off, without its gateway or as a member cuts the way", () => {
  expect(codes(config({ ipv4: at("198.51.100.20"), enable: false }))).toContain(CUT);
  expect(codes(config({ ipv4: { ...at("198.51.100.20"), gateways: [] } }))).toEqual([CUT]);
  expect(codes(config({}))).toContain(CUT);
});

test("an address that goes is a cut, unless the document says where the server is from then on", () => {
  expect(codes(config({ ipv4: at("198.51.100.21") }))).toEqual([CUT]);
  expect(codes(config({ ipv4: at("198.51.100.21") }, ["198.51.100.21"]))).toEqual([MOVES]);
  // Said, and no address of it.
  expect(codes(config({ ipv4: at("198.51.100.21") }, ["198.51.100.22"]))).toEqual([CUT]);
  // A second address beside it takes nothing away.
  const both = { ...at("198.51.100.20"), addresses: ["198.51.100.20/24", "198.51.100.21/24"] };
  expect(codes(config({ ipv4: both }))).toEqual([]);
});

test("what is learnt cannot be known before", () => {
  const dhcp: InterfaceConfig["ipv4"] = { method: "dhcp", addresses: [], gateways: [], use: ["address", "gateway"] };
  expect(codes(config({ ipv4: dhcp }))).toContain(UNKNOWN);
  expect(codes(null)).toContain(UNKNOWN);
});

test("released where no other file is for the card, there is no way any more", () => {
  expect(codes(null, serverAfter(HERE, { ...BARE_SERVER, routes: CONFIRMED.routes }))).toContain(CUT);
});

test("another card than the one by which the server is managed is no matter of it", () => {
  const lan = config({ bound: { name: "eth1" }, ipv4: { ...at("10.0.0.1"), gateways: [] } }).interfaces["wan"];
  if (lan === undefined) throw new Error("the sample has no card");
  const observed = serverAfter({ ...HERE, interfaces: { ...HERE.interfaces, lan } }, RENTED_SERVER);
  const plan = planNetwork({ desired: HERE, confirmed: HERE, observed, managementPath: PATH });
  expect(plan.steps).not.toEqual([]);
  expect(plan.touchesManagementPath).toBe(false);
});

const DEAD_END = { is: "blackhole" as const, table: 254, onLink: false };

test("a dead end on the way to those who manage is a cut, and one beside it is none", () => {
  const withDeadEnd = (to: string) => config({ ipv4: at("198.51.100.20"), routes: [{ to, ...DEAD_END }] });
  expect(codes(withDeadEnd("192.0.2.0/24"))).toEqual([CUT]);
  expect(codes(withDeadEnd("203.0.113.0/24"))).toEqual([]);
  // What is nearer by a longer prefix goes on.
  expect(codes(withDeadEnd("192.0.0.0/8"))).toEqual([CUT]);
  expect(codes(withDeadEnd("198.51.0.0/16"))).toEqual([]);
  // One that is there already cuts nothing now.
  const there = serverAfter(withDeadEnd("192.0.2.0/24"), RENTED_SERVER);
  expect(codes(withDeadEnd("192.0.2.0/24"), there)).toEqual([]);
});

test("a dead end where a lease is to be renewed is told before, for it would show hours later", () => {
  const lent = {
    address: "10.30.0.7/24",
    source: "learnt",
    tentative: false,
    leaseSeconds: 3600,
    lender: "10.30.0.1",
  } as const;
  const links = CONFIRMED.links.map((link) => (link.name === "eth1" ? { ...link, addresses: [lent] } : link));
  const route = {
    family: 4,
    to: "10.30.0.0/24",
    kind: "unicast",
    table: 254,
    metric: 1024,
    protocol: 2,
    source: null,
  } as const;
  const hops = [{ via: null, dev: "eth1", weight: 1, onLink: false }];
  const observed = { ...CONFIRMED, links, routes: [...CONFIRMED.routes, { ...route, hops }] };
  const withDeadEnd = (to: string) => config({ ipv4: at("198.51.100.20"), routes: [{ to, ...DEAD_END }] });
  expect(codes(withDeadEnd("10.30.0.1/32"), observed)).toEqual(["danger network.lease_cut"]);
  expect(codes(withDeadEnd("10.0.0.0/8"), observed)).toEqual([]);
  // With an address of its own nothing is lent any more.
  const lan = config({ bound: { name: "eth1" }, ipv4: { ...at("10.30.0.9"), gateways: [] } }).interfaces["wan"];
  if (lan === undefined) throw new Error("the sample has no card");
  const fixed = withDeadEnd("10.30.0.1/32");
  expect(codes({ ...fixed, interfaces: { ...fixed.interfaces, lan } }, observed)).toEqual([]);
});
