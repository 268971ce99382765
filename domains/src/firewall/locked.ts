import type { Need } from "@holdfast/core/compose/need.ts";
import type { Family } from "@holdfast/core/net/address.ts";
import { familyOf, textsTest } from "./expand.ts";
import type { AddressTest, Match } from "./match.ts";
import type { FirewallConfig, HookName } from "./model.ts";

/**
 * The rules that Holdfast adds before all others. Nobody can take them out or put a rule above them; each says why it is there. The floor
 * stands before the only drop among them, so that nothing can come between a management network and its ports.
 */
export interface LockedRule {
  /** Unique in its hook, shown as `locked.NAME`. */
  readonly name: string;
  readonly cause: string;
  readonly verdict: "accept" | "drop";
  /** Alternatives. */
  readonly matches: readonly Match[];
}

export function lockedRules(config: FirewallConfig, hook: HookName): readonly LockedRule[] {
  const known = lockedOf.get(config)?.[hook];
  if (known !== undefined) return known;
  const rules = makeLockedRules(config, hook);
  lockedOf.set(config, { ...lockedOf.get(config), [hook]: rules });
  return rules;
}

/** A config never changes, and judging asks for these with every packet. */
const lockedOf = new WeakMap<FirewallConfig, { readonly [Hook in HookName]?: readonly LockedRule[] }>();

function makeLockedRules(config: FirewallConfig, hook: HookName): readonly LockedRule[] {
  const established: LockedRule = {
    name: "established",
    cause: "packets of connections that were let through, in both directions",
    verdict: "accept",
    matches: [{ states: ["established", "related"] }],
  };
  const invalid: LockedRule = {
    name: "invalid",
    cause: "packets that belong to no connection and cannot begin one",
    verdict: "drop",
    matches: [{ states: ["invalid"] }],
  };
  if (hook === "forward") return [established, invalid];
  const loopback: LockedRule = {
    name: "loopback",
    cause: "the server speaks to itself",
    verdict: "accept",
    matches: [hook === "inbound" ? { in: { kind: "name", name: "lo" } } : { out: { kind: "name", name: "lo" } }],
  };
  const needs = config.needs.map((need, index) => neededRule(need, index, hook));
  if (hook === "inbound")
    return [
      loopback,
      established,
      ...floorRules(config),
      icmpErrors(),
      neighbours(),
      multicast(hook),
      ...needs,
      invalid,
    ];
  // Outbound has no drop of invalid packets: answers that the kernel itself sends to strange packets are of that kind.
  return [
    loopback,
    established,
    ...controlPlaneRules(config),
    ...floorAnswers(config),
    icmpErrors(),
    neighbours(),
    multicast(hook),
    ...needs,
  ];
}

const FAMILIES: readonly Family[] = [4, 6];

function floorRules(config: FirewallConfig): readonly LockedRule[] {
  return config.floor.inbound.map((entry) => ({
    name: `floor.${entry.name}`,
    cause: "the floor: these networks can always reach these ports",
    verdict: "accept",
    matches: perFamily(entry.networks, (family, source) => ({
      family,
      ...(source === undefined ? {} : { source }),
      protocol: { kind: "tcp", from: [], to: entry.tcpPorts.map((port) => ({ first: port, last: port })) },
    })),
  }));
}

/** Without these, the first `outbound` ever with a default of drop would cut open management sessions: conntrack does not know them yet. */
function floorAnswers(config: FirewallConfig): readonly LockedRule[] {
  return config.floor.inbound.map((entry) => ({
    name: `floor.${entry.name}`,
    cause: "the floor: answers to management sessions that began before the firewall",
    verdict: "accept",
    matches: perFamily(entry.networks, (family, destination) => ({
      family,
      ...(destination === undefined ? {} : { destination }),
      protocol: { kind: "tcp", from: entry.tcpPorts.map((port) => ({ first: port, last: port })), to: [] },
    })),
  }));
}

function controlPlaneRules(config: FirewallConfig): readonly LockedRule[] {
  if (config.floor.controlPlane.length === 0) return [];
  return [
    {
      name: "control-plane",
      cause: "the agent of this server dials the control plane",
      verdict: "accept",
      matches: config.floor.controlPlane.flatMap(({ address, port }) =>
        perFamily([address], (family, destination) => ({
          family,
          ...(destination === undefined ? {} : { destination }),
          protocol: { kind: "tcp", from: [], to: [{ first: port, last: port }] },
        })),
      ),
    },
  ];
}

