import { assertNever } from "@holdfast/core/base/never.ts";
import type {
  Endpoint,
  ExpectChecker,
  Judgement as ExpectJudgement,
  Packets,
} from "@holdfast/core/compose/domain-language.ts";
import { type AddressSet, ANY, contains, intersect, rangesOf } from "@holdfast/core/net/address-set.ts";
import type { Address } from "@holdfast/core/net/address.ts";
import type { Service } from "@holdfast/core/net/service.ts";
import { servicesOverlap } from "@holdfast/core/net/service.ts";
import { addressesOf, peerAddresses, servicesOf } from "./concrete.ts";
import { PROTOCOL_NUMBERS } from "./expand.ts";
import { type FirewallConfig, HOOKS, type HookName, type Rule } from "./model.ts";
import { judge, type Judgement, type Packet, type PacketService, translate } from "./packet.ts";

/**
 * Judges a whole class of new connections by one packet of each kind that the rules can tell apart: between two neighbouring boundaries of
 * addresses and ports, every packet meets the same fate, so one stands for all. Rules with an end are taken as if they held: what is expected
 * of them is expected while they hold.
 */
export const checkExpectation: ExpectChecker<FirewallConfig> = (config, packets) => {
  const hook = hookOf(packets);
  if (hook === null || (config[hook] === undefined && !(hook === "inbound" && config.nat !== undefined)))
    return UNJUDGED;
  const samples = samplesOf(config, hook, packets);
  if (samples === null) return UNJUDGED;
  return conclude(samples.map((routes) => routes.map((packet) => fate(config, hook, packet))));
};

const UNJUDGED: ExpectJudgement = { verdict: "unjudged", because: "" };

function hookOf({ from, to }: Packets): HookName | null {
  if (to.kind === "self") return from.kind === "self" ? null : "inbound";
  return from.kind === "self" ? "outbound" : "forward";
}

function fate(config: FirewallConfig, hook: HookName, packet: Packet): Judgement {
  const translated = hook === "inbound" ? translate(config, packet) : null;
  return translated === null
    ? judge(config, hook, packet, { now: 0 })
    : judge(config, "forward", translated, { now: 0 });
}

/**
 * Each item is one class of packets with the fates it would meet by each way out: routing chooses the way, and one that is open is enough to be
 * open. What the floor lets in is left aside where anything else is asked about: it is open whatever the policy says.
 */
function conclude(classes: readonly (readonly Judgement[])[]): ExpectJudgement {
  const own = classes.filter((fates) => !fates.every((one) => one.rule?.startsWith("locked.floor.") === true));
  const asked = own.length > 0 ? own : classes;
  const isOpen = (fates: readonly Judgement[]): boolean => fates.some((one) => one.ruling === "accept");
  const [open, closed] = [asked.filter(isOpen), asked.filter((fates) => !isOpen(fates))];
  const words = (list: readonly (readonly Judgement[])[], wanted: boolean): string => {
    const names = list
      .flatMap((fates) => fates.filter((one) => (one.ruling === "accept") === wanted))
      .map((one) => (one.rule === "default" ? `the default (${one.ruling})` : (one.rule ?? "nothing of ours")));
    return [...new Set(names)].slice(0, MOST_NAMED).join(", ");
  };
  if (closed.length === 0) return { verdict: "open", because: words(open, true) };
  if (open.length === 0) return { verdict: "closed", because: words(closed, false) };
  return { verdict: "partly", because: `open by ${words(open, true)}; closed by ${words(closed, false)}` };
}

/** Rules named in a reason. */
const MOST_NAMED = 3;
/** Packets times rules that are judged for one expectation: about a second. Beyond it the answer is "unjudged", not a guess. */
const MOST_WORK = 3_000_000;

function samplesOf(
  config: FirewallConfig,
  hook: HookName,
  { from, to, service }: Packets,
): readonly (readonly Packet[])[] | null {
  const rules = (config[hook]?.rules ?? []).filter((rule) =>
    servicesOf(rule.services).some((one) => servicesOverlap(one, service)),
  );
  const sources = addressSamples(setOf(from), [
    ...rules.flatMap((rule) => rule.from.map((peer) => peerAddresses(config, peer))),
    ...publicSets(config, "from"),
    ...floorSets(config),
  ]);
  const destinations = addressSamples(setOf(to), [
    ...rules.flatMap((rule) => rule.to.map((peer) => peerAddresses(config, peer))),
    ...publicSets(config, "to"),
  ]);
  const [ins, outs] = [rolesFor(config, from, hook !== "outbound"), rolesFor(config, to, hook !== "inbound")];
  const services = serviceSamples(service, rules, config);
  const pairs = sources.flatMap((source) =>
    destinations
      .filter((destination) => destination.family === source.family)
      .map((destination) => ({ source, destination })),
  );
  if (
    pairs.length * services.length * ins.length * outs.length * Math.max(1, config[hook]?.rules.length ?? 0) >
    MOST_WORK
  )
    return null;
  return pairs.flatMap(({ source, destination }) =>
    services.flatMap((carried) =>
      ins.map((role) =>
        outs.map((way): Packet => ({ in: role, out: way, source, destination, service: carried, state: "new" })),
      ),
    ),
  );
}

