import { expect, test } from "vitest";
import { RENTED_SERVER, serverAfter } from "../../test/network-server.ts";
import { lostRules } from "./collateral.ts";
import type { NetworkConfig } from "./model.ts";
import type { NetworkObserved, ObservedRule } from "./observed.ts";

const NONE = { method: "none" as const, addresses: [], gateways: [], use: [] };
const ruleTo = (table: number) => ({ priority: 1000, from: "10.9.0.0/24", table });

function config(rules: NetworkConfig["interfaces"][string]["rules"], address = "198.51.100.20"): NetworkConfig {
  const ipv4 = { ...NONE, method: "static" as const, addresses: [`${address}/24`] };
  const wan = { bound: { name: "eth0" }, enable: true, ipv4, ipv6: NONE, routes: [], rules, dns: [], search: [] };
  return { reachedAt: [], forwarding: {}, interfaces: { wan } };
}

/** As a VPN of somebody's or a person writes it. */
const FOREIGN: ObservedRule = {
  family: 4,
  priority: 300,
  from: "10.8.0.0/24",
  to: null,
  mark: null,
  in: null,
  table: 77,
  protocol: 3,
  isStrange: false,
};

function withRules(observed: NetworkObserved, ...rules: readonly ObservedRule[]): NetworkObserved {
  return { ...observed, rules: [...observed.rules, ...rules] };
}

const BEFORE = config([ruleTo(100)]);
const AFTER = config([ruleTo(200)], "198.51.100.21");
const before = withRules(serverAfter(BEFORE, RENTED_SERVER), FOREIGN);

test("a rule of somebody else that did not come back is told, in the words of rules", () => {
  expect(lostRules(AFTER, before, withRules(serverAfter(AFTER, RENTED_SERVER), FOREIGN))).toEqual([]);
  const lost = lostRules(AFTER, before, serverAfter(AFTER, RENTED_SERVER));
  expect(lost).toEqual([
    {
      path: "rules",
      expected: "IPv4 priority 300 from 10.8.0.0/24 table 77, which somebody else had set",
      found: "no such rule",
    },
  ]);
});

test("rules of ours that go, of a kind that cannot be made again, or made by a router are not missed", () => {
  const others = [
    { ...FOREIGN, isStrange: true },
    { ...FOREIGN, protocol: 9 },
  ];
  expect(
    lostRules(AFTER, withRules(serverAfter(BEFORE, RENTED_SERVER), ...others), serverAfter(AFTER, RENTED_SERVER)),
  ).toEqual([]);
  expect(lostRules(null, serverAfter(BEFORE, RENTED_SERVER), RENTED_SERVER)).toEqual([]);
});

test("what could not be read, or nobody has set up yet, says nothing of others", () => {
  const gone = serverAfter(AFTER, RENTED_SERVER);
  expect(lostRules(AFTER, before, { ...gone, unreadable: "answer" })).toEqual([]);
  expect(lostRules(AFTER, before, { ...gone, renderer: { state: "starting" } })).toEqual([]);
});
