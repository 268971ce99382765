import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Composed, ComposeInput, LayeredSection } from "@holdfast/core/compose/layered-section.ts";
import type { Need } from "@holdfast/core/compose/need.ts";
import { scalarMerge } from "@holdfast/core/compose/scalar-merge.ts";
import { formatAddress, parseAddress } from "@holdfast/core/net/address.ts";
import { parseInterfaceName } from "@holdfast/core/net/interface-name.ts";
import {
  formatInterfaceAddress,
  formatNetwork,
  parseInterfaceAddress,
  parseNetwork,
} from "@holdfast/core/net/network.ts";
import { parseDuration } from "@holdfast/core/policy/duration.ts";
import { networkRequirements } from "./capability.ts";
import { finding, type NetworkCode } from "./findings.ts";
import { kernelOf } from "./kernel.ts";
import {
  type BridgeVlans,
  type Device,
  type InterfaceConfig,
  type Ipv4Config,
  MAIN_TABLE,
  type NetworkConfig,
  type RouteConfig,
  type RuleConfig,
  type WayConfig,
} from "./model.ts";
import { at, type Notes, within } from "./notes.ts";
import { type InterfaceSection, type NetworkSection, parseMark } from "./section.ts";
import { mergedRanges, parseVlanRange } from "./vlan-range.ts";

type Layer = LayeredSection<NetworkSection>;
type Family = NonNullable<InterfaceSection["ipv4"]> | NonNullable<InterfaceSection["ipv6"]>;

/** What is taken from a DHCP server or a router where the policy does not say. */
const USUAL_USE = ["address", "gateway", "routes", "dns", "search"] as const;

/** All layers that reach one server become its network config. A setting of an interface merges as a whole: the narrower layer wins. */
export function composeNetwork(input: ComposeInput<NetworkSection>): Composed<NetworkConfig> {
  const notes: Notes = { findings: [], provenance: [] };
  if (input.layers.length === 0) return { config: null, ...notes, needs: [] };
  const roles = [...new Set(input.layers.flatMap(({ section }) => Object.keys(section.interfaces ?? {})))].toSorted();
  const merged = new Map(roles.map((role) => [role, mergedInterface(input.layers, role, notes)]));
  const interfaces = Object.fromEntries(
    [...merged].flatMap(([role, section]): [string, InterfaceConfig][] => {
      const one = concreteInterface(input, role, section, notes);
      return one === null ? [] : [[role, one]];
    }),
  );
  const sharedDns = narrowest(input.layers, "dns", (section) => section.dns, notes);
  const sharedSearch = narrowest(input.layers, "search", (section) => section.search, notes);
  const forwarding = {
    ipv4: narrowest(input.layers, "forwarding.ipv4", (section) => section.forwarding?.ipv4, notes),
    ipv6: narrowest(input.layers, "forwarding.ipv6", (section) => section.forwarding?.ipv6, notes),
  };
  if (sharedDns !== undefined && !Object.values(interfaces).some(leadsOut)) {
    complain(
      input.layers,
      "network.dns_nowhere",
      "dns",
      "No interface of this policy leads out, so its name servers would be asked nowhere.",
      notes,
    );
  }
  const config: NetworkConfig = {
    reachedAt: input.addresses.map(canonicalAddress),
    forwarding: {
      ...(forwarding.ipv4 === undefined ? {} : { ipv4: forwarding.ipv4 }),
      ...(forwarding.ipv6 === undefined ? {} : { ipv6: forwarding.ipv6 }),
    },
    interfaces: Object.fromEntries(
      Object.entries(interfaces).map(([role, one]) => {
        if (!leadsOut(one)) return [role, one];
        const section = merged.get(role);
        return [
          role,
          {
            ...one,
            dns: section?.dns === undefined ? (sharedDns ?? []).map(canonicalAddress) : one.dns,
            search: section?.search === undefined ? [...(sharedSearch ?? [])] : one.search,
          },
        ];
      }),
    ),
  };
  // With an error the rest is shown but never applied: half a policy is another policy.
  const isBroken = notes.findings.some((one) => one.severity === "error");
  if (isBroken) return { config: null, ...notes, needs: [] };
  return {
    config,
    ...notes,
    needs: needsOf(config),
    requires: networkRequirements(config),
    kernel: kernelOf(config),
    called: Object.values(config.interfaces).flatMap(({ ipv4, ipv6 }) => [...ipv4.addresses, ...ipv6.addresses]),
  };
}

