import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import type { Family } from "@holdfast/core/net/address.ts";
import type { BridgeSetting, IpRule, PortSetting } from "@holdfast/core/plan/ip-state.ts";
import { kernelName } from "./binding.ts";
import { type InterfaceConfig, MAIN_TABLE, masterOf, type NetworkConfig, type RouteConfig } from "./model.ts";
import type { BridgeState, NetworkObserved, ObservedLink, ObservedRoute, ObservedRule, PortState } from "./observed.ts";
import { familiesOf } from "./render.ts";

/** What the kernel should show when networkd has done what our files say: the same shapes as what is read. */

/** What tells one route from another, for the kernel and for us. */
export type WantedRoute = Pick<ObservedRoute, "family" | "kind" | "to" | "table" | "metric"> & {
  readonly via: string | null;
  /** Null for a dead end, which stands on no link, and for a route over several ways. */
  readonly dev: string | null;
  /** Empty where there is one next hop or none. */
  readonly ways: readonly Way[];
};

export type Way = { readonly via: string | null; readonly dev: string | null; readonly weight: number };

/** A way by hardware that is not there cannot be, nor can the route: the same is left out of our file. */
export function wantedRoutes(
  one: InterfaceConfig,
  dev: string,
  nameOf: (role: string) => string | null,
): readonly WantedRoute[] {
  const gateways = ([4, 6] as const).flatMap((family) =>
    (family === 4 ? one.ipv4 : one.ipv6).gateways.map((gateway): RouteConfig => ({
      to: family === 4 ? "0.0.0.0/0" : "::/0",
      table: MAIN_TABLE,
      ...gateway,
    })),
  );
  return [...gateways, ...one.routes].flatMap((route) => {
    const ways = waysOf(route, dev, nameOf);
    return ways === null ? [] : [wantedRoute(route, dev, ways)];
  });
}

/** Null: one of them goes by hardware that is not there. */
export function waysOf(
  { ways = [] }: RouteConfig,
  dev: string,
  nameOf: (role: string) => string | null,
): readonly Way[] | null {
  const named = ways.map(({ via, by, weight }) => ({ via, dev: by === undefined ? dev : nameOf(by), weight }));
  return named.some((way) => way.dev === null) ? null : named.toSorted(byText);
}

function byText(a: object, b: object): number {
  return itemKey(a) < itemKey(b) ? -1 : 1;
}

function wantedRoute(route: RouteConfig, dev: string, ways: readonly Way[]): WantedRoute {
  const family: Family = route.to.includes(":") ? 6 : 4;
  return {
    family,
    kind: route.is ?? "unicast",
    to: route.to,
    table: route.table,
    // A metric of 0 is the kernel's own choice in IPv6.
    metric:
      route.metric === undefined || (family === 6 && route.metric === 0) ? (family === 6 ? 1024 : 0) : route.metric,
    via: route.via ?? null,
    dev: route.is === undefined && ways.length === 0 ? dev : null,
    ways,
  };
}

/** The parts of a route that was read which a wanted one can have. */
export function comparable(route: ObservedRoute): WantedRoute {
  const [hop, ...more] = route.hops;
  const { family, kind, to, table, metric } = route;
  const ways = route.hops.map(({ via, dev, weight }): Way => ({ via, dev, weight }));
  if (more.length > 0) return { family, kind, to, table, metric, via: null, dev: null, ways: ways.toSorted(byText) };
  return { family, kind, to, table, metric, via: hop?.via ?? null, dev: hop?.dev ?? null, ways: [] };
}

export type WantedRule = Omit<ObservedRule, "protocol" | "isStrange">;

/** Rules about hardware that is not there are left out: nothing can come in by it. */
export function wantedRules(
  config: NetworkConfig,
  one: InterfaceConfig,
  links: readonly ObservedLink[],
): readonly WantedRule[] {
  return one.rules.flatMap((rule) => {
    const incoming = rule.in === undefined ? null : kernelName(config, rule.in, links);
    if (rule.in !== undefined && incoming === null) return [];
    return familiesOf(rule).map((family) => ({
      family,
      priority: rule.priority,
      from: rule.from ?? null,
      to: rule.to ?? null,
      mark: rule.mark ?? null,
      in: incoming,
      table: rule.table,
    }));
  });
}

export function withoutOrigin({ family, priority, from, to, mark, in: incoming, table }: WantedRule): WantedRule {
  return { family, priority, from, to, mark, in: incoming, table };
}

/** What is read of a rule, as what can be made. */
export function asRule(rule: ObservedRule): IpRule {
  return { ...withoutOrigin(rule), protocol: rule.protocol };
}

/** Tables in which the routes of our interfaces are ours: main, and those that the policy names. */
export function ownTables(config: NetworkConfig): ReadonlySet<number> {
  return new Set([
    MAIN_TABLE,
    ...Object.values(config.interfaces).flatMap((one) => one.routes.map((route) => route.table)),
  ]);
}

export function sameItem(a: object, b: object): boolean {
  return itemKey(a) === itemKey(b);
}

