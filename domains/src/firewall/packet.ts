import { assertNever } from "@holdfast/core/base/never.ts";
import { contains } from "@holdfast/core/net/address-set.ts";
import type { Address } from "@holdfast/core/net/address.ts";
import type { Ports } from "@holdfast/core/net/port.ts";
import { parseService, type Service } from "@holdfast/core/net/service.ts";
import { addressesOf, peerAddresses, servicesOf } from "./concrete.ts";
import { ICMP_NAMES, PROTOCOL_NUMBERS } from "./expand.ts";
import { rolesOf } from "./interfaces.ts";
import { lockedRules } from "./locked.ts";
import type { AddressTest, ConnectionState, InterfaceTest, Match, ProtocolTest } from "./match.ts";
import type { FirewallConfig, HookName, Peer, Publish, Rule } from "./model.ts";

/**
 * What the policy means for one packet. This is the reference: expectations, explanations and the guard ask it, and the tests hold the real
 * kernel to it.
 */
export interface Packet {
  /** Roles of the interfaces; null where it has none, or where nobody knows. `lo` is the loopback. */
  readonly in: string | null;
  readonly out: string | null;
  readonly source: Address;
  readonly destination: Address;
  readonly service: PacketService;
  readonly state: ConnectionState;
  /** Its destination was translated on the way in. */
  readonly translated?: boolean;
}

export type PacketService =
  | { readonly protocol: "tcp" | "udp"; readonly from: number; readonly to: number }
  /** A message by nft's name, like echo-request; it belongs to the family of the addresses. */
  | { readonly protocol: "icmp"; readonly message: string; readonly hopLimit?: number }
  | { readonly protocol: "other"; readonly number: number };

export type PacketVerdict = "accept" | "drop" | "reject";

/** What the world adds that no policy knows. */
export interface Circumstances {
  /** Seconds since 1970. */
  readonly now: number;
  /** Whether this packet's source, or everybody together, has used up the limit of a rule. */
  readonly isOverLimit?: (rule: string) => boolean;
}

export interface Judgement {
  readonly verdict: PacketVerdict;
  /** What enforcing would have said; differs from `verdict` only while observing. */
  readonly ruling: PacketVerdict;
  /** `locked.NAME`, `publish.NAME`, the name of a rule, `NAME.limited`, `default`, or null where the hook is not ours. */
  readonly rule: string | null;
}

export function judge(config: FirewallConfig, hook: HookName, packet: Packet, circumstances: Circumstances): Judgement {
  const section = config[hook];
  if (section === undefined) return { verdict: "accept", ruling: "accept", rule: null };
  const say = (ruling: PacketVerdict, rule: string): Judgement => ({
    verdict: config.mode === "observe" ? "accept" : ruling,
    ruling,
    rule,
  });
  for (const rule of lockedRules(config, hook)) {
    if (rule.matches.some((match) => matchHolds(config, match, packet)))
      return say(rule.verdict, `locked.${rule.name}`);
  }
  const published =
    hook === "forward" ? config.nat?.publish.find((publish) => isPublished(config, publish, packet)) : undefined;
  if (published !== undefined) return say("accept", `publish.${published.name}`);
  for (const rule of section.rules) {
    if (!ruleHolds(config, hook, rule, packet, circumstances.now)) continue;
    if (rule.limit !== undefined && circumstances.isOverLimit?.(rule.name) === true)
      return say("drop", `${rule.name}.limited`);
    return say(VERDICT_OF[rule.verb], rule.name);
  }
  return say(VERDICT_OF[section.default], "default");
}

/**
 * What a packet for an address of this server becomes before the filter sees it: a published service sends it on to an inner server, and it is
 * then a forwarded packet; null when nothing is published for it. The floor's ports are never translated for its own networks.
 */
export function translate(config: FirewallConfig, packet: Packet): Packet | null {
  const { service } = packet;
  if (service.protocol !== "tcp" && service.protocol !== "udp") return null;
  const isFloor =
    service.protocol === "tcp" &&
    config.floor.inbound.some(
      (entry) => entry.tcpPorts.includes(service.to) && contains(addressesOf(entry.networks), packet.source),
    );
  if (isFloor) return null;
  for (const publish of config.nat?.publish ?? []) {
    const [outside] = servicesOf([publish.service]);
    const target = addressesOf([publish.to]);
    const [to] = packet.source.family === 4 ? target.v4 : target.v6;
    if (outside === undefined || to === undefined || !serviceHolds(outside, packet)) continue;
    const translated: Packet = {
      ...packet,
      destination: { family: packet.source.family, value: to.first },
      service: { ...service, to: publish.port ?? service.to },
      translated: true,
    };
    if (isPublished(config, publish, translated)) return translated;
  }
  return null;
}

const VERDICT_OF = { allow: "accept", drop: "drop", reject: "reject" } as const satisfies Record<
  Rule["verb"],
  PacketVerdict
>;

