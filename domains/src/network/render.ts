import type { Family } from "@holdfast/core/net/address.ts";
import { kernelName, STACKED } from "./binding.ts";
import { vlansOf, wantedVlans } from "./bridge-vlans.ts";
import {
  type Device,
  type InterfaceConfig,
  type Ipv4Config,
  type Ipv6Config,
  MAIN_TABLE,
  masterKindOf,
  masterOf,
  type NetworkConfig,
  rolesOf,
  type RouteConfig,
  type RuleConfig,
  vlansOn,
} from "./model.ts";
import type { ObservedLink } from "./observed.ts";
import { FORWARDING_FILE, type OwnFiles, printOwnFile, type Section } from "./own-file.ts";

/** What was on the server before a setting became ours, so that it can go back to it: kept as remarks in our own files. */
export interface Found {
  readonly mtu: Readonly<Record<string, number>>;
  readonly forwarding: { readonly ipv4?: boolean; readonly ipv6?: boolean };
}

export const NOTHING_FOUND: Found = { mtu: {}, forwarding: {} };

type Line = readonly [key: string, value: string];

/** Every file that makes networkd do what the config says. With null the server's hardware is not known, and rules about it are left out. */
export function renderFiles(config: NetworkConfig, links: readonly ObservedLink[] | null, found: Found): OwnFiles {
  const files: [string, string][] = [];
  for (const role of rolesOf(config)) {
    const one = config.interfaces[role];
    if (one === undefined) continue;
    const mtu = found.mtu[role];
    files.push([
      `${role}.network`,
      printOwnFile({
        found: one.mtu === undefined || mtu === undefined ? {} : { MTU: String(mtu) },
        sections: networkSections(config, role, one, links),
      }),
    ]);
    if (one.device !== undefined && "name" in one.bound) {
      files.push([`${role}.netdev`, printOwnFile({ found: {}, sections: netdevSections(one.bound.name, one.device) })]);
    }
  }
  const forwarding = forwardingText(config, found);
  if (forwarding !== null) files.push([FORWARDING_FILE, forwarding]);
  return Object.fromEntries(files);
}

/** All files as people read them. */
export function renderNetwork(config: NetworkConfig, links: readonly ObservedLink[] | null): string {
  return Object.entries(renderFiles(config, links, NOTHING_FOUND))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => `# ${name}\n${text}`)
    .join("\n");
}

export const FORWARDING_KEYS = { ipv4: "net.ipv4.ip_forward", ipv6: "net.ipv6.conf.all.forwarding" } as const;

function forwardingText({ forwarding }: NetworkConfig, found: Found): string | null {
  const stated = (["ipv4", "ipv6"] as const).filter((family) => forwarding[family] !== undefined);
  if (stated.length === 0) return null;
  const remarks = Object.fromEntries(
    stated.flatMap((family) => {
      const before = found.forwarding[family];
      return before === undefined ? [] : [[FORWARDING_KEYS[family], before ? "1" : "0"]];
    }),
  );
  const head = printOwnFile({ found: remarks, sections: [] });
  return `${head}\n${stated.map((family) => `${FORWARDING_KEYS[family]} = ${forwarding[family] === true ? "1" : "0"}\n`).join("")}`;
}

function networkSections(
  config: NetworkConfig,
  role: string,
  one: InterfaceConfig,
  links: readonly ObservedLink[] | null,
): readonly Section[] {
  const addresses = [...one.ipv4.addresses, ...one.ipv6.addresses];
  return [
    { name: "Match", lines: matchLines(config, role, one) },
    { name: "Link", lines: linkLines(one) },
    { name: "Network", lines: networkLines(config, role, one) },
    ...addresses.map((address): Section => ({ name: "Address", lines: [["Address", address]] })),
    ...gatewaySections(one.ipv4, 4),
    ...gatewaySections(one.ipv6, 6),
    ...one.routes.flatMap((route) => routeSections(config, role, route, links)),
    ...one.rules.flatMap((rule) => ruleSections(config, rule, links)),
    { name: "DHCPv4", lines: dhcp4Lines(one.ipv4) },
    { name: "IPv6AcceptRA", lines: raLines(one.ipv6) },
    { name: "DHCPv6", lines: dhcp6Lines(one.ipv6) },
    { name: "DHCPServer", lines: serverLines(one) },
    { name: "Bridge", lines: portLines(one) },
    ...vlanSections(config, role),
  ];
}

