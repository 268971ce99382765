import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { type Address, parseAddress } from "@holdfast/core/net/address.ts";
import { parseInterfaceAddress, parseNetwork } from "@holdfast/core/net/network.ts";
import {
  addressText,
  checkedText,
  durationText,
  itemNameText,
  oneOrList,
  proseText,
} from "@holdfast/core/policy/text-schema.ts";
import { z } from "zod";
import { parseDomainName } from "./domain-name.ts";
import { parseVlanRange } from "./vlan-range.ts";

/**
 * The network section as people write it. An interface that a policy names is ours whole: it says what IPv4 and IPv6 shall be there, and what it
 * does not say is not there. An interface that no policy names is not ours.
 */

export const BOND_MODES = [
  "balance-rr",
  "active-backup",
  "balance-xor",
  "broadcast",
  "802.3ad",
  "balance-tlb",
  "balance-alb",
] as const;
/** Modes in which the kernel's bonding refuses to watch by ARP (bonding.rst, arp_interval). */
export const DEAF_TO_ARP: readonly (typeof BOND_MODES)[number][] = ["802.3ad", "balance-tlb", "balance-alb"];
/** BOND_MAX_ARP_TARGETS of the kernel. */
const MOST_ARP_TARGETS = 16;
export const HASH_POLICIES = ["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4"] as const;
/** Routes that lead nowhere, and how they say so. */
export const DEAD_ENDS = ["blackhole", "unreachable", "prohibit"] as const;
/** What may be taken from a DHCP server or a router besides the address itself. */
export const LEARNT = ["address", "gateway", "routes", "dns", "search", "ntp", "mtu"] as const;

/** How a DHCP client names itself. */
export const CLIENT_IDS = ["mac", "duid"] as const;

const interfaceAddress = checkedText(parseInterfaceAddress, {
  description: "The address of this server with the length of its network.",
  examples: ["10.20.10.1/24", "2001:db8:1::1/64"],
});
const destination = checkedText(parseDestination, {
  description: "A network, or default.",
  examples: ["10.30.0.0/16", "default"],
});
const ipv4Address = checkedText(parseIpv4Address, { description: "An IPv4 address.", examples: ["10.20.10.254"] });
const network = checkedText(parseNetwork, { description: "A network.", examples: ["10.30.0.0/16"] });
const domainName = checkedText(parseDomainName, { description: "A domain.", examples: ["example.com"] });
const mark = checkedText(parseMark, {
  description: "A mark of packets, and after / which of its bits count.",
  examples: ["0x10", "0x10/0xff"],
});
const vlanRange = checkedText(parseVlanRange, { description: "A range of VLANs.", examples: ["30-39"] });
/** The highest number of a route's metric, a rule's priority, and of a table. */
const HIGHEST = 4_294_967_295;
/** What the kernel has room for (a byte, counted from one). */
const MOST_WEIGHT = 256;
const metric = z.int().min(0).max(HIGHEST).meta({ description: "Lower is preferred." });
const table = z.int().min(1).max(HIGHEST).meta({ description: "The routing table, by number; main is 254." });
const role = itemNameText.meta({ description: "The role of an interface." });

const gateway = z.union([
  addressText,
  z.strictObject({
    via: addressText,
    metric: metric.optional(),
    onLink: z
      .boolean()
      .optional()
      .meta({ description: "The gateway is reached directly, whatever the addresses say." }),
  }),
]);
const use = z
  .array(z.enum(LEARNT))
  .optional()
  .meta({
    description: "What is taken over from what is learnt. Default: address, gateway, routes, dns and search.",
    examples: [["address", "gateway"]],
  });
const learntMetric = metric.optional().meta({ description: "Metric of the routes that are learnt." });
const addresses = oneOrList(interfaceAddress).optional().meta({ description: "Addresses that are set by hand." });
const gateways = oneOrList(gateway)
  .optional()
  .meta({ description: "Where packets go for which nothing else is known." });

const ipv4 = z
  .strictObject({
    method: z.enum(["static", "dhcp", "none"]),
    addresses,
    gateways,
    use,
    metric: learntMetric,
    clientId: z.enum(CLIENT_IDS).optional().meta({
      description:
        "What the DHCP server knows this server by: its hardware's address, or the number of this installation. Default: duid.",
    }),
    tellHostname: z
      .boolean()
      .optional()
      .meta({ description: "Whether the DHCP server is told the hostname of this server. Default: true." }),
  })
  .refine(
    ({ method, clientId, tellHostname }) => method === "dhcp" || (clientId === undefined && tellHostname === undefined),
    "clientId and tellHostname are for method: dhcp.",
  )
  .meta({
    description: "IPv4 on this interface: all of it.",
    examples: [{ method: "static", addresses: "10.20.10.1/24" }],
  });
