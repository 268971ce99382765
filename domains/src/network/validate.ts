import type { Finding } from "@holdfast/core/base/finding.ts";
import { type Address, FAMILY_BITS, parseAddress } from "@holdfast/core/net/address.ts";
import { formatNetwork, lastOf, type Network, parseInterfaceAddress } from "@holdfast/core/net/network.ts";
import { finding } from "./findings.ts";
import { type InterfaceConfig, masterKindOf, masterOf, type NetworkConfig, rolesOf } from "./model.ts";
import { routeInWords, wantedRoutes } from "./wanted.ts";

/** Remarks about a config alone, before any server is looked at. */
export function validateNetwork(config: NetworkConfig): readonly Finding[] {
  return [
    ...boundTwice(config),
    ...rolesOf(config).flatMap((role) => {
      const one = config.interfaces[role];
      if (one === undefined) return [];
      return [
        ...memberFindings(config, role, one),
        ...methodFindings(role, one),
        ...gatewayFindings(config, role, one),
        ...routeFindings(role, one),
        ...wayFindings(config, role, one),
        ...poolFindings(role, one),
        ...mtuFindings(role, one),
        ...bridgeFindings(role, one),
        ...vlanFindings(config, role, one),
      ];
    }),
    ...addressesTwice(config),
    ...routesTwice(config),
    ...serverAddress(config),
  ];
}

function path(role: string, rest = ""): string {
  return `network.interfaces.${role}${rest}`;
}

function boundTwice(config: NetworkConfig): readonly Finding[] {
  const seen = new Map<string, string>();
  return rolesOf(config).flatMap((role) => {
    const bound = config.interfaces[role]?.bound;
    if (bound === undefined) return [];
    const key = "mac" in bound ? bound.mac : bound.name;
    const other = seen.get(key);
    seen.set(key, role);
    return other === undefined
      ? []
      : [finding("network.bound_twice", path(role), `The roles ${other} and ${role} are the same interface (${key}).`)];
  });
}

function memberFindings(config: NetworkConfig, role: string, one: InterfaceConfig): readonly Finding[] {
  const { device } = one;
  const masters = rolesOf(config).filter((other) => {
    const above = config.interfaces[other]?.device;
    return above !== undefined && above.kind !== "vlan" && above.members.includes(role);
  });
  const says: string[] = [];
  if (masters.length > 1)
    says.push(`The interface ${role} is a member of ${masters.join(" and ")}, and can be of one only.`);
  if (masters.length > 0 && (one.ipv4.method !== "none" || one.ipv6.method !== "none"))
    says.push(`The interface ${role} is a member of ${masters[0] ?? ""}; addresses belong there.`);
  if (masters.includes(role) || (device?.kind === "vlan" && device.parent === role))
    says.push(`The interface ${role} stands on itself.`);
  if (device?.kind === "bond" && device.primary !== undefined && !device.members.includes(device.primary))
    says.push(`The primary ${device.primary} of ${role} is none of its members.`);
  if (one.port !== undefined && masterKindOf(config, role) !== "bridge")
    says.push(`The interface ${role} says how it stands in a bridge, and is in none.`);
  return says.map((message) => finding("network.member", path(role), message));
}

function methodFindings(role: string, one: InterfaceConfig): readonly Finding[] {
  return (["ipv4", "ipv6"] as const).flatMap((key) => {
    const { method, addresses, gateways } = one[key];
    const say = (message: string): readonly Finding[] => [finding("network.method", path(role, `.${key}`), message)];
    if (method === "static" && addresses.length === 0) return say(`${key} of ${role} is static and has no address.`);
    if (method === "none" && addresses.length + gateways.length > 0)
      return say(`${key} of ${role} is none, and yet has an address or a gateway.`);
    return [];
  });
}

function gatewayFindings(config: NetworkConfig, role: string, one: InterfaceConfig): readonly Finding[] {
  const hops = [
    ...[...one.ipv4.gateways, ...one.ipv6.gateways].map(({ via, onLink }) => ({ via, onLink, by: role })),
    ...one.routes.flatMap(({ via, onLink }) => (via === undefined ? [] : [{ via, onLink, by: role }])),
    ...one.routes.flatMap(({ ways }) => (ways ?? []).map(({ via, by }) => ({ via, onLink: false, by: by ?? role }))),
  ];
  return hops.flatMap(({ via, onLink, by }) => {
    const other = config.interfaces[by];
    const address = parseAddress(via);
    if (!address.ok || other === undefined || onLink || isLinkLocal(address.value)) return [];
    const learns = { 4: other.ipv4.method === "dhcp", 6: other.ipv6.method === "ra" || other.ipv6.method === "dhcp" };
    if (learns[address.value.family] || networksOf(other).some((network) => isIn(network, address.value))) return [];
    return [
      finding(
        "network.gateway_off_link",
        path(role),
        `${via} stands in no network of ${by}, so it cannot be reached directly.`,
      ),
    ];
  });
}