/** Hardware is found by its address wherever the kernel put it; what stands on it has the same address and is not meant. */
function matchLines(config: NetworkConfig, role: string, { bound }: InterfaceConfig): readonly Line[] {
  if ("name" in bound) return [["Name", bound.name]];
  // A bond gives its own address to its members.
  if (masterKindOf(config, role) === "bond") return [["PermanentMACAddress", bound.mac]];
  return [
    ["MACAddress", bound.mac],
    ["Kind", `!${STACKED.join(" ")}`],
  ];
}

function linkLines(one: InterfaceConfig): readonly Line[] {
  return [
    ...(one.mtu === undefined ? [] : ([["MTUBytes", String(one.mtu)]] as const)),
    ...(one.enable
      ? []
      : ([
          ["ActivationPolicy", "always-down"],
          ["RequiredForOnline", "no"],
        ] as const)),
  ];
}

function networkLines(config: NetworkConfig, role: string, one: InterfaceConfig): readonly Line[] {
  const four = one.ipv4.method === "dhcp";
  const six = one.ipv6.method === "dhcp";
  const master = masterOf(config, role);
  const masterKind = masterKindOf(config, role);
  return [
    ["DHCP", four && six ? "yes" : four ? "ipv4" : six ? "ipv6" : "no"],
    ["IPv6AcceptRA", one.ipv6.method === "ra" || six ? "yes" : "no"],
    ["LinkLocalAddressing", one.ipv6.method === "none" ? "no" : "ipv6"],
    // What is set by hand holds with and without a cable; what is learnt waits for one.
    ["ConfigureWithoutCarrier", four || six || one.ipv6.method === "ra" ? "no" : "yes"],
    ...(master === null ? [] : ([[masterKind === "bond" ? "Bond" : "Bridge", deviceName(config, master)]] as const)),
    ...(masterKind === "bond" && isPrimary(config, role, master) ? ([["PrimarySlave", "yes"]] as const) : []),
    ...vlansOn(config, role).map((vlan): Line => ["VLAN", deviceName(config, vlan)]),
    ...one.dns.map((address): Line => ["DNS", address]),
    ...(one.search.length === 0 ? [] : ([["Domains", one.search.join(" ")]] as const)),
    ...(one.dhcpServer === undefined ? [] : ([["DHCPServer", "yes"]] as const)),
  ];
}

function isPrimary(config: NetworkConfig, role: string, master: string | null): boolean {
  const device = master === null ? undefined : config.interfaces[master]?.device;
  return device?.kind === "bond" && device.primary === role;
}

/** The kernel's name of a device that we make: it is always bound by name. */
function deviceName(config: NetworkConfig, role: string): string {
  return kernelName(config, role, []) ?? role;
}

function gatewaySections(family: Ipv4Config | Ipv6Config, number: Family): readonly Section[] {
  return family.gateways.map(({ via, metric, onLink }) => ({
    name: "Route",
    lines: routeLines({
      to: number === 4 ? "0.0.0.0/0" : "::/0",
      via,
      ...(metric === undefined ? {} : { metric }),
      table: MAIN_TABLE,
      onLink,
    }),
  }));
}

/** networkd wants the name of each interface that a way goes by; by hardware that is not there the route is left out. */
function routeSections(
  config: NetworkConfig,
  role: string,
  route: RouteConfig,
  links: readonly ObservedLink[] | null,
): readonly Section[] {
  const nameOf = (other: string): string | null => kernelName(config, other, links ?? []);
  const ways = (route.ways ?? []).map(({ via, by, weight }) => {
    const name = nameOf(by ?? role);
    return name === null ? null : (["MultiPathRoute", `${via}@${name} ${weight}`] as const);
  });
  const named = ways.filter((way) => way !== null);
  if (named.length < ways.length) return [];
  return [{ name: "Route", lines: [...routeLines(route), ...named] }];
}