const ipv6 = z
  .strictObject({
    method: z.enum(["static", "ra", "dhcp", "none"]).meta({
      description: "ra: what routers announce; dhcp: that and DHCPv6; none: not even a link-local address.",
    }),
    addresses,
    gateways,
    use,
    metric: learntMetric,
  })
  .meta({ description: "IPv6 on this interface: all of it.", examples: [{ method: "ra" }] });

const way = z.strictObject({
  via: addressText.meta({ description: "The next hop." }),
  by: role.optional().meta({ description: "The interface that it is reached by. Absent: this one." }),
  weight: z
    .int()
    .min(1)
    .max(MOST_WEIGHT)
    .optional()
    .meta({ description: "How large its part is beside those of the other ways. Default: 1." }),
});

const route = z
  .strictObject({
    to: destination,
    via: addressText.optional().meta({ description: "The next hop. Absent: the destination is on this link." }),
    ways: z
      .array(way)
      .min(2)
      .max(16)
      .optional()
      .meta({ description: "Several next hops: connections are shared out over them." }),
    is: z.enum(DEAD_ENDS).optional().meta({ description: "A dead end: packets to it are dropped or refused." }),
    metric: metric.optional(),
    table: table.optional(),
    onLink: z.boolean().optional(),
    source: addressText.optional().meta({ description: "The own address that packets of this route get." }),
    why: proseText("For people: a ticket or a reason.").optional(),
  })
  .refine(
    (value) => value.is === undefined || (value.via === undefined && value.ways === undefined),
    "A dead end has no next hop.",
  )
  .refine(
    (value) => value.ways === undefined || (value.via === undefined && value.onLink === undefined),
    "A route has one next hop (via) or several (ways); those are in networks of their interfaces.",
  );

const rule = z
  .strictObject({
    priority: z.int().min(1).max(32_765).meta({ description: "Rules are asked in this order; main is 32766." }),
    from: network.optional(),
    to: network.optional(),
    mark: mark.optional(),
    in: role.optional().meta({ description: "Only packets that come in by this interface." }),
    table: table.meta({ description: "The table that is asked." }),
    why: proseText("For people: a ticket or a reason.").optional(),
  })
  .refine(
    (value) => [value.from, value.to, value.mark, value.in].some((part) => part !== undefined),
    "A rule says for which packets it is: from, to, mark or in.",
  );

const vlanNumber = z.int().min(1).max(4094);
const vlans = z.strictObject({
  tagged: z
    .array(z.union([vlanNumber, vlanRange]))
    .optional()
    .meta({ description: "VLANs whose packets come and leave with their tag." }),
  untagged: vlanNumber
    .optional()
    .meta({ description: "The VLAN of packets without a tag; its own leave without one." }),
});

const bridge = z
  .strictObject({
    members: z.array(role).meta({ description: "Interfaces that are its ports." }),
    stp: z.boolean().meta({ description: "Whether it speaks the spanning tree protocol, which keeps loops out." }),
    // networkd (252) passes over 0, at each boot anew.
    priority: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .meta({ description: "The bridge with the lowest becomes the root of the tree." }),
    forwardDelay: durationText.optional(),
    helloTime: durationText.optional(),
    maxAge: durationText.optional(),
    ageing: durationText.optional().meta({ description: "How long an address of a neighbour is remembered." }),
    multicastSnooping: z.boolean().optional(),
    vlans: vlans.optional().meta({
      description:
        "The bridge tells VLANs apart: each member says of which it is (port.vlans), and here is of which the server itself is. Absent: it does not.",
      examples: [{ untagged: 10, tagged: [20, "30-39"] }],
    }),
  })
  .meta({ description: "This interface is a bridge, made by Holdfast." });
const bond = z
  .strictObject({
    mode: z.enum(BOND_MODES),
    members: z.array(role).min(1),
    primary: role.optional(),
    hashPolicy: z.enum(HASH_POLICIES).optional(),
    lacpRate: z.enum(["slow", "fast"]).optional(),
    monitor: z
      .int()
      .min(1)
      .max(60_000)
      .optional()
      .meta({ description: "Milliseconds between two looks at the cable." }),
    arp: z
      .strictObject({
        interval: z.int().min(1).max(60_000).meta({ description: "Milliseconds between two questions." }),
        targets: oneOrList(ipv4Address)
          .refine((targets) => targets.length <= MOST_ARP_TARGETS, `The kernel asks ${MOST_ARP_TARGETS} at most.`)
          .meta({ description: "IPv4 addresses that answer as long as the way to them is whole." }),
      })
      .optional()
      .meta({
        description:
          "Members are looked after by asking these addresses (ARP), where a cable says nothing. Not beside monitor.",
        examples: [{ interval: 1000, targets: ["10.20.10.254"] }],
      }),
    minLinks: z.int().min(1).max(64).optional(),
  })
  .refine(
    ({ monitor, arp }) => monitor === undefined || arp === undefined,
    "A bond looks at the cable (monitor) or asks addresses (arp), not both.",
  )
  .refine(
    ({ mode, arp }) => arp === undefined || !DEAF_TO_ARP.includes(mode),
    `A bond of mode ${DEAF_TO_ARP.join(", ")} cannot ask addresses: look at the cable (monitor).`,
  )
  .meta({ description: "This interface is a bond, made by Holdfast." });