/** networkd waits for every interface that a route goes by, and is never done where one of them is kept down. */
function wayFindings(config: NetworkConfig, role: string, one: InterfaceConfig): readonly Finding[] {
  return one.routes.flatMap(({ to, ways = [] }, index) => {
    const names = ways.map(({ via, by }) => `${via} by ${by ?? role}`);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    const down = ways.find(({ by }) => by !== undefined && config.interfaces[by]?.enable === false);
    const say = (message: string): Finding =>
      finding("network.route_ways", path(role, `.routes[${index}].ways`), message);
    return [
      ...(twice === undefined ? [] : [say(`The route to ${to} has the way ${twice} twice.`)]),
      ...(down === undefined
        ? []
        : [say(`A way of the route to ${to} goes by ${down.by ?? role}, which is kept down.`)]),
    ];
  });
}

/** fe80::/10 is on every link. */
function isLinkLocal(address: Address): boolean {
  return address.family === 6 && address.value >> 118n === 0x3fan;
}

function isIn(network: Network, address: Address): boolean {
  const bits = BigInt(FAMILY_BITS[network.family] - network.prefix);
  return network.family === address.family && network.value >> bits === address.value >> bits;
}

export function networksOf(one: InterfaceConfig): readonly Network[] {
  return [...one.ipv4.addresses, ...one.ipv6.addresses].flatMap((text) => {
    const parsed = parseInterfaceAddress(text);
    return parsed.ok ? [parsed.value.network] : [];
  });
}

function routeFindings(role: string, one: InterfaceConfig): readonly Finding[] {
  return one.routes.flatMap((route, index) => {
    const families = new Set(
      [route.to, route.via, route.source, ...(route.ways ?? []).map(({ via }) => via)].flatMap((text) =>
        text === undefined ? [] : [text.includes(":")],
      ),
    );
    if (families.size === 1) return [];
    return [
      finding("network.route_family", path(role, `.routes[${index}]`), `The route to ${route.to} mixes IPv4 and IPv6.`),
    ];
  });
}

function poolFindings(role: string, one: InterfaceConfig): readonly Finding[] {
  const { dhcpServer } = one;
  if (dhcpServer === undefined) return [];
  const say = (message: string): readonly Finding[] => [
    finding("network.dhcp_pool", path(role, ".dhcpServer.pool"), message),
  ];
  const [first] = one.ipv4.addresses;
  const own = first === undefined ? undefined : parseInterfaceAddress(first);
  if (own?.ok !== true)
    return say(`${role} gives out addresses and has no IPv4 address of its own that is set by hand.`);
  const { network, address } = own.value;
  const hosts = lastOf(network) - network.value;
  const ownNumber = address.value - network.value;
  if (dhcpServer.first > dhcpServer.last) return say(`The pool of ${role} runs backwards.`);
  if (BigInt(dhcpServer.last) >= hosts)
    return say(
      `The pool of ${role} ends at ${dhcpServer.last}; ${formatNetwork(network)} has hosts from 1 to ${hosts - 1n}.`,
    );
  if (BigInt(dhcpServer.first) <= ownNumber && ownNumber <= BigInt(dhcpServer.last))
    return say(`The pool of ${role} holds number ${ownNumber}, which is the server's own address.`);
  return [];
}

/** The least that IPv6 needs (RFC 8200); the kernel takes IPv6 away from a link with less. */
const IPV6_MTU = 1280;

function mtuFindings(role: string, one: InterfaceConfig): readonly Finding[] {
  if (one.mtu === undefined || one.mtu >= IPV6_MTU || one.ipv6.method === "none") return [];
  return [
    finding("network.mtu_ipv6", path(role, ".mtu"), `IPv6 needs packets of ${IPV6_MTU} bytes; ${role} has ${one.mtu}.`),
  ];
}

/** What the kernel takes for a bridge, in seconds (IEEE 802.1D): it refuses others, and networkd says so in its log only. */
const BRIDGE_SECONDS = { forwardDelay: [2, 30], helloTime: [1, 10], maxAge: [6, 40] } as const;

function bridgeFindings(role: string, { device }: InterfaceConfig): readonly Finding[] {
  if (device?.kind !== "bridge") return [];
  return (["forwardDelay", "helloTime", "maxAge"] as const).flatMap((key) => {
    const value = device[key];
    const [least, most] = BRIDGE_SECONDS[key];
    if (value === undefined || (value >= least && value <= most)) return [];
    return [
      finding(
        "network.bridge_timer",
        path(role, `.bridge.${key}`),
        `A bridge takes ${least} to ${most} seconds for it, and ${role} has ${value}.`,
      ),
    ];
  });
}