function routeLines(route: RouteConfig): readonly Line[] {
  return [
    ["Destination", route.to],
    ...(route.via === undefined ? [] : ([["Gateway", route.via]] as const)),
    ...(route.onLink ? ([["GatewayOnLink", "yes"]] as const) : []),
    ...(route.is === undefined ? [] : ([["Type", route.is]] as const)),
    ...(route.via === undefined && route.ways === undefined && route.is === undefined && !route.to.includes(":")
      ? ([["Scope", "link"]] as const)
      : []),
    ...(route.metric === undefined ? [] : ([["Metric", String(route.metric)]] as const)),
    ...(route.table === MAIN_TABLE ? [] : ([["Table", String(route.table)]] as const)),
    ...(route.source === undefined ? [] : ([["PreferredSource", route.source]] as const)),
  ];
}

function ruleSections(
  config: NetworkConfig,
  rule: RuleConfig,
  links: readonly ObservedLink[] | null,
): readonly Section[] {
  const incoming = rule.in === undefined ? undefined : kernelName(config, rule.in, links ?? []);
  if (incoming === null) return [];
  return [
    {
      name: "RoutingPolicyRule",
      lines: [
        ["Priority", String(rule.priority)],
        ...(rule.from === undefined ? [] : ([["From", rule.from]] as const)),
        ...(rule.to === undefined ? [] : ([["To", rule.to]] as const)),
        ...(rule.mark === undefined ? [] : ([["FirewallMark", `${rule.mark.value}/${rule.mark.mask}`]] as const)),
        ...(incoming === undefined ? [] : ([["IncomingInterface", incoming]] as const)),
        ["Table", String(rule.table)],
        // Without addresses networkd makes the rule for IPv4 alone.
        ...(familiesOf(rule).length === 2 ? ([["Family", "both"]] as const) : []),
      ],
    },
  ];
}

/** A rule that names no address holds for both families. */
export function familiesOf(rule: RuleConfig): readonly Family[] {
  const address = rule.from ?? rule.to;
  if (address === undefined) return [4, 6];
  return [address.includes(":") ? 6 : 4];
}

function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}

function dhcp4Lines({ method, use, metric, clientId, tellHostname }: Ipv4Config): readonly Line[] {
  if (method !== "dhcp") return [];
  return [
    ...(clientId === undefined ? [] : ([["ClientIdentifier", clientId]] as const)),
    ...(tellHostname === undefined ? [] : ([["SendHostname", yesNo(tellHostname)]] as const)),
    ["UseDNS", yesNo(use.includes("dns"))],
    ["UseDomains", yesNo(use.includes("search"))],
    ["UseNTP", yesNo(use.includes("ntp"))],
    ["UseMTU", yesNo(use.includes("mtu"))],
    ["UseRoutes", yesNo(use.includes("routes"))],
    ["UseGateway", yesNo(use.includes("gateway"))],
    ["UseHostname", "no"],
    ["UseTimezone", "no"],
    ...(metric === undefined ? [] : ([["RouteMetric", String(metric)]] as const)),
  ];
}

function raLines({ method, use, metric }: Ipv6Config): readonly Line[] {
  if (method !== "ra" && method !== "dhcp") return [];
  return [
    ["DHCPv6Client", method === "dhcp" ? "always" : "no"],
    ["UseDNS", yesNo(use.includes("dns"))],
    ["UseDomains", yesNo(use.includes("search"))],
    ["UseAutonomousPrefix", yesNo(use.includes("address"))],
    ["UseGateway", yesNo(use.includes("gateway"))],
    ["UseRoutePrefix", yesNo(use.includes("routes"))],
    ["UseMTU", yesNo(use.includes("mtu"))],
    ...(metric === undefined ? [] : ([["RouteMetric", String(metric)]] as const)),
  ];
}

