import { expect, test } from "vitest";
import { RENTED_SERVER, serverAfter } from "../../test/network-server.ts";
import { floorLost } from "./guard.ts";
import type { NetworkConfig } from "./model.ts";
import type { NetworkObserved } from "./observed.ts";

const PATH = {
  controlPlane: [{ address: "192.0.2.200", port: 7081 }],
  inbound: [{ networks: ["198.51.100.0/24"], tcpPorts: [22] }],
};
const NONE = { method: "none" as const, addresses: [], gateways: [], use: [] };
const HERE: NetworkConfig = {
  reachedAt: ["198.51.100.20"],
  forwarding: {},
  interfaces: {
    wan: {
      bound: { name: "eth0" },
      enable: true,
      ipv4: {
        method: "static",
        addresses: ["198.51.100.20/24"],
        gateways: [{ via: "198.51.100.1", onLink: false }],
        use: [],
      },
      ipv6: NONE,
      routes: [],
      rules: [],
      dns: [],
      search: [],
    },
  },
};
const STANDS = serverAfter(HERE, RENTED_SERVER);

const found = (observed: NetworkObserved) =>
  floorLost(HERE, observed, PATH).map(({ path, found: what }) => `${path}: ${what}`);

test("what stands is not lost, nor is what cannot be read or is just being set up", () => {
  expect(found(STANDS)).toEqual([]);
  const routes: NetworkObserved["routes"] = [];
  expect(found({ ...STANDS, routes, unreadable: "answer of ip" })).toEqual([]);
  expect(found({ ...STANDS, routes, renderer: { state: "starting" } })).toEqual([]);
});

test("the default route gone leaves no way to the control plane; all of them gone, none to who manages either", () => {
  const connected = STANDS.routes.filter(({ to }) => to !== "0.0.0.0/0");
  expect(found({ ...STANDS, routes: connected })).toEqual(["interfaces.wan: no way at all"]);
  expect(found({ ...STANDS, routes: [] })).toEqual(["interfaces.wan: no way at all", "interfaces.wan: no way at all"]);
});

test("the address at which it is reached is part of it, also when a way is left", () => {
  const links = STANDS.links.map((link) => ({ ...link, addresses: [] }));
  expect(found({ ...STANDS, links })).toEqual(["reachedAt: no such address"]);
});