const vlan = z
  .strictObject({ id: z.int().min(1).max(4094), parent: role })
  .meta({ description: "This interface is a VLAN, made by Holdfast." });

const hostNumber = z.int().min(1).max(16_777_214);
const dhcpServer = z
  .strictObject({
    pool: z
      .strictObject({ first: hostNumber, last: hostNumber })
      .meta({ description: "Host numbers inside the subnet." }),
    lease: durationText,
    dns: oneOrList(addressText).optional().meta({ description: "Servers that clients are told to ask." }),
    gateway: z
      .boolean()
      .optional()
      .meta({ description: "Whether clients are told to use this server as gateway. Default: true." }),
  })
  .meta({ description: "Give out addresses of the first IPv4 network of this interface." });

export const interfaceSection = z.strictObject({
  description: proseText("For people.").optional(),
  enable: z.boolean().optional().meta({ description: "false keeps the interface down. Default: true." }),
  mtu: z.int().min(68).max(65_535).optional().meta({ description: "Bytes of the largest packet." }),
  vlan: vlan.optional(),
  bridge: bridge.optional(),
  bond: bond.optional(),
  port: z
    .strictObject({
      cost: z.int().min(1).max(65_535).optional(),
      priority: z.int().min(0).max(63).optional(),
      isolated: z.boolean().optional().meta({ description: "Cannot talk to other isolated ports." }),
      vlans: vlans.optional().meta({ description: "Of which VLANs it is, in a bridge that tells them apart." }),
    })
    .optional()
    .meta({ description: "How it stands in the bridge that has it as a member." }),
  ipv4: ipv4.optional(),
  ipv6: ipv6.optional(),
  routes: z.array(route).optional().meta({ description: "Routes that hold while this interface is up." }),
  rules: z.array(rule).optional().meta({ description: "Which packets ask another routing table." }),
  dns: oneOrList(addressText).optional().meta({ description: "Name servers that are asked by this interface." }),
  search: oneOrList(domainName).optional().meta({ description: "Domains that are tried behind a short name." }),
  dhcpServer: dhcpServer.optional(),
});

export const networkSectionSchema = z
  .strictObject({
    forwarding: z
      .strictObject({ ipv4: z.boolean().optional(), ipv6: z.boolean().optional() })
      .optional()
      .meta({ description: "Whether this server passes packets of others on. Absent: not ours." }),
    interfaces: z
      .record(itemNameText, interfaceSection)
      .optional()
      .meta({ description: "By role; a Server binds roles to hardware. Interfaces that are not here are not ours." }),
    dns: oneOrList(addressText)
      .optional()
      .meta({ description: "Name servers for every interface that leads out and names none of its own." }),
    search: oneOrList(domainName).optional().meta({ description: "Search domains, the same way." }),
  })
  .meta({ description: "Interfaces, addresses, routes. Rendered for systemd-networkd." });

export type NetworkSection = z.output<typeof networkSectionSchema>;
export type InterfaceSection = z.output<typeof interfaceSection>;

/** `default`, or a network. */
export function parseDestination(text: string): Result<string, string> {
  if (text === "default") return ok(text);
  const network = parseNetwork(text);
  return network.ok ? ok(text) : network;
}

function parseIpv4Address(text: string): Result<Address, string> {
  const address = parseAddress(text);
  if (!address.ok || address.value.family === 4) return address;
  return err(`${JSON.stringify(text)} is not an IPv4 address; ARP knows no other`);
}

/** `0x10` or `0x10/0xff`: the value, and which bits of it are looked at. */
export function parseMark(text: string): Result<{ readonly value: number; readonly mask: number }, string> {
  const found = /^(0x[0-9a-f]{1,8}|[1-9][0-9]{0,9})(?:\/(0x[0-9a-f]{1,8}|[1-9][0-9]{0,9}))?$/.exec(text);
  const value = Number(found?.[1] ?? NaN);
  const mask = found?.[2] === undefined ? HIGHEST : Number(found[2]);
  if (found === null || value < 1 || value > HIGHEST || mask > HIGHEST)
    return err(`${JSON.stringify(text)} is not a mark; write it like 0x10 or 0x10/0xff`);
  if ((value & mask) >>> 0 !== value)
    return err(`${JSON.stringify(text)} has bits outside of its mask, so no packet would have it`);
  return ok({ value, mask });
}
