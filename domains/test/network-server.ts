import { formatNetwork, parseInterfaceAddress } from "@holdfast/core/net/network.ts";
import { kernelName } from "../src/network/binding.ts";
import { vlansOf, wantedVlans } from "../src/network/bridge-vlans.ts";
import { masterOf, type NetworkConfig, rolesOf } from "../src/network/model.ts";
import type {
  BridgeState,
  NetworkObserved,
  ObservedLink,
  ObservedRoute,
  ObservedRule,
} from "../src/network/observed.ts";
import { confirmedPath } from "../src/network/own-file.ts";
import { renderFiles } from "../src/network/render.ts";
import { masterName, wantedRoutes, wantedRules } from "../src/network/wanted.ts";

/** A server that does what it is told: what is read from one on which networkd has done all that a config says. */

export const MACS = ["52:54:00:aa:10:01", "52:54:00:aa:10:02", "52:54:00:aa:10:03"] as const;
const USUAL_MTU = 1500;

export function hardware(index: number): ObservedLink {
  return {
    name: `eth${index}`,
    mac: MACS[index] ?? "52:54:00:aa:10:99",
    kind: null,
    up: true,
    carrier: true,
    mtu: USUAL_MTU,
    master: null,
    setup: "unmanaged",
    operational: "degraded",
    file: null,
    addresses: [],
    dns: [],
    search: [],
    bridge: null,
    port: null,
    vlans: null,
    vlan: null,
    bond: null,
    counters: { rxBytes: 0, rxErrors: 0, txBytes: 0, txErrors: 0 },
  };
}

/** What every kernel has, and nobody set. */
const KERNEL_RULES: readonly ObservedRule[] = ([4, 6] as const).flatMap((family) =>
  [
    { priority: 0, table: 255 },
    { priority: 32_766, table: 254 },
    { priority: 32_767, table: 253 },
  ].map(({ priority, table }) => ({
    family,
    priority,
    from: null,
    to: null,
    mark: null,
    in: null,
    table,
    protocol: 2,
    isStrange: false,
  })),
);

/** A server of three network cards on which nothing is set. */
export const BARE_SERVER: NetworkObserved = {
  renderer: { state: "running" },
  competing: [],
  unreadable: null,
  own: { run: {}, etc: {} },
  foreign: [],
  links: [hardware(0), hardware(1), hardware(2)],
  routes: [],
  rules: KERNEL_RULES,
  neighbours: [],
  forwarding: { ipv4: false, ipv6: false },
  resolved: true,
  kernel: { vlan: true, bond: true },
};

const FOREIGN_FILE = "/etc/systemd/network/50-cloud.network";

/** One that a provider set up: its first card has an address and a gateway by a file of somebody else. */
export const RENTED_SERVER: NetworkObserved = {
  ...BARE_SERVER,
  foreign: [
    {
      path: FOREIGN_FILE,
      kind: "network",
      text: "[Match]\nName=eth0\n\n[Network]\nAddress=198.51.100.20/24\nGateway=198.51.100.1\n",
    },
  ],
  links: [
    {
      ...hardware(0),
      setup: "configured",
      operational: "routable",
      file: FOREIGN_FILE,
      addresses: [{ address: "198.51.100.20/24", source: "set", tentative: false, leaseSeconds: null }],
    },
    hardware(1),
    hardware(2),
  ],
  routes: [connected("198.51.100.20/24", "eth0"), gatewayRoute("198.51.100.1", "eth0")],
};

function connected(address: string, dev: string): ObservedRoute {
  const parsed = parseInterfaceAddress(address);
  if (!parsed.ok) throw new Error(parsed.error);
  const { network } = parsed.value;
  return {
    family: network.family,
    kind: "unicast",
    to: formatNetwork(network),
    table: 254,
    metric: network.family === 4 ? 0 : 256,
    protocol: 2,
    hops: [{ via: null, dev, weight: 1, onLink: false }],
    source: null,
  };
}

function gatewayRoute(via: string, dev: string): ObservedRoute {
  return {
    family: 4,
    kind: "unicast",
    to: "0.0.0.0/0",
    table: 254,
    metric: 0,
    protocol: 4,
    hops: [{ via, dev, weight: 1, onLink: false }],
    source: null,
  };
}

/** The server after this config was applied and confirmed. */
export function serverAfter(config: NetworkConfig, before: NetworkObserved = BARE_SERVER): NetworkObserved {
  const devices = rolesOf(config).flatMap((role): ObservedLink[] => {
    const device = config.interfaces[role]?.device;
    return device === undefined ? [] : [made(config, role, before)];
  });
  const found = {
    mtu: Object.fromEntries(
      rolesOf(config).flatMap((role) => {
        const isMade = config.interfaces[role]?.device !== undefined;
        const there = before.links.some((link) => link.name === kernelName(config, role, before.links));
        return isMade || !there ? [] : [[role, USUAL_MTU]];
      }),
    ),
    forwarding: { ipv4: false, ipv6: false },
  };
  const links = [...before.links.filter((link) => link.kind === null), ...devices];
  const set = links
    .map((link) => linkAfter(config, link, links, before))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const ours = new Set(rolesOf(config).map((role) => kernelName(config, role, links)));
  const foreign = before.routes.filter((route) => !route.hops.some((hop) => ours.has(hop.dev)));
  const routes = rolesOf(config).flatMap((role): readonly ObservedRoute[] => {
    const one = config.interfaces[role];
    const dev = kernelName(config, role, links);
    if (one === undefined || dev === null || !one.enable || !links.some((link) => link.name === dev)) return [];
    return [
      ...[...one.ipv4.addresses, ...one.ipv6.addresses].map((address) => connected(address, dev)),
      ...wantedRoutes(one, dev, (other) => kernelName(config, other, links)).map(
        ({ via, dev: by, ways, ...route }) => ({
          ...route,
          protocol: 4,
          source: null,
          hops:
            ways.length > 0
              ? ways.map((way) => ({ ...way, onLink: false }))
              : by === null
                ? []
                : [{ via, dev: by, weight: 1, onLink: false }],
        }),
      ),
    ];
  });
  const rules = rolesOf(config).flatMap((role) => {
    const one = config.interfaces[role];
    return one === undefined || !one.enable
      ? []
      : wantedRules(config, one, links).map((rule) => ({ ...rule, protocol: 4, isStrange: false }));
  });
  return {
    ...before,
    own: { run: {}, etc: renderFiles(config, links, found) },
    links: set,
    routes: [...foreign, ...routes],
    rules: [...KERNEL_RULES, ...rules],
    forwarding: { ipv4: config.forwarding.ipv4 ?? false, ipv6: config.forwarding.ipv6 ?? false },
  };
}