/** Whether packets for everywhere else leave by this interface. */
function leadsOut(one: InterfaceConfig): boolean {
  return [one.ipv4, one.ipv6].some((family) => family.gateways.length > 0 || family.use.includes("gateway"));
}

function mergedInterface(layers: readonly Layer[], role: string, notes: Notes): InterfaceSection {
  const keys = [...new Set(layers.flatMap(({ section }) => Object.keys(section.interfaces?.[role] ?? {})))].toSorted();
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = narrowest(layers, `interfaces.${role}.${key}`, (section) => valueOf(section, role, key), notes);
      return value === undefined ? [] : [[key, value]];
    }),
  ) as InterfaceSection; // every value is what one of the layers states for this very key
}

function valueOf(section: NetworkSection, role: string, key: string): Json | undefined {
  const one: { readonly [key: string]: Json | undefined } = section.interfaces?.[role] ?? {};
  return one[key];
}

function narrowest<Value extends Json>(
  layers: readonly Layer[],
  path: string,
  pick: (section: NetworkSection) => Value | undefined,
  notes: Notes,
): Value | undefined {
  const stated = layers.flatMap(({ origin, section }) => {
    const value = pick(section);
    return value === undefined ? [] : [{ value, origin: within(origin, path) }];
  });
  const result = scalarMerge(`network.${path}`, stated);
  notes.findings.push(...result.findings);
  notes.provenance.push(...result.provenance);
  return result.value;
}

function concreteInterface(
  input: ComposeInput<NetworkSection>,
  role: string,
  section: InterfaceSection,
  notes: Notes,
): InterfaceConfig | null {
  const say = (code: NetworkCode, key: string, message: string): void =>
    complain(input.layers, code, `interfaces.${role}${key === "" ? "" : `.${key}`}`, message, notes);
  const before = notes.findings.length;
  const { ipv4, ipv6 } = section;
  for (const [key, family] of [
    ["ipv4", ipv4],
    ["ipv6", ipv6],
  ] as const) {
    if (family === undefined)
      say(
        "network.family_missing",
        key,
        `The interface ${role} is ours whole, and no policy says what its ${key} shall be.`,
      );
  }
  const device = deviceOf(section);
  if ([section.vlan, section.bridge, section.bond].filter((one) => one !== undefined).length > 1)
    say("network.device", "", `The interface ${role} is two kinds of device at once.`);
  const binding = input.interfaces[role];
  if (device !== undefined && binding !== undefined && "mac" in binding)
    say(
      "network.device",
      "",
      `The interface ${role} is made by Holdfast and cannot be hardware with the address ${binding.mac}.`,
    );
  const bound = binding ?? { name: role };
  if ("name" in bound) {
    const name = parseInterfaceName(bound.name);
    if (!name.ok)
      say(
        "network.device",
        "",
        `The role ${role} is not bound to hardware, and as the kernel's name it is wrong: ${name.error}.`,
      );
  }
  if (ipv4 === undefined || ipv6 === undefined || notes.findings.length > before) return null;
  return {
    bound,
    ...(device === undefined ? {} : { device }),
    enable: section.enable ?? true,
    ...(section.mtu === undefined ? {} : { mtu: section.mtu }),
    ...(section.port === undefined ? {} : { port: concretePort(section.port) }),
    ipv4: {
      ...concreteFamily(ipv4),
      method: ipv4.method,
      ...(ipv4.clientId === undefined ? {} : { clientId: ipv4.clientId }),
      ...(ipv4.tellHostname === undefined ? {} : { tellHostname: ipv4.tellHostname }),
    },
    ipv6: { ...concreteFamily(ipv6), method: ipv6.method },
    routes: (section.routes ?? []).map((route) => concreteRoute(route)),
    rules: (section.rules ?? []).map((rule) => concreteRule(rule)),
    dns: (section.dns ?? []).map(canonicalAddress),
    search: [...(section.search ?? [])],
    ...(section.dhcpServer === undefined ? {} : { dhcpServer: concreteServer(section.dhcpServer) }),
  };
}

