import { addressSetFromText, addressSetToJson, union } from "@holdfast/core/net/address-set.ts";
import { canonicalServices, formatService, parseService } from "@holdfast/core/net/service.ts";
import fc from "fast-check";
import type { FirewallConfig, Hook, Peer, Rule } from "../src/firewall/model.ts";

/**
 * Firewall configs over a small world, so that rules overlap, shadow and contradict each other, and every construct of the renderer comes up.
 */
const NETWORKS = [
  "10.66.0.1",
  "10.66.0.2",
  "10.66.0.3",
  "10.66.0.0/30",
  "10.66.0.2-10.66.0.9",
  "10.0.0.0/8",
  "0.0.0.0/0",
  "fd66::1",
  "fd66::2",
  "fd66::/64",
  "fd66::2-fd66::9",
  "::/0",
] as const;

const SERVICES = [
  "any",
  "tcp/22",
  "tcp/80",
  "tcp/81",
  "tcp/80-90",
  "tcp/any",
  "udp/53",
  "udp/50-60",
  "udp/any",
  "icmp/echo",
  "icmp/any",
  "icmp/unreachable",
  "esp",
  "gre",
  "vrrp",
] as const;

const NAMES = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta-1", "theta-2", "iota", "kappa"] as const;

function canonicalTexts(texts: readonly string[]): string[] {
  const sets = texts.map((text) => {
    const set = addressSetFromText(text);
    if (!set.ok) throw new Error(set.error);
    return set.value;
  });
  return [...addressSetToJson(union(...sets))];
}

const addresses = fc.subarray([...NETWORKS], { minLength: 1, maxLength: 4 }).map(canonicalTexts);

const services = fc.subarray([...SERVICES], { minLength: 1, maxLength: 4 }).map((texts) =>
  canonicalServices(
    texts.map((text) => {
      const service = parseService(text);
      if (!service.ok) throw new Error(service.error);
      return service.value;
    }),
  ).map(formatService),
);

const rate = fc.record({
  count: fc.integer({ min: 1, max: 1000 }),
  per: fc.constantFrom("second" as const, "minute" as const, "hour" as const, "day" as const),
});

function peer(places: readonly string[]): fc.Arbitrary<Peer> {
  const [first = "", ...others] = places;
  const place = fc.constantFrom(first, ...others);
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 3, arbitrary: addresses.map((texts) => ({ addresses: texts })) },
    { weight: 2, arbitrary: fc.constantFrom("office", "role:db", "nobody").map((set) => ({ set })) },
    ...(places.length === 0
      ? []
      : [
          { weight: 2, arbitrary: place.map((interfaces) => ({ interfaces })) },
          { weight: 1, arbitrary: fc.record({ interfaces: place, addresses }) },
        ]),
  );
}

const PLACES = ["zone:inside", "zone:outside", "interface:dmz"] as const;

export interface Features {
  /** Limits and logs, which decide by the past of a rule. */
  readonly limits: boolean;
  readonly nat: boolean;
}

function rule(from: readonly string[], to: readonly string[], features: Features): fc.Arbitrary<Omit<Rule, "name">> {
  const peers = (places: readonly string[]) => fc.array(peer(places), { minLength: 1, maxLength: 2 });
  const base = {
    services,
    from: peers(from),
    to: peers(to),
    verb: fc.constantFrom("allow" as const, "drop" as const, "reject" as const),
  };
  // 2001 has ended for good, 2096 has not begun to.
  const optional = { expires: fc.constantFrom(978_307_200, 4_000_000_000), ...(features.limits ? { log: rate } : {}) };
  return fc
    .tuple(
      fc.record({ ...base, ...optional }, { requiredKeys: ["services", "from", "to", "verb"] }),
      fc.option(
        fc.record({
          rate,
          per: fc.constantFrom("source" as const, "rule" as const),
          burst: fc.integer({ min: 1, max: 100 }),
        }),
        { nil: undefined },
      ),
    )
    .map(([one, limit]) => (features.limits && limit !== undefined && one.verb === "allow" ? { ...one, limit } : one));
}

