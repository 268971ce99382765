import type { NetworkConfig } from "@holdfast/domains/network/model.ts";

const none = { addresses: [], gateways: [], use: [] } as const;

export const NETWORK: NetworkConfig = {
  reachedAt: ["203.0.113.10"],
  forwarding: { ipv4: false },
  interfaces: {
    wan: {
      bound: { mac: "52:54:00:aa:10:01" },
      enable: true,
      mtu: 1500,
      ipv4: {
        method: "static",
        addresses: ["203.0.113.10/26"],
        gateways: [{ via: "203.0.113.1", onLink: false }],
        use: [],
      },
      ipv6: { method: "ra", ...none, addresses: [], gateways: [], use: ["address", "gateway"] },
      routes: [{ to: "10.0.0.0/8", via: "203.0.113.2", table: 254, onLink: false }],
      rules: [{ priority: 1000, from: "198.51.100.0/24", table: 200 }],
      dns: ["9.9.9.9"],
      search: ["example.com"],
    },
    staff: {
      bound: { name: "staff" },
      device: { kind: "vlan", id: 10, parent: "trunk" },
      enable: true,
      ipv4: { method: "dhcp", addresses: [], gateways: [], use: ["address"] },
      ipv6: { method: "none", addresses: [], gateways: [], use: [] },
      routes: [],
      rules: [],
      dns: [],
      search: [],
    },
  },
};

const bare = {
  master: null,
  file: null,
  dns: [],
  search: [],
  bridge: null,
  port: null,
  vlans: null,
  vlan: null,
  bond: null,
} as const;

/** What a module reports (e2e/console/observed-shapes.test.ts holds it to the real type). Counters move with the clock, so that a page which does not ask again is seen to be old. */
export function networkObserved(drift: boolean, seconds: number) {
  const counters = (factor: number) => ({
    rxBytes: seconds * 91_000 * factor,
    rxErrors: 0,
    txBytes: seconds * 412_000 * factor,
    txErrors: factor === 2 ? 3 : 0,
  });
  const address = (text: string, source: "set" | "learnt" | "link", leaseSeconds: number | null = null) => ({
    address: text,
    source,
    tentative: false,
    leaseSeconds,
  });
  const up = { up: true, carrier: true, setup: "configured", operational: "routable" } as const;
  return {
    renderer: { state: "running" as const },
    competing: ["cloud-init writes /etc/netplan/50-cloud-init.yaml at each boot"],
    unreadable: null,
    own: { run: {}, etc: {} },
    foreign: [{ path: "/usr/lib/systemd/network/80-container-host0.network", kind: "network" as const, text: "" }],
    links: [
      {
        ...bare,
        ...up,
        name: "lo",
        mac: null,
        kind: null,
        mtu: 65_536,
        setup: "unmanaged",
        operational: "carrier",
        addresses: [address("127.0.0.1/8", "link"), address("::1/128", "link")],
        counters: counters(0),
      },
      {
        ...bare,
        ...up,
        name: "ens3",
        mac: "52:54:00:aa:10:01",
        kind: null,
        mtu: drift ? 1400 : 1500,
        file: "/etc/systemd/network/05-holdfast-wan.network",
        addresses: [
          address("203.0.113.10/26", "set"),
          ...(drift ? [address("203.0.113.44/26", "set")] : []),
          address("2001:db8:f1::10/64", "learnt", 2_590_000),
          address("fe80::5054:ff:feaa:1001/64", "link"),
        ],
        dns: ["9.9.9.9"],
        search: ["example.com"],
        counters: counters(1),
      },
      {
        ...bare,
        ...up,
        name: "staff",
        mac: "52:54:00:aa:10:02",
        kind: "vlan",
        mtu: 1500,
        vlan: { id: 10, parent: "ens4" },
        addresses: [address("10.20.10.7/24", "learnt", 39_600)],
        counters: counters(2),
      },
      {
        ...bare,
        name: "docker0",
        mac: "02:42:9d:11:22:33",
        kind: "bridge",
        up: true,
        carrier: false,
        setup: "unmanaged",
        operational: "no-carrier",
        mtu: 1500,
        addresses: [address("172.17.0.1/16", "set")],
        counters: counters(0),
      },
    ],
    routes: [
      route("0.0.0.0/0", "203.0.113.1", "ens3", 4, 0),
      route("10.0.0.0/8", "203.0.113.2", "ens3", 4, 0),
      route("203.0.113.0/26", null, "ens3", 2, 0),
      route("10.20.10.0/24", null, "staff", 2, 1024),
      route("172.17.0.0/16", null, "docker0", 2, 0),
    ],
    rules: [
      {
        family: 4 as const,
        priority: 1000,
        from: "198.51.100.0/24",
        to: null,
        mark: null,
        in: null,
        table: 200,
        protocol: 4,
        isStrange: false,
      },
    ],
    neighbours: [
      { address: "203.0.113.1", link: "ens3", mac: "02:bc:bb:ba:3f:1f", state: "reachable" },
      { address: "10.20.10.1", link: "staff", mac: "02:bc:bb:ba:3f:20", state: "stale" },
      { address: "203.0.113.9", link: "ens3", mac: null, state: "failed" },
    ],
    forwarding: { ipv4: drift, ipv6: false },
    resolved: true,
    kernel: { vlan: true, bond: true },
  };
}

function route(to: string, via: string | null, dev: string, protocol: number, metric: number) {
  return {
    family: 4 as const,
    kind: "unicast" as const,
    to,
    table: 254,
    metric,
    protocol,
    hops: [{ via, dev, weight: 1, onLink: false }],
    source: null,
  };
}
