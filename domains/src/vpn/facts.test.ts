import type { RawFact, RawFacts } from "@holdfast/core/domain.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { observeVpn } from "./facts.ts";
import { linkOf } from "./link.ts";

function said(stdout: string, status = 0): RawFact {
  return { status, stdout, stderr: "" };
}

const ROUTES = JSON.stringify([
  { dst: "default", gateway: "192.0.2.1", dev: "eth0", flags: [] },
  { dst: "192.0.2.0/24", dev: "eth0", protocol: "2", scope: "253", prefsrc: "192.0.2.2", flags: [] },
  { type: "6", dst: "10.72.0.0/24", protocol: "2", metric: 4_294_967_295, flags: [] },
  { type: "6", dst: "10.73.0.9", protocol: "2", metric: 4_294_967_295, flags: [] },
  { type: "6", dst: "10.74.0.0/24", protocol: "4", metric: 4_294_967_295, flags: [] },
  { type: "6", dst: "10.75.0.0/24", protocol: "2", metric: 5, flags: [] },
]);

test("dead ends are ours by all of their marks; other routes are told apart", () => {
  const { blocks, routes } = observeVpn({ routes4: said(ROUTES), routes6: said("") });
  expect(blocks).toEqual(["10.72.0.0/24", "10.73.0.9/32"]);
  expect(routes).toEqual(["10.74.0.0/24", "10.75.0.0/24", "192.0.2.0/24"]);
});

test("strongSwan's rule is lost where its table has routes and nothing leads there", () => {
  const rules = (...tables: readonly string[]): RawFact =>
    said(JSON.stringify(tables.map((table) => ({ priority: 1, src: "all", table }))));
  const into = said(JSON.stringify([{ dst: "10.72.0.0/24", dev: "ipsec0", protocol: "4", prefsrc: "10.71.0.1" }]));
  const none = said("", 2);
  const lost = (raw: RawFacts) => observeVpn(raw).lookupLost;
  expect(lost({ rules4: rules("255", "254"), into4: into, rules6: rules("255", "254"), into6: none })).toEqual([4]);
  expect(lost({ rules4: rules("255", "220", "254"), into4: into })).toEqual([]);
  expect(lost({ rules4: rules("255", "254"), into4: said("[]") })).toEqual([]);
  // What could not be read is not said to be lost.
  expect(lost({ rules4: said("", 1), into4: into })).toEqual([]);
});

test("addresses of links, without loopback and what is only of its link", () => {
  const links = [
    { ifname: "lo", addr_info: [{ local: "127.0.0.1", prefixlen: 8, scope: "host" }] },
    {
      ifname: "eth0",
      addr_info: [
        { local: "192.0.2.2", prefixlen: 24, scope: "global" },
        { local: "fe80::1", prefixlen: 64, scope: "link" },
        { local: "2001:db8::2", prefixlen: 64, scope: "global" },
      ],
    },
  ];
  expect(observeVpn({ addresses: said(JSON.stringify(links)) }).addresses).toEqual(["192.0.2.2/24", "2001:db8::2/64"]);
});

test("whatever a server answers, observing it says what could not be read and never throws", () => {
  const text = fc.oneof(fc.string(), fc.json(), fc.constantFrom("[{}]", '{"charon":{},"keyFiles":{}}', ROUTES));
  const names = [
    "ipsec",
    "record",
    "boot",
    "folder",
    "addresses",
    "routes4",
    "routes6",
    "rules4",
    "into4",
    "forwarding4",
  ] as const;
  const fact = fc.record({ status: fc.integer({ min: 0, max: 2 }), stdout: text, stderr: fc.string() });
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), fact), (raw: RawFacts) => {
      const observed = observeVpn(raw);
      expect(["up", "down"]).toContain(observed.ipsec.charon.state);
      if (raw["routes4"]?.status !== 0) expect(observed.routesProblem).not.toBeNull();
    }),
    { numRuns: 300 },
  );
});

test("interfaces of tunnels and the routes into them are read by name, number and metric", () => {
  const { name, id } = linkOf("pair");
  const links = [
    {
      ifname: name,
      flags: ["NOARP", "UP"],
      linkinfo: { info_kind: "xfrm", info_data: { if_id: `0x${id.toString(16)}` } },
    },
    { ifname: "theirs", flags: [], linkinfo: { info_kind: "xfrm", info_data: { if_id: "0x7" } } },
    { ifname: "eth0", flags: ["UP"] },
  ];
  const routes = [
    { dst: "10.72.0.0/24", dev: name, protocol: "2", metric: 1 },
    { dst: "10.73.0.0/24", dev: name, protocol: "3", metric: 1 },
    { dst: "10.74.0.0/24", dev: "theirs", protocol: "2", metric: 1 },
  ];
  const absent: RawFact = { status: 1, stdout: "", stderr: "" };
  const seen = observeVpn({
    links: said(JSON.stringify(links)),
    routes4: said(JSON.stringify(routes)),
    routes6: said(""),
    "xfrm module": absent,
  });
  expect(seen.links).toEqual([
    { name, id, isUp: true },
    { name: "theirs", id: 7, isUp: false },
  ]);
  expect(seen.into).toEqual([{ network: "10.72.0.0/24", link: name }]);
  expect(seen.routes).toEqual(["10.73.0.0/24", "10.74.0.0/24"]);
  expect(seen.canMakeLinks).toBe(true);
  const canMake = (asked: RawFact) => observeVpn({ links: said(""), "xfrm module": asked }).canMakeLinks;
  expect([canMake(said("")), canMake(absent)]).toEqual([true, false]);
  expect(canMake({ status: 255, stdout: "", stderr: "something else" })).toBeNull();
});