function vlanFindings(config: NetworkConfig, role: string, one: InterfaceConfig): readonly Finding[] {
  const master = masterOf(config, role);
  const above = master === null ? undefined : config.interfaces[master]?.device;
  const isTold = above?.kind === "bridge" && above.vlans !== undefined;
  const says: string[] = [];
  if (isTold && one.port?.vlans === undefined)
    says.push(`The bridge ${master ?? ""} tells VLANs apart, and ${role} says of none that it is in it.`);
  if (!isTold && one.port?.vlans !== undefined)
    says.push(`${role} says of which VLANs it is, and stands in no bridge that tells them apart.`);
  for (const vlans of [one.port?.vlans, one.device?.kind === "bridge" ? one.device.vlans : undefined]) {
    const both = vlans?.tagged.find(
      ({ first, last }) => first <= (vlans.untagged ?? 0) && (vlans.untagged ?? 0) <= last,
    );
    if (both !== undefined) says.push(`${role} is in the VLAN ${vlans?.untagged ?? ""} with a tag and without.`);
  }
  const parent = one.device?.kind === "vlan" ? config.interfaces[one.device.parent]?.device : undefined;
  const id = one.device?.kind === "vlan" ? one.device.id : 0;
  const isLost =
    parent?.kind === "bridge" &&
    parent.vlans !== undefined &&
    !parent.vlans.tagged.some(({ first, last }) => first <= id && id <= last);
  return [
    ...says.map((message) => finding("network.bridge_vlans", path(role), message)),
    ...(isLost
      ? [
          finding(
            "network.bridge_vlan_missing",
            path(role, ".vlan"),
            `${role} is the VLAN ${id} of a bridge that tells VLANs apart, and the server itself is not in it with a tag.`,
          ),
        ]
      : []),
  ];
}

function addressesTwice(config: NetworkConfig): readonly Finding[] {
  const addresses = new Map<string, string>();
  const networks: { readonly role: string; readonly network: Network }[] = [];
  return rolesOf(config).flatMap((role) => {
    const one = config.interfaces[role];
    if (one === undefined || !one.enable) return [];
    const findings: Finding[] = [];
    for (const text of [...one.ipv4.addresses, ...one.ipv6.addresses]) {
      const plain = text.split("/")[0] ?? text;
      const other = addresses.get(plain);
      if (other !== undefined)
        findings.push(
          finding("network.address_twice", path(role), `${plain} is an address of ${other} and of ${role}.`),
        );
      addresses.set(plain, role);
    }
    for (const network of networksOf(one)) {
      const other = networks.find((known) => known.role !== role && overlap(known.network, network));
      if (other !== undefined) {
        const message = `${formatNetwork(network)} of ${role} and ${formatNetwork(other.network)} of ${other.role} overlap.`;
        findings.push(finding("network.networks_overlap", path(role), message));
      }
      networks.push({ role, network });
    }
    return findings;
  });
}

function overlap(a: Network, b: Network): boolean {
  return a.family === b.family && a.value <= lastOf(b) && b.value <= lastOf(a);
}

/** The kernel knows one route for a destination, table and metric; a second one would take its place. */
function routesTwice(config: NetworkConfig): readonly Finding[] {
  const seen = new Map<string, string>();
  return rolesOf(config).flatMap((role) => {
    const one = config.interfaces[role];
    if (one === undefined || !one.enable) return [];
    return wantedRoutes(one, role, (other) => other).flatMap((route) => {
      const key = [route.family, route.to, route.table, route.metric].join(" ");
      const other = seen.get(key);
      seen.set(key, role);
      if (other === undefined) return [];
      return [
        finding(
          "network.route_twice",
          path(role),
          `Two routes are the same to the kernel: ${routeInWords(route)}, at ${other} and ${role}.`,
        ),
      ];
    });
  });
}

/** The Server document says an address that stands in one of our networks, and no interface has it. */
function serverAddress(config: NetworkConfig): readonly Finding[] {
  const interfaces = Object.values(config.interfaces);
  const own = new Set(
    interfaces.flatMap((one) => [...one.ipv4.addresses, ...one.ipv6.addresses].map((text) => text.split("/")[0])),
  );
  const networks = interfaces.flatMap(networksOf);
  return config.reachedAt.flatMap((text) => {
    const address = parseAddress(text);
    if (!address.ok || own.has(text) || !networks.some((network) => isIn(network, address.value))) return [];
    return [
      finding(
        "network.server_address",
        "network",
        `The Server document says ${text}, which is in a network of this server and no address of it.`,
      ),
    ];
  });
}