function hook(from: readonly string[], to: readonly string[], features: Features): fc.Arbitrary<Hook> {
  return fc
    .tuple(
      fc.constantFrom("allow" as const, "drop" as const, "reject" as const),
      fc.shuffledSubarray([...NAMES]),
      fc.array(rule(from, to, features), { minLength: NAMES.length, maxLength: NAMES.length }),
      fc.option(rate, { nil: undefined }),
    )
    .map(([verdict, names, bodies, log]) => ({
      default: verdict,
      ...(log === undefined ? {} : { log }),
      rules: names.flatMap((name, index): Rule[] => {
        const body = bodies[index];
        return body === undefined ? [] : [{ name, ...body }];
      }),
    }));
}

function nat(): fc.Arbitrary<NonNullable<FirewallConfig["nat"]>> {
  const peers = fc.array(peer(PLACES), { minLength: 1, maxLength: 2 });
  const masquerade = fc.record(
    { from: peers, to: peers, as: fc.constantFrom("192.0.2.7", "fd66::77") },
    { requiredKeys: ["from", "to"] },
  );
  const publish = fc
    .record({
      six: fc.boolean(),
      service: fc.constantFrom("tcp/443", "udp/53", "tcp/8000-8010"),
      zones: fc.subarray(["zone:outside", "zone:inside"]),
      literal: fc.boolean(),
      from: peers,
      hairpin: fc.subarray(["zone:inside"]),
      port: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
      log: fc.option(rate, { nil: undefined }),
    })
    .map(({ six, service, zones, literal, from, hairpin, port, log }) => ({
      service,
      at: { interfaces: zones, addresses: literal || zones.length === 0 ? [six ? "fd66::99" : "192.0.2.99"] : [] },
      to: six ? "fd66:1::5" : "10.77.0.5",
      from,
      hairpin,
      ...(port === undefined || service.includes("-") ? {} : { port }),
      ...(log === undefined ? {} : { log }),
    }));
  return fc.record({
    masquerade: fc
      .array(masquerade, { maxLength: 3 })
      .map((items) => items.map((item, index) => ({ name: NAMES[index] ?? "x", ...item }))),
    publish: fc
      .array(publish, { maxLength: 3 })
      .map((items) => items.map((item, index) => ({ name: NAMES[index] ?? "x", ...item }))),
  });
}

export function firewallConfig(features: Features): fc.Arbitrary<FirewallConfig> {
  const need = fc.constantFrom<FirewallConfig["needs"][number]>(
    { kind: "dhcp_client", interface: "wan", family: 4, cause: "wan gets its address by DHCP" },
    { kind: "dhcp_client", interface: "wan", family: 6, cause: "wan gets its address by DHCP" },
    { kind: "dhcp_server", interface: "lan", family: 4, cause: "addresses for the inside" },
    { kind: "ike", peer: "192.0.2.44", cause: "a tunnel" },
    { kind: "esp", peer: null, cause: "a tunnel" },
  );
  return fc
    .record(
      {
        mode: fc.constantFrom("enforce" as const, "observe" as const),
        office: addresses,
        db: addresses,
        inbound: hook(PLACES, [], features),
        forward: fc
          .tuple(hook(PLACES, PLACES, features), fc.constantFrom(undefined, "path" as const, 1360))
          .map(([section, mssClamp]): Hook => (mssClamp === undefined ? section : { ...section, mssClamp })),
        outbound: hook([], PLACES, features),
        ...(features.nat ? { nat: nat() } : {}),
        needs: fc.subarray([need, need]).chain((list) => fc.tuple(...list)),
        floor: fc.boolean(),
      },
      { requiredKeys: ["mode", "office", "db", "needs", "floor"] },
    )
    .map(({ office, db, floor, needs, ...sections }) => ({
      ...sections,
      needs: [...needs],
      sets: { office, "role:db": db, nobody: [] },
      zones: { inside: ["lan"], outside: ["wan"] },
      interfaces: { wan: { mac: "52:54:00:66:00:01" }, lan: { name: "lan" } },
      floor: {
        inbound: floor ? [{ name: "ops", networks: ["10.66.0.3", "fd66::3"], tcpPorts: [22, 2222] }] : [],
        controlPlane: floor ? [{ address: "192.0.2.200", port: 7081 }] : [],
      },
    }));
}
