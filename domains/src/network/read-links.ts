import { type Family, FAMILY_BITS, formatAddress, parseAddress } from "@holdfast/core/net/address.ts";
import type { VlanRange } from "@holdfast/core/plan/ip-state.ts";
import { tidied } from "./bridge-vlans.ts";
import { describedLinks } from "./describe.ts";
import type { BondState, BridgeState, ObservedAddress, ObservedLink } from "./observed.ts";
import { type Fields, jsonOf, listOf, numberIn, partOf, textIn, textsIn } from "./read-json.ts";

/** A life time that never ends, as `ip` prints it. */
const FOR_EVER = 4_294_967_295;

/** Links as the kernel has them, and what networkd thinks of each. Null: `ip` did not answer. */
export function readLinks(
  ip: string | null,
  networkd: string | null,
  bridge: string | null,
): readonly ObservedLink[] | null {
  const links = ip === null ? null : jsonOf(ip);
  if (!Array.isArray(links)) return null;
  const managed = (networkd === null ? null : describedLinks(networkd)) ?? new Map<string, Fields>();
  const vlans = readVlans(bridge);
  return listOf(links)
    .flatMap((link): readonly ObservedLink[] => {
      const name = textIn(link, "ifname");
      return name === null
        ? []
        : [{ ...readLink(link, name, managed.get(name) ?? {}), vlans: vlans.get(name) ?? null }];
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** What `bridge -j vlan show` says, by link. */
function readVlans(text: string | null): ReadonlyMap<string, readonly VlanRange[]> {
  return new Map(
    listOf(text === null ? null : jsonOf(text)).map((link) => [
      textIn(link, "ifname") ?? "",
      tidied(
        listOf(link["vlans"]).flatMap((one) => {
          const first = numberIn(one, "vlan");
          const flags: readonly unknown[] = Array.isArray(one["flags"]) ? one["flags"] : [];
          if (first === null) return [];
          return [{ first, last: numberIn(one, "vlanEnd") ?? first, untagged: flags.includes("PVID") }];
        }),
      ),
    ]),
  );
}

function readLink(link: Fields, name: string, managed: Fields): Omit<ObservedLink, "vlans"> {
  const flags: readonly unknown[] = Array.isArray(link["flags"]) ? link["flags"] : [];
  const info = partOf(link, "linkinfo");
  const kind = textIn(info, "info_kind");
  const data = partOf(info, "info_data");
  const learnt = learntAddresses(managed);
  const lenders = lendersOf(managed);
  const rx = partOf(partOf(link, "stats64"), "rx");
  const tx = partOf(partOf(link, "stats64"), "tx");
  return {
    name,
    // A member of a bond has the bond's address for the time; what it was made with is told beside it.
    mac: textIn(link, "link_type") === "ether" ? (textIn(link, "permaddr") ?? textIn(link, "address")) : null,
    kind,
    up: flags.includes("UP"),
    carrier: flags.includes("LOWER_UP"),
    mtu: numberIn(link, "mtu") ?? 0,
    master: textIn(link, "master"),
    setup: textIn(managed, "AdministrativeState") ?? "",
    operational: textIn(managed, "OperationalState") ?? "",
    file: textIn(managed, "NetworkFile"),
    addresses: listOf(link["addr_info"])
      .flatMap((one) => readAddress(one, learnt, lenders))
      .toSorted((a, b) => (a.address < b.address ? -1 : 1)),
    dns: listOf(managed["DNS"]).flatMap((one) => (textIn(one, "ConfigSource") === "static" ? bytesToAddress(one) : [])),
    search: listOf(managed["SearchDomains"]).flatMap((one) =>
      textIn(one, "ConfigSource") === "static" ? [textIn(one, "Domain") ?? ""] : [],
    ),
    bridge: kind === "bridge" ? readBridge(data) : null,
    port: textIn(info, "info_slave_kind") === "bridge" ? readPort(partOf(info, "info_slave_data")) : null,
    vlan: kind === "vlan" ? { id: numberIn(data, "id") ?? 0, parent: textIn(link, "link") } : null,
    bond: kind === "bond" ? readBond(data) : null,
    counters: {
      rxBytes: numberIn(rx, "bytes") ?? 0,
      rxErrors: numberIn(rx, "errors") ?? 0,
      txBytes: numberIn(tx, "bytes") ?? 0,
      txErrors: numberIn(tx, "errors") ?? 0,
    },
  };
}

/** What networkd has from a DHCP server or a router. */
function learntAddresses(managed: Fields): ReadonlySet<string> {
  return new Set(
    listOf(managed["Addresses"])
      .filter((one) => !["static", "foreign", "IPv4LL"].includes(textIn(one, "ConfigSource") ?? "foreign"))
      .flatMap((one) => bytesToAddress(one)),
  );
}

/** The DHCP server of each address that one lent. */
function lendersOf(managed: Fields): ReadonlyMap<string, string> {
  return new Map(
    listOf(managed["Addresses"]).flatMap((one) => {
      const [address] = bytesToAddress(one);
      const [lender] = bytesToAddress(one, "ConfigProvider");
      const isLent = textIn(one, "ConfigSource") === "DHCPv4" && address !== undefined && lender !== undefined;
      return isLent ? [[address, lender] as const] : [];
    }),
  );
}

/** networkd prints addresses as lists of bytes. */
function bytesToAddress(fields: Fields, key: "Address" | "ConfigProvider" = "Address"): readonly string[] {
  const bytes: readonly unknown[] = Array.isArray(fields[key]) ? fields[key] : [];
  const family: Family = fields["Family"] === 2 ? 4 : 6;
  if (bytes.length * 8 !== FAMILY_BITS[family]) return [];
  const value = bytes.reduce<bigint>(
    (sum, byte) => (sum << 8n) | BigInt(typeof byte === "number" ? byte & 255 : 0),
    0n,
  );
  return [formatAddress({ family, value })];
}

function readAddress(
  fields: Fields,
  learnt: ReadonlySet<string>,
  lenders: ReadonlyMap<string, string>,
): readonly ObservedAddress[] {
  const parsed = parseAddress(textIn(fields, "local") ?? "");
  const prefix = numberIn(fields, "prefixlen");
  if (!parsed.ok || prefix === null) return [];
  const text = formatAddress(parsed.value);
  const lease = numberIn(fields, "valid_life_time");
  const lender = lenders.get(text);
  const isLearnt = learnt.has(text) || fields["dynamic"] === true || fields["mngtmpaddr"] === true;
  return [
    {
      address: `${text}/${prefix}`,
      source: ["link", "host"].includes(textIn(fields, "scope") ?? "") ? "link" : isLearnt ? "learnt" : "set",
      tentative: fields["tentative"] === true,
      leaseSeconds: lease === null || lease === FOR_EVER ? null : lease,
      ...(lender === undefined ? {} : { lender }),
    },
  ];
}

function readBridge(data: Fields): BridgeState {
  return {
    stp: numberIn(data, "stp_state") !== 0,
    priority: numberIn(data, "priority") ?? 0,
    forwardDelay: numberIn(data, "forward_delay") ?? 0,
    helloTime: numberIn(data, "hello_time") ?? 0,
    maxAge: numberIn(data, "max_age") ?? 0,
    ageing: numberIn(data, "topology_change") === 0 ? (numberIn(data, "ageing_time") ?? 0) : null,
    multicastSnooping: numberIn(data, "mcast_snooping") !== 0,
    vlanFiltering: switchIn(data, "vlan_filtering"),
    defaultVlan: numberIn(data, "vlan_default_pvid"),
  };
}

function switchIn(data: Fields, key: string): boolean | null {
  const value = numberIn(data, key);
  return value === null ? null : value !== 0;
}

function readBond(data: Fields): BondState {
  return {
    mode: textIn(data, "mode") ?? "",
    hashPolicy: textIn(data, "xmit_hash_policy"),
    lacpRate: textIn(data, "ad_lacp_rate"),
    monitorMs: numberIn(data, "miimon") ?? 0,
    arpIntervalMs: numberIn(data, "arp_interval") ?? 0,
    arpTargets: textsIn(data, "arp_ip_target").toSorted(),
    minLinks: numberIn(data, "min_links") ?? 0,
    primary: textIn(data, "primary"),
  };
}

function readPort(data: Fields): ObservedLink["port"] {
  return {
    cost: numberIn(data, "cost") ?? 0,
    priority: numberIn(data, "priority") ?? 0,
    isolated: data["isolated"] === true,
  };
}