function dhcp6Lines({ method, use }: Ipv6Config): readonly Line[] {
  if (method !== "dhcp") return [];
  return [
    ["UseAddress", yesNo(use.includes("address"))],
    ["UseDNS", yesNo(use.includes("dns"))],
    ["UseDomains", yesNo(use.includes("search"))],
    ["UseNTP", yesNo(use.includes("ntp"))],
    ["UseHostname", "no"],
  ];
}

function serverLines({ dhcpServer, ipv4 }: InterfaceConfig): readonly Line[] {
  const [address] = ipv4.addresses;
  if (dhcpServer === undefined || address === undefined) return [];
  const { first, last, leaseSeconds, dns, gateway } = dhcpServer;
  return [
    ["ServerAddress", address],
    ["PoolOffset", String(first)],
    ["PoolSize", String(last - first + 1)],
    ["DefaultLeaseTimeSec", String(leaseSeconds)],
    ["MaxLeaseTimeSec", String(leaseSeconds)],
    ["EmitRouter", yesNo(gateway)],
    ["EmitDNS", yesNo(dns.length > 0)],
    ...dns.map((server): Line => ["DNS", server]),
    ["EmitNTP", "no"],
    ["EmitTimezone", "no"],
  ];
}

function portLines({ port }: InterfaceConfig): readonly Line[] {
  return [
    ...(port?.cost === undefined ? [] : ([["Cost", String(port.cost)]] as const)),
    ...(port?.priority === undefined ? [] : ([["Priority", String(port.priority)]] as const)),
    ...(port?.isolated === undefined ? [] : ([["Isolated", yesNo(port.isolated)]] as const)),
  ];
}

function vlanSections(config: NetworkConfig, role: string): readonly Section[] {
  const vlans = vlansOf(config, role);
  return (vlans === null ? [] : wantedVlans(vlans)).map(({ first, last, untagged }): Section => {
    const id = first === last ? String(first) : `${first}-${last}`;
    const lines: readonly Line[] = untagged
      ? [
          ["EgressUntagged", id],
          ["PVID", id],
        ]
      : [["VLAN", id]];
    return { name: "BridgeVLAN", lines };
  });
}

function netdevSections(name: string, device: Device): readonly Section[] {
  const head: Section = {
    name: "NetDev",
    lines: [
      ["Name", name],
      ["Kind", device.kind],
    ],
  };
  switch (device.kind) {
    case "vlan":
      return [head, { name: "VLAN", lines: [["Id", String(device.id)]] }];
    case "bridge":
      return [
        head,
        {
          name: "Bridge",
          lines: [
            ["STP", yesNo(device.stp)],
            ...numberLine("Priority", device.priority),
            ...numberLine("ForwardDelaySec", device.forwardDelay),
            ...numberLine("HelloTimeSec", device.helloTime),
            ...numberLine("MaxAgeSec", device.maxAge),
            ...numberLine("AgeingTimeSec", device.ageing),
            ...(device.multicastSnooping === undefined
              ? []
              : ([["MulticastSnooping", yesNo(device.multicastSnooping)]] as const)),
            // No port is in a VLAN that nobody wrote.
            ...(device.vlans === undefined
              ? []
              : ([
                  ["VLANFiltering", "yes"],
                  ["DefaultPVID", "none"],
                ] as const)),
          ],
        },
      ];
    case "bond":
      return [
        head,
        {
          name: "Bond",
          lines: [
            ["Mode", device.mode],
            ...(device.hashPolicy === undefined ? [] : ([["TransmitHashPolicy", device.hashPolicy]] as const)),
            ...(device.lacpRate === undefined ? [] : ([["LACPTransmitRate", device.lacpRate]] as const)),
            ...(device.monitorMs === undefined ? [] : ([["MIIMonitorSec", `${device.monitorMs}ms`]] as const)),
            ...(device.arp === undefined
              ? []
              : ([
                  ["ARPIntervalSec", `${device.arp.intervalMs}ms`],
                  ["ARPIPTargets", device.arp.targets.join(" ")],
                ] as const)),
            ...numberLine("MinLinks", device.minLinks),
          ],
        },
      ];
  }
}

function numberLine(key: string, value: number | undefined): readonly Line[] {
  return value === undefined ? [] : [[key, String(value)]];
}
