import { expect, test } from "vitest";
import { serverAfter } from "../../test/network-server.ts";
import type { NetworkConfig } from "./model.ts";
import type { NetworkObserved, ObservedLink } from "./observed.ts";
import { restoreNetwork } from "./restore.ts";

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