function deviceOf(section: InterfaceSection): Device | undefined {
  const { bridge, bond, vlan } = section;
  if (bridge !== undefined) {
    const { members, stp, priority, forwardDelay, helloTime, maxAge, ageing, multicastSnooping, vlans } = bridge;
    return {
      kind: "bridge",
      members: [...new Set(members)].toSorted(),
      stp,
      ...(priority === undefined ? {} : { priority }),
      ...(forwardDelay === undefined ? {} : { forwardDelay: secondsOf(forwardDelay) }),
      ...(helloTime === undefined ? {} : { helloTime: secondsOf(helloTime) }),
      ...(maxAge === undefined ? {} : { maxAge: secondsOf(maxAge) }),
      ...(ageing === undefined ? {} : { ageing: secondsOf(ageing) }),
      ...(multicastSnooping === undefined ? {} : { multicastSnooping }),
      ...(vlans === undefined ? {} : { vlans: concreteVlans(vlans) }),
    };
  }
  if (bond !== undefined) {
    const { members, monitor, arp, ...rest } = bond;
    return {
      ...rest,
      kind: "bond",
      members: [...new Set(members)].toSorted(),
      ...(monitor === undefined ? {} : { monitorMs: monitor }),
      ...(arp === undefined
        ? {}
        : { arp: { intervalMs: arp.interval, targets: [...new Set(arp.targets.map(canonicalAddress))].toSorted() } }),
    };
  }
  return vlan === undefined ? undefined : { kind: "vlan", ...vlan };
}

function concretePort({ vlans, ...port }: NonNullable<InterfaceSection["port"]>): NonNullable<InterfaceConfig["port"]> {
  return { ...port, ...(vlans === undefined ? {} : { vlans: concreteVlans(vlans) }) };
}

function concreteVlans({ tagged, untagged }: NonNullable<NonNullable<InterfaceSection["port"]>["vlans"]>): BridgeVlans {
  const ranges = (tagged ?? []).map((one) =>
    typeof one === "number" ? { first: one, last: one } : sure(parseVlanRange(one)),
  );
  return { tagged: mergedRanges(ranges), ...(untagged === undefined ? {} : { untagged }) };
}

function concreteFamily(family: Family): Omit<Ipv4Config, "method"> {
  const learns = family.method !== "static" && family.method !== "none";
  return {
    addresses: (family.addresses ?? []).map(canonicalInterfaceAddress),
    gateways: (family.gateways ?? []).map((one) =>
      typeof one === "string"
        ? { via: canonicalAddress(one), onLink: false }
        : {
            via: canonicalAddress(one.via),
            ...(one.metric === undefined ? {} : { metric: one.metric }),
            onLink: one.onLink ?? false,
          },
    ),
    use: learns ? [...new Set(family.use ?? USUAL_USE)].toSorted() : [],
    ...(learns && family.metric !== undefined ? { metric: family.metric } : {}),
  };
}

function concreteRoute(route: NonNullable<InterfaceSection["routes"]>[number]): RouteConfig {
  const via = route.via === undefined ? undefined : canonicalAddress(route.via);
  const ways = route.ways?.map(concreteWay).toSorted(byWay);
  const hint = via ?? ways?.[0]?.via ?? route.source ?? "";
  const isSix = (route.to === "default" ? hint : route.to).includes(":");
  return {
    to: route.to === "default" ? (isSix ? "::/0" : "0.0.0.0/0") : canonicalNetwork(route.to),
    ...(via === undefined ? {} : { via }),
    ...(ways === undefined ? {} : { ways }),
    ...(route.is === undefined ? {} : { is: route.is }),
    ...(route.metric === undefined ? {} : { metric: route.metric }),
    table: route.table ?? MAIN_TABLE,
    onLink: route.onLink ?? false,
    ...(route.source === undefined ? {} : { source: canonicalAddress(route.source) }),
  };
}

