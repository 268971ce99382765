import { expect, test } from "vitest";
import { BARE_SERVER } from "../../test/network-server.ts";
import { networkLacks, networkRequirements } from "./capability.ts";
import type { InterfaceConfig, NetworkConfig } from "./model.ts";

const NONE = { method: "none" as const, addresses: [], gateways: [], use: [] };
const one = (name: string, device?: InterfaceConfig["device"]): InterfaceConfig => ({
  bound: { name },
  ...(device === undefined ? {} : { device }),
  enable: true,
  ipv4: NONE,
  ipv6: NONE,
  routes: [],
  rules: [],
  dns: [],
  search: [],
});

test("what is missing is told by what needs it; what nobody could find out is not", () => {
  const kernel = (vlan: boolean | null, bond: boolean | null) =>
    networkLacks({ ...BARE_SERVER, kernel: { vlan, bond } });
  expect(kernel(true, true)).toEqual([]);
  expect(kernel(null, null)).toEqual([]);
  expect(kernel(true, false)).toMatchObject([
    { feature: "bond", code: "network.kernel_lacks", reason: "The kernel of this server cannot make a bond." },
  ]);
  const renderer = { state: "foreign", name: "NetworkManager", why: "NetworkManager does it" } as const;
  expect(networkLacks({ ...BARE_SERVER, renderer })).toMatchObject([
    { feature: "", code: "network.read_only", reason: expect.stringContaining("NetworkManager does it") },
  ]);
});

test("a config needs what its devices are, each where it is written", () => {
  const config: NetworkConfig = {
    reachedAt: [],
    forwarding: {},
    interfaces: {
      lan: one("eth0"),
      br: one("br", { kind: "bridge", members: [], stp: false }),
      switch: one("switch", { kind: "bridge", members: [], stp: false, vlans: { tagged: [] } }),
      up: one("up", { kind: "bond", members: ["lan"], mode: "active-backup" }),
      guest: one("guest", { kind: "vlan", id: 20, parent: "up" }),
    },
  };
  expect(networkRequirements(config)).toEqual([
    { feature: "vlan", item: "network.interfaces.guest.vlan" },
    { feature: "vlan", item: "network.interfaces.switch.bridge" },
    { feature: "bond", item: "network.interfaces.up.bond" },
  ]);
});
