import { expect, test } from "vitest";
import { serverAfter } from "../../test/network-server.ts";
import type { NetworkConfig } from "./model.ts";
import type { NetworkObserved, ObservedLink } from "./observed.ts";
import { leftToRestore, restoreNetwork } from "./restore.ts";

const NONE = { method: "none" as const, addresses: [], gateways: [], use: [] };
const BRIDGED: NetworkConfig = {
  reachedAt: [],
  forwarding: {},
  interfaces: {
    lan: {
      bound: { name: "lan0" },
      device: { kind: "bridge", members: [], stp: false },
      enable: true,
      ipv4: NONE,
      ipv6: NONE,
      routes: [],
      rules: [],
      dns: [],
      search: [],
    },
  },
};
const SNAPSHOT = serverAfter(BRIDGED);

function withBridge(change: (bridge: ObservedLink["bridge"]) => ObservedLink["bridge"]): NetworkObserved {
  const links = SNAPSHOT.links.map((link) => (link.name === "lan0" ? { ...link, bridge: change(link.bridge) } : link));
  return { ...SNAPSHOT, links };
}

function settingsOf(live: NetworkObserved): unknown {
  const step = restoreNetwork(SNAPSHOT, live).find(({ id }) => id.includes("bridge"));
  return step?.action.kind === "link" && step.action.change.op === "bridge" ? step.action.change.settings : null;
}

test("of a bridge only what differs is set: a kernel without VLANs refuses even to be told that it filters none", () => {
  const was = SNAPSHOT.links.find(({ name }) => name === "lan0")?.bridge;
  expect(was?.vlanFiltering).toBe(false);
  expect(settingsOf(withBridge((bridge) => (bridge === null ? null : { ...bridge, priority: 4_096 })))).toEqual({
    priority: was?.priority,
  });
  expect(settingsOf(withBridge((bridge) => (bridge === null ? null : { ...bridge, vlanFiltering: true })))).toEqual({
    vlan_filtering: 0,
  });
  expect(settingsOf(SNAPSHOT)).toBeNull();
});

test("a bridge that has to be made anew filters no VLANs by itself", () => {
  const settings = settingsOf(withBridge(() => null));
  expect(settings).toHaveProperty("priority");
  expect(settings).not.toHaveProperty("vlan_filtering");
});

test("neighbours that somebody set for ever are put back, and one that is not there afterwards is named", () => {
  const set = { address: "10.1.0.9", link: "lan0", mac: "02:00:00:00:00:09", state: "permanent" };
  const others = [
    { ...set, address: "10.1.0.10", state: "stale" },
    { ...set, address: "10.1.0.11", link: "elsewhere0" },
    // A neighbour of a link that has no hardware addresses.
    { ...set, address: "10.1.0.12", mac: "10.9.9.9" },
  ];
  const snapshot = { ...SNAPSHOT, neighbours: [set, ...others] };
  const without = { ...SNAPSHOT, neighbours: others };
  const put = restoreNetwork(snapshot, without).find(({ id }) => id === "network.routing")?.action;
  expect(put?.kind === "ip_state" ? put.present.neighbours : []).toEqual([
    { link: "lan0", address: "10.1.0.9", mac: "02:00:00:00:00:09" },
  ]);
  expect(leftToRestore(snapshot, without, snapshot)).toEqual([]);
  expect(leftToRestore(snapshot, without, without)).toEqual([
    { path: "neighbours.10.1.0.9", expected: "02:00:00:00:00:09 on lan0, set for ever", found: "none like that" },
  ]);
});