function ruleHolds(config: FirewallConfig, hook: HookName, rule: Rule, packet: Packet, now: number): boolean {
  if (rule.expires !== undefined && now >= rule.expires) return false;
  if (!servicesOf(rule.services).some((service) => serviceHolds(service, packet))) return false;
  const from = rule.from.some(
    (peer) =>
      (hook === "outbound" || placeHolds(config, peer, packet.in)) &&
      contains(peerAddresses(config, peer), packet.source),
  );
  return (
    from &&
    rule.to.some(
      (peer) =>
        (hook === "inbound" || placeHolds(config, peer, packet.out)) &&
        contains(peerAddresses(config, peer), packet.destination),
    )
  );
}

function placeHolds(config: FirewallConfig, peer: Peer, role: string | null): boolean {
  return peer.interfaces === undefined || (role !== null && rolesOf(config, peer.interfaces).includes(role));
}

function serviceHolds(service: Service, packet: Packet): boolean {
  const { service: carried } = packet;
  switch (service.protocol) {
    case "any":
      return true;
    case "tcp":
    case "udp":
      return carried.protocol === service.protocol && isWithin(service.ports, carried.to);
    case "icmp":
      return (
        carried.protocol === "icmp" &&
        (service.type === "any" ||
          ICMP_NAMES[service.type][packet.source.family].some((name) => name === carried.message))
      );
    case "esp":
    case "ah":
    case "gre":
    case "ospf":
    case "vrrp":
      return carried.protocol === "other" && carried.number === PROTOCOL_NUMBERS[service.protocol];
    default:
      return assertNever(service, "service");
  }
}

function isWithin(ports: Ports, port: number): boolean {
  return ports.first <= port && port <= ports.last;
}

/** A packet that reached the inner server's door because this publication sent it there. */
function isPublished(config: FirewallConfig, publish: Publish, packet: Packet): boolean {
  if (packet.translated !== true || !contains(addressesOf([publish.to]), packet.destination)) return false;
  const service = packet.service;
  const outside = parseService(publish.service);
  if (!outside.ok || !("ports" in outside.value) || service.protocol !== outside.value.protocol) return false;
  if (
    !isWithin(
      publish.port === undefined ? outside.value.ports : { first: publish.port, last: publish.port },
      service.to,
    )
  )
    return false;
  const role = packet.in;
  const isInside = publish.hairpin.some((key) => role !== null && rolesOf(config, key).includes(role));
  const isAtDoor =
    publish.at.addresses.length > 0 ||
    publish.at.interfaces.some((key) => role !== null && rolesOf(config, key).includes(role));
  const isCustomer = publish.from.some(
    (peer) =>
      (publish.at.interfaces.length > 0 || placeHolds(config, peer, role)) &&
      contains(peerAddresses(config, peer), packet.source),
  );
  return isInside || (isAtDoor && isCustomer);
}

/** Whether a native rule's question is answered with yes. Questions that only the kernel can answer (local addresses) are not asked here. */
export function matchHolds(config: FirewallConfig, match: Match, packet: Packet): boolean {
  const { family } = match;
  return (
    (family === undefined || packet.source.family === family) &&
    (match.states === undefined || match.states.includes(packet.state)) &&
    interfaceHolds(config, match.in, packet.in) &&
    interfaceHolds(config, match.out, packet.out) &&
    addressHolds(config, match.source, packet.source) &&
    addressHolds(config, match.destination, packet.destination) &&
    (match.protocol === undefined || protocolHolds(match.protocol, packet)) &&
    (match.translated !== true || packet.translated === true)
  );
}

function interfaceHolds(config: FirewallConfig, test: InterfaceTest | undefined, role: string | null): boolean {
  if (test === undefined) return true;
  if (role === null) return false;
  return test.kind === "name" ? test.name === role : rolesOf(config, test.key).includes(role);
}

function addressHolds(config: FirewallConfig, test: AddressTest | undefined, address: Address): boolean {
  if (test === undefined) return true;
  if (test.kind === "set") return contains(addressesOf(config.sets[test.key] ?? []), address);
  return contains(addressesOf(test.texts), address);
}

function protocolHolds(test: ProtocolTest, packet: Packet): boolean {
  const { service } = packet;
  switch (test.kind) {
    case "tcp":
    case "udp":
      return (
        service.protocol === test.kind &&
        (test.from.length === 0 || test.from.some((ports) => isWithin(ports, service.from))) &&
        (test.to.length === 0 || test.to.some((ports) => isWithin(ports, service.to)))
      );
    case "icmp":
      return (
        service.protocol === "icmp" &&
        packet.source.family === 4 &&
        (test.types.length === 0 || test.types.includes(service.message))
      );
    case "icmpv6":
      return (
        service.protocol === "icmp" &&
        packet.source.family === 6 &&
        (test.types.length === 0 || test.types.includes(service.message)) &&
        (test.hopLimit === undefined || service.hopLimit === test.hopLimit)
      );
    case "numbers":
      return service.protocol === "other" && test.numbers.includes(service.number);
    default:
      return assertNever(test, "protocol test");
  }
}