function concreteWay({
  via,
  by,
  weight,
}: NonNullable<NonNullable<InterfaceSection["routes"]>[number]["ways"]>[number]): WayConfig {
  return { via: canonicalAddress(via), ...(by === undefined ? {} : { by }), weight: weight ?? 1 };
}

/** The order says nothing, so there is one. */
function byWay(a: WayConfig, b: WayConfig): number {
  const text = ({ via, by }: WayConfig): string => `${via} ${by ?? ""}`;
  return text(a) < text(b) ? -1 : 1;
}

function concreteRule(rule: NonNullable<InterfaceSection["rules"]>[number]): RuleConfig {
  const mark = rule.mark === undefined ? undefined : sure(parseMark(rule.mark));
  return {
    priority: rule.priority,
    ...(rule.from === undefined ? {} : { from: canonicalNetwork(rule.from) }),
    ...(rule.to === undefined ? {} : { to: canonicalNetwork(rule.to) }),
    ...(mark === undefined ? {} : { mark: { ...mark } }),
    ...(rule.in === undefined ? {} : { in: rule.in }),
    table: rule.table,
  };
}

function concreteServer(
  server: NonNullable<InterfaceSection["dhcpServer"]>,
): NonNullable<InterfaceConfig["dhcpServer"]> {
  return {
    first: server.pool.first,
    last: server.pool.last,
    leaseSeconds: secondsOf(server.lease),
    dns: (server.dns ?? []).map(canonicalAddress),
    gateway: server.gateway ?? true,
  };
}

/** What the firewall of this server must let through for these settings to work. */
function needsOf(config: NetworkConfig): readonly Need[] {
  return Object.entries(config.interfaces)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([role, one]): readonly Need[] => [
      ...(one.enable && one.ipv4.method === "dhcp"
        ? [
            {
              kind: "dhcp_client" as const,
              interface: role,
              family: 4 as const,
              cause: `network: ${role} gets its address by DHCP`,
            },
          ]
        : []),
      ...(one.enable && one.ipv6.method === "dhcp"
        ? [
            {
              kind: "dhcp_client" as const,
              interface: role,
              family: 6 as const,
              cause: `network: ${role} gets its address by DHCPv6`,
            },
          ]
        : []),
      ...(one.enable && one.dhcpServer !== undefined
        ? [
            {
              kind: "dhcp_server" as const,
              interface: role,
              family: 4 as const,
              cause: `network: addresses are given out on ${role}`,
            },
          ]
        : []),
    ]);
}

/** Points at the narrowest policy that says something there. */
function complain(layers: readonly Layer[], code: NetworkCode, path: string, message: string, notes: Notes): void {
  const [section, role] = path.split(".");
  const stating = layers.findLast(({ section: one }) =>
    section === "interfaces" ? one.interfaces?.[role ?? ""] !== undefined : one.dns !== undefined,
  );
  notes.findings.push(finding(code, `network.${path}`, message, stating === undefined ? {} : at(stating.origin)));
}

function canonicalAddress(text: string): string {
  return formatAddress(sure(parseAddress(text)));
}

function canonicalNetwork(text: string): string {
  return formatNetwork(sure(parseNetwork(text)));
}

function canonicalInterfaceAddress(text: string): string {
  return formatInterfaceAddress(sure(parseInterfaceAddress(text)));
}

function secondsOf(text: string): number {
  return sure(parseDuration(text));
}

/** The texts of a section have passed its schema. */
function sure<Value>(
  result: { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: string },
): Value {
  if (!result.ok) throw new Error(`a section that was not checked: ${result.error}`);
  return result.value;
}