function perFamily(
  texts: readonly string[],
  match: (family: Family, test: AddressTest | undefined) => Match,
): readonly Match[] {
  return FAMILIES.filter((family) => texts.some((text) => familyOf(text) === family)).map((family) =>
    match(family, textsTest(family, texts)),
  );
}

/** Path MTU discovery and fast failure live on these; the kernel checks the packet they quote. RFC 4890 forbids dropping them in IPv6. */
function icmpErrors(): LockedRule {
  return {
    name: "icmp-errors",
    cause: "path MTU discovery and fast failure need them",
    verdict: "accept",
    matches: [
      {
        family: 4,
        protocol: { kind: "icmp", types: ["destination-unreachable", "time-exceeded", "parameter-problem"] },
      },
      {
        family: 6,
        protocol: {
          kind: "icmpv6",
          types: ["destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem"],
        },
      },
    ],
  };
}

/** IPv6 has no ARP: without these no neighbour is found. A hop limit of 255 proves that the packet crossed no router (RFC 4861). */
function neighbours(): LockedRule {
  return {
    name: "neighbour-discovery",
    cause: "IPv6 finds its neighbours and routers by these",
    verdict: "accept",
    matches: [
      {
        family: 6,
        protocol: {
          kind: "icmpv6",
          types: ["nd-router-solicit", "nd-router-advert", "nd-neighbor-solicit", "nd-neighbor-advert"],
          hopLimit: 255,
        },
      },
    ],
  };
}

/** Switches that snoop forget a server that does not answer these, and its neighbour discovery dies with it (RFC 4890 4.4.1). */
function multicast(hook: HookName): LockedRule {
  const types = ["mld-listener-query", "mld-listener-report", "mld-listener-done", "mld2-listener-report"];
  return {
    name: "multicast-listener",
    cause: "switches deliver IPv6 multicast, neighbour discovery too, only to known listeners",
    verdict: "accept",
    // Reports may leave with the unspecified source while an address is still being checked (RFC 3590).
    matches: [
      {
        family: 6,
        ...(hook === "inbound" ? { source: { kind: "texts", texts: [LINK_LOCAL] } } : {}),
        protocol: { kind: "icmpv6", types },
      },
    ],
  };
}

const LINK_LOCAL = "fe80::/10";
/** UDP ports by IANA. */
const DHCP = { 4: { server: 67, client: 68 }, 6: { server: 547, client: 546 } } as const;
const IKE_PORTS = [500, 4500] as const;
const ESP = 50;

function neededRule(need: Need, index: number, hook: "inbound" | "outbound"): LockedRule {
  const shared = { name: `${need.kind.replace("_", "-")}.${index + 1}`, cause: need.cause, verdict: "accept" as const };
  if ("interface" in need) {
    const ports = DHCP[need.family];
    // Inbound to a client comes from a server's port to the client's port; the other three cases mirror that.
    const toClient = (need.kind === "dhcp_client") === (hook === "inbound");
    const [from, to] = toClient ? [ports.server, ports.client] : [ports.client, ports.server];
    const place = { kind: "set", key: `interface:${need.interface}` } as const;
    const protocol = { kind: "udp", from: [{ first: from, last: from }], to: [{ first: to, last: to }] } as const;
    return {
      ...shared,
      matches: [{ family: need.family, ...(hook === "inbound" ? { in: place } : { out: place }), protocol }],
    };
  }
  const protocol =
    need.kind === "ike"
      ? ({ kind: "udp", from: [], to: IKE_PORTS.map((port) => ({ first: port, last: port })) } as const)
      : ({ kind: "numbers", numbers: [ESP] } as const);
  if (need.peer === null) return { ...shared, matches: [{ protocol }] };
  return {
    ...shared,
    matches: perFamily([need.peer], (family, test) => ({
      family,
      ...(test === undefined ? {} : hook === "inbound" ? { source: test } : { destination: test }),
      protocol,
    })),
  };
}