const USUAL_BRIDGE: BridgeState = {
  stp: false,
  priority: 32_768,
  forwardDelay: 1500,
  helloTime: 200,
  maxAge: 2000,
  ageing: 30_000,
  multicastSnooping: true,
  vlanFiltering: false,
  defaultVlan: 1,
};

function made(config: NetworkConfig, role: string, before: NetworkObserved): ObservedLink {
  const device = config.interfaces[role]?.device;
  const base: ObservedLink = {
    ...hardware(0),
    name: kernelName(config, role, before.links) ?? role,
    mac: "02:00:00:00:00:01",
    kind: device?.kind ?? null,
  };
  switch (device?.kind) {
    case "bridge": {
      const { stp, priority, forwardDelay, helloTime, maxAge, ageing, multicastSnooping, vlans } = device;
      const ticks = (seconds: number | undefined, usual: number): number =>
        seconds === undefined ? usual : seconds * 100;
      return {
        ...base,
        bridge: {
          stp,
          priority: priority ?? USUAL_BRIDGE.priority,
          forwardDelay: ticks(forwardDelay, USUAL_BRIDGE.forwardDelay),
          helloTime: ticks(helloTime, USUAL_BRIDGE.helloTime),
          maxAge: ticks(maxAge, USUAL_BRIDGE.maxAge),
          ageing: ticks(ageing, USUAL_BRIDGE.ageing ?? 0),
          multicastSnooping: multicastSnooping ?? USUAL_BRIDGE.multicastSnooping,
          vlanFiltering: vlans !== undefined,
          defaultVlan: vlans === undefined ? USUAL_BRIDGE.defaultVlan : 0,
        },
      };
    }
    case "vlan":
      return { ...base, vlan: { id: device.id, parent: kernelName(config, device.parent, before.links) } };
    case "bond":
      return {
        ...base,
        bond: {
          mode: device.mode,
          hashPolicy: device.hashPolicy ?? "layer2",
          lacpRate: device.lacpRate ?? null,
          monitorMs: device.monitorMs ?? 0,
          arpIntervalMs: device.arp?.intervalMs ?? 0,
          arpTargets: device.arp?.targets ?? [],
          minLinks: device.minLinks ?? 0,
          primary: device.primary === undefined ? null : kernelName(config, device.primary, before.links),
        },
      };
    case undefined:
      return base;
  }
}

function linkAfter(
  config: NetworkConfig,
  link: ObservedLink,
  links: readonly ObservedLink[],
  before: NetworkObserved,
): ObservedLink {
  const role = rolesOf(config).find((other) => kernelName(config, other, links) === link.name);
  const one = role === undefined ? undefined : config.interfaces[role];
  if (role === undefined || one === undefined) return link;
  const master = masterName(config, role, { ...before, links });
  const above = masterOf(config, role);
  const isPort = above !== null && config.interfaces[above]?.device?.kind === "bridge";
  return {
    ...link,
    up: one.enable,
    mtu: one.mtu ?? link.mtu,
    master,
    setup: "configured",
    operational: master === null ? "routable" : "enslaved",
    file: confirmedPath(`${role}.network`),
    addresses: one.enable
      ? [...one.ipv4.addresses, ...one.ipv6.addresses]
          .map((address) => ({ address, source: "set" as const, tentative: false, leaseSeconds: null }))
          .toSorted((a, b) => (a.address < b.address ? -1 : 1))
      : [],
    dns: one.enable ? one.dns : [],
    search: one.enable ? one.search : [],
    vlans: vlansAfter(config, role),
    port: isPort
      ? {
          cost: one.port?.cost ?? 2,
          priority: one.port?.priority ?? 32,
          isolated: one.port?.isolated ?? false,
        }
      : null,
  };
}

/** Where a bridge does not tell them apart, every port is in the usual one. */
function vlansAfter(config: NetworkConfig, role: string): ObservedLink["vlans"] {
  const above = masterOf(config, role);
  const bridge = config.interfaces[role]?.device?.kind === "bridge" ? role : above;
  if (bridge === null || config.interfaces[bridge]?.device?.kind !== "bridge") return null;
  const vlans = vlansOf(config, role);
  return vlans === null ? [{ first: 1, last: 1, untagged: true }] : wantedVlans(vlans);
}