function setOf(endpoint: Endpoint): AddressSet {
  switch (endpoint.kind) {
    case "any":
    case "zone":
      return ANY;
    case "self":
      return endpoint.only ?? ANY;
    case "addresses":
      return endpoint.addresses;
    default:
      return assertNever(endpoint, "endpoint");
  }
}

/** The interfaces a packet may come or go by: those of its zone, or any one, and one that is in no zone. */
function rolesFor(config: FirewallConfig, endpoint: Endpoint, hasInterface: boolean): readonly (string | null)[] {
  if (!hasInterface) return [null];
  if (endpoint.kind === "zone") return config.zones[endpoint.name] ?? [];
  const named = HOOKS.flatMap((hook) =>
    (config[hook]?.rules ?? []).flatMap((rule) => [...rule.from, ...rule.to]),
  ).flatMap((peer) =>
    peer.interfaces?.startsWith("interface:") === true ? [peer.interfaces.slice("interface:".length)] : [],
  );
  return [...new Set<string | null>([null, ...Object.values(config.zones).map((roles) => roles[0] ?? null), ...named])];
}

function publicSets(config: FirewallConfig, key: "from" | "to"): readonly AddressSet[] {
  return (config.nat?.publish ?? []).flatMap((publish) =>
    key === "to"
      ? [addressesOf(publish.at.addresses), addressesOf([publish.to])]
      : publish.from.map((peer) => peerAddresses(config, peer)),
  );
}

function floorSets(config: FirewallConfig): readonly AddressSet[] {
  return config.floor.inbound.map((entry) => addressesOf(entry.networks));
}

/** The first address of every stretch of `within` that no boundary of the sets divides. */
function addressSamples(within: AddressSet, sets: readonly AddressSet[]): readonly Address[] {
  return ([4, 6] as const).flatMap((family) => {
    const starts = new Set<bigint>();
    for (const range of rangesOf(within, family)) starts.add(range.first);
    for (const set of new Set(sets)) {
      for (const range of rangesOf(intersect(set, within), family)) {
        starts.add(range.first);
        starts.add(range.last + 1n);
      }
    }
    return [...starts].map((value) => ({ family, value })).filter((address) => contains(within, address));
  });
}

/** A port that clients send from; no rule of a policy looks at it. */
const CLIENT_PORT = 40_000;

function serviceSamples(service: Service, rules: readonly Rule[], config: FirewallConfig): readonly PacketService[] {
  switch (service.protocol) {
    case "tcp":
    case "udp": {
      const { first, last } = service.ports;
      const written = [
        ...rules.flatMap((rule) => servicesOf(rule.services)),
        ...(config.nat?.publish ?? []).flatMap((publish) => servicesOf([publish.service])),
      ];
      const starts = written.flatMap((one) =>
        one.protocol === service.protocol ? [one.ports.first, one.ports.last + 1] : [],
      );
      const floor = config.floor.inbound.flatMap((entry) => entry.tcpPorts.flatMap((port) => [port, port + 1]));
      const ports = [...new Set([first, ...starts, ...floor])].filter((port) => first <= port && port <= last);
      return ports.map((port) => ({ protocol: service.protocol, from: CLIENT_PORT, to: port }));
    }
    case "icmp":
      return (service.type === "any" || service.type === "echo" ? ["echo-request"] : [ICMP_SAMPLES[service.type]]).map(
        (message) => ({ protocol: "icmp", message }),
      );
    case "any":
      return (["tcp", "udp"] as const)
        .flatMap((protocol) => serviceSamples({ protocol, ports: { first: 1, last: 65_535 } }, rules, config))
        .concat([
          { protocol: "icmp", message: "echo-request" },
          ...Object.values(PROTOCOL_NUMBERS).map((number): PacketService => ({ protocol: "other", number })),
        ]);
    case "esp":
    case "ah":
    case "gre":
    case "ospf":
    case "vrrp":
      return [{ protocol: "other", number: PROTOCOL_NUMBERS[service.protocol] }];
    default:
      return assertNever(service, "service");
  }
}

const ICMP_SAMPLES = {
  "echo-reply": "echo-reply",
  unreachable: "destination-unreachable",
  "time-exceeded": "time-exceeded",
  "parameter-problem": "parameter-problem",
} as const;