/** One text for one value; the shapes above hold plain JSON only. */
export function itemKey(value: object): string {
  return canonicalJson(value as Parameters<typeof canonicalJson>[0]);
}

export function routeInWords(route: WantedRoute): string {
  const where = [
    ...(route.kind === "unicast" ? [] : [route.kind]),
    ...(route.via === null ? [] : [`via ${route.via}`]),
    ...(route.dev === null ? [] : [`by ${route.dev}`]),
    ...route.ways.map(({ via, dev, weight }) => `over ${via ?? "the link"} by ${dev ?? "none"} weight ${weight}`),
    ...(route.table === MAIN_TABLE ? [] : [`in table ${route.table}`]),
    `metric ${route.metric}`,
  ];
  return `${route.to} ${where.join(" ")}`;
}

export function ruleInWords(rule: WantedRule): string {
  return [
    `IPv${rule.family} priority ${rule.priority}`,
    ...(rule.from === null ? [] : [`from ${rule.from}`]),
    ...(rule.to === null ? [] : [`to ${rule.to}`]),
    ...(rule.mark === null ? [] : [`mark ${rule.mark.value}/${rule.mark.mask}`]),
    ...(rule.in === null ? [] : [`in by ${rule.in}`]),
    `table ${rule.table ?? "none"}`,
  ].join(" ");
}

/** Hundredths of a second, as the kernel counts; only what the policy states. */
const TICKS = 100;

/** How a bridge differs from what is wanted: setting, wanted, found. */
export function bridgeDifferences(
  one: InterfaceConfig,
  link: ObservedLink,
): readonly (readonly [setting: BridgeSetting, wanted: number, found: number])[] {
  const { device } = one;
  const { bridge } = link;
  if (device?.kind !== "bridge" || bridge === null) return [];
  const wanted: readonly (readonly [BridgeSetting, number | undefined, number | null])[] = [
    ["stp_state", device.stp ? 1 : 0, bridge.stp ? 1 : 0],
    ["priority", device.priority, bridge.priority],
    ["forward_delay", ticks(device.forwardDelay), bridge.forwardDelay],
    ["hello_time", ticks(device.helloTime), bridge.helloTime],
    ["max_age", ticks(device.maxAge), bridge.maxAge],
    ["ageing_time", ticks(device.ageing), bridge.ageing],
    [
      "mcast_snooping",
      device.multicastSnooping === undefined ? undefined : device.multicastSnooping ? 1 : 0,
      bridge.multicastSnooping ? 1 : 0,
    ],
    // A bridge of ours is ours whole: without a word it does not tell VLANs apart. Of a kernel that cannot the reading says so.
    [
      "vlan_filtering",
      device.vlans === undefined ? 0 : 1,
      bridge.vlanFiltering === null ? (device.vlans === undefined ? null : 0) : Number(bridge.vlanFiltering),
    ],
    ["vlan_default_pvid", device.vlans === undefined ? undefined : 0, bridge.defaultVlan],
  ];
  return wanted.flatMap(([setting, want, found]) =>
    want === undefined || found === null || want === found ? [] : [[setting, want, found]],
  );
}

/** How a port of a bridge differs from what is wanted. */
export function portDifferences(
  one: InterfaceConfig,
  link: ObservedLink,
): readonly (readonly [setting: PortSetting, wanted: number, found: number])[] {
  const { port } = one;
  if (port === undefined || link.port === null) return [];
  const wanted: readonly (readonly [PortSetting, number | undefined, number])[] = [
    ["cost", port.cost, link.port.cost],
    ["priority", port.priority, link.port.priority],
    ["isolated", port.isolated === undefined ? undefined : Number(port.isolated), Number(link.port.isolated)],
  ];
  return wanted.flatMap(([setting, want, found]) =>
    want === undefined || want === found ? [] : [[setting, want, found]],
  );
}

/** The settings of a port as it was read, to make another one so. */
export function portSettings(port: PortState): Readonly<Record<PortSetting, number>> {
  return { cost: port.cost, priority: port.priority, isolated: Number(port.isolated) };
}

export function ticks(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * TICKS;
}

/** The settings of a bridge as it was read, to make another one so. */
export function bridgeSettings(bridge: BridgeState): { readonly [Setting in BridgeSetting]?: number } {
  return {
    stp_state: bridge.stp ? 1 : 0,
    priority: bridge.priority,
    forward_delay: bridge.forwardDelay,
    hello_time: bridge.helloTime,
    max_age: bridge.maxAge,
    ...(bridge.ageing === null ? {} : { ageing_time: bridge.ageing }),
    mcast_snooping: bridge.multicastSnooping ? 1 : 0,
    ...(bridge.defaultVlan === null ? {} : { vlan_default_pvid: bridge.defaultVlan }),
    ...(bridge.vlanFiltering === null ? {} : { vlan_filtering: Number(bridge.vlanFiltering) }),
  };
}

/** The kernel's name of the bridge or bond that a role belongs to; null: none. */
export function masterName(config: NetworkConfig, role: string, observed: NetworkObserved): string | null {
  const master = masterOf(config, role);
  return master === null ? null : kernelName(config, master, observed.links);
}
