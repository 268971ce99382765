import type { Family } from "@holdfast/core/net/address.ts";
import { ALL_PORTS, type Ports } from "@holdfast/core/net/port.ts";
import { canonicalServices, type IcmpType, type IpProtocol, type Service } from "@holdfast/core/net/service.ts";
import { servicesOf } from "./concrete.ts";
import type { AddressTest, InterfaceTest, Match, ProtocolTest } from "./match.ts";
import type { FirewallConfig, HookName, Peer, Rule } from "./model.ts";

/** IANA protocol numbers. */
export const PROTOCOL_NUMBERS = { esp: 50, ah: 51, gre: 47, ospf: 89, vrrp: 112 } as const satisfies Record<
  IpProtocol,
  number
>;

/** One meaning, two protocols: the names nft has for a message in each family; empty for every message. */
export const ICMP_NAMES = {
  any: { 4: [], 6: [] },
  echo: { 4: ["echo-request"], 6: ["echo-request"] },
  "echo-reply": { 4: ["echo-reply"], 6: ["echo-reply"] },
  unreachable: { 4: ["destination-unreachable"], 6: ["destination-unreachable"] },
  "time-exceeded": { 4: ["time-exceeded"], 6: ["time-exceeded"] },
  "parameter-problem": { 4: ["parameter-problem"], 6: ["parameter-problem"] },
} as const satisfies Record<IcmpType, Record<Family, readonly string[]>>;

/** The native rules that one rule becomes: alternatives of from, to, service and family, each a conjunction. */
export function ruleMatches(config: FirewallConfig, hook: HookName, rule: Rule): readonly Match[] {
  const expiry = rule.expires === undefined ? {} : { before: rule.expires };
  return combine(config, rule.from, rule.to, servicesOf(rule.services), (from, to) => ({
    ...(hook !== "outbound" && from !== undefined ? { in: interfacesTest(from) } : {}),
    ...(hook !== "inbound" && to !== undefined ? { out: interfacesTest(to) } : {}),
    ...expiry,
  }));
}

/** Every combination that some packet can meet, with `frame` saying what the interface parts of the two peers mean. */
export function combine(
  config: FirewallConfig,
  from: readonly Peer[],
  to: readonly Peer[],
  services: readonly Service[],
  frame: (from: string | undefined, to: string | undefined) => Match,
): readonly Match[] {
  const tests = protocolTests(services);
  const matches: Match[] = [];
  for (const source of from) {
    for (const destination of to) {
      const base = frame(source.interfaces, destination.interfaces);
      for (const test of tests) {
        for (const family of familiesOf(config, source, destination, test.family)) {
          matches.push({
            ...base,
            ...addressParts(family, source, destination),
            ...(test.protocol === undefined ? {} : { protocol: test.protocol }),
          });
        }
      }
    }
  }
  return matches;
}

export function interfacesTest(key: string): InterfaceTest {
  return { kind: "set", key };
}

interface FamilyTest {
  readonly family?: Family;
  readonly protocol?: ProtocolTest;
}

export function protocolTests(services: readonly Service[]): readonly FamilyTest[] {
  const canonical = services.length === 1 ? services : canonicalServices(services);
  if (canonical.some((service) => service.protocol === "any")) return [{}];
  const tests: FamilyTest[] = [];
  for (const kind of ["tcp", "udp"] as const) {
    const ports = canonical.flatMap((service) => (service.protocol === kind ? [service.ports] : []));
    if (ports.length > 0) tests.push({ protocol: { kind, from: [], to: isEvery(ports) ? [] : ports } });
  }
  const icmp = canonical.flatMap((service) => (service.protocol === "icmp" ? [service.type] : []));
  if (icmp.length > 0) {
    tests.push({ family: 4, protocol: { kind: "icmp", types: icmp.flatMap((type) => ICMP_NAMES[type][4]) } });
    tests.push({ family: 6, protocol: { kind: "icmpv6", types: icmp.flatMap((type) => ICMP_NAMES[type][6]) } });
  }
  const numbers = canonical.flatMap((service) =>
    service.protocol === "tcp" ||
    service.protocol === "udp" ||
    service.protocol === "icmp" ||
    service.protocol === "any"
      ? []
      : [PROTOCOL_NUMBERS[service.protocol]],
  );
  if (numbers.length > 0) tests.push({ protocol: { kind: "numbers", numbers } });
  return tests;
}

function isEvery(ports: readonly Ports[]): boolean {
  return ports.length === 1 && ports[0]?.first === ALL_PORTS.first && ports[0].last === ALL_PORTS.last;
}

function familiesOf(
  config: FirewallConfig,
  from: Peer,
  to: Peer,
  asked: Family | undefined,
): readonly (Family | undefined)[] {
  if (asked === undefined && isAnywhere(from) && isAnywhere(to)) return [undefined];
  const families: readonly Family[] = asked === undefined ? [4, 6] : [asked];
  return families.filter((family) => hasFamily(config, from, family) && hasFamily(config, to, family));
}

function isAnywhere(peer: Peer): boolean {
  return (
    peer.set === undefined &&
    (peer.addresses === undefined || (peer.addresses.includes(WHOLE[4]) && peer.addresses.includes(WHOLE[6])))
  );
}

function hasFamily(config: FirewallConfig, peer: Peer, family: Family): boolean {
  const texts = peer.set === undefined ? peer.addresses : (config.sets[peer.set] ?? []);
  return texts === undefined || texts.some((text) => familyOf(text) === family);
}

/** Canonical texts of everything. */
const WHOLE = { 4: "0.0.0.0/0", 6: "::/0" } as const satisfies Record<Family, string>;

export function familyOf(text: string): Family {
  return text.includes(":") ? 6 : 4;
}

function addressParts(family: Family | undefined, from: Peer, to: Peer): Match {
  if (family === undefined) return {};
  const [source, destination] = [addressTest(family, from), addressTest(family, to)];
  return { family, ...(source === undefined ? {} : { source }), ...(destination === undefined ? {} : { destination }) };
}

function addressTest(family: Family, peer: Peer): AddressTest | undefined {
  if (peer.set !== undefined) return { kind: "set", key: peer.set };
  return peer.addresses === undefined ? undefined : textsTest(family, peer.addresses);
}

/** Undefined where the texts hold the whole family: then there is nothing to ask. */
export function textsTest(family: Family, texts: readonly string[]): AddressTest | undefined {
  return texts.includes(WHOLE[family])
    ? undefined
    : { kind: "texts", texts: texts.filter((text) => familyOf(text) === family) };
}
