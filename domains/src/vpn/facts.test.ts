import type { RawFact, RawFacts } from "@holdfast/core/domain.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { observeVpn } from "./facts.ts";

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
