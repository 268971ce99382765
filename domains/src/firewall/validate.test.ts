import { parseAddress } from "@holdfast/core/net/address.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { firewallConfig } from "../../test/firewall-arbitrary.ts";
import { sampleConfig, sampleRule } from "../../test/firewall-sample.ts";
import { HOOKS, type Rule } from "./model.ts";
import { judge, type Packet } from "./packet.ts";
import { findCovered } from "./shadow.ts";
import { expiredRules, validateFirewall } from "./validate.ts";

function codes(rules: readonly Rule[], hook: "inbound" | "forward" | "outbound" = "inbound"): readonly string[] {
  const config = sampleConfig({
    zones: { inside: ["lan"], both: ["lan2", "dmz"] },
    sets: { office: ["10.0.0.0/8", "fd00::/8"], nobody: [] },
    [hook]: { default: "drop", rules: [...rules] },
  });
  return validateFirewall(config).map((one) => `${one.code} ${one.path.split(".").at(-1) ?? ""}`);
}

const ssh = sampleRule("ssh", { services: ["tcp/22"] });

test.each<[string, readonly Rule[], readonly string[]]>([
  [
    "a rule under one that takes all of its packets",
    [
      sampleRule("office", { services: ["tcp/22"], from: [{ set: "office" }], verb: "drop" }),
      sampleRule("pc", { services: ["tcp/22"], from: [{ addresses: ["10.1.2.3", "fd00::1"] }] }),
    ],
    ["firewall.rule_shadowed pc"],
  ],
  [
    "a rule that says it again",
    [ssh, sampleRule("again", { services: ["tcp/22"] })],
    ["firewall.rule_redundant again"],
  ],
  ["part of the packets is not all of them", [ssh, sampleRule("more", { services: ["tcp/22-23"] })], []],
  [
    "a rule that ends takes nothing for good",
    [{ ...ssh, expires: 4_000_000_000 }, sampleRule("again", { services: ["tcp/22"] })],
    [],
  ],
  [
    "a zone within a zone's interfaces",
    [
      sampleRule("zone", { services: ["tcp/22"], from: [{ interfaces: "zone:both" }] }),
      sampleRule("one", { services: ["tcp/22"], from: [{ interfaces: "interface:dmz" }] }),
    ],
    ["firewall.rule_redundant one"],
  ],
  [
    "another zone",
    [
      sampleRule("zone", { services: ["tcp/22"], from: [{ interfaces: "zone:both" }] }),
      sampleRule("one", { services: ["tcp/22"], from: [{ interfaces: "zone:inside" }] }),
    ],
    [],
  ],
  [
    "a group without members",
    [sampleRule("empty", { services: ["tcp/22"], from: [{ set: "nobody" }] })],
    ["firewall.rule_empty empty"],
  ],
  [
    "two families",
    [
      sampleRule("mixed", {
        services: ["tcp/22"],
        from: [{ addresses: ["10.0.0.1"] }],
        to: [{ addresses: ["fd00::1"] }],
      }),
    ],
    ["firewall.rule_unreachable_family mixed"],
  ],
  [
    "IPv4 only",
    [sampleRule("four", { services: ["tcp/22"], from: [{ addresses: ["10.0.0.1"] }] })],
    ["firewall.ipv6_silent four"],
  ],
  ["everything from everybody", [sampleRule("whole", {})], ["firewall.allows_everything whole"]],
  [
    "many ports, one run",
    [sampleRule("run", { services: ["tcp/1-1000"] }), sampleRule("one", { services: ["tcp/80"] })],
    ["firewall.rule_redundant one"],
  ],
])("%s", (_what, rules, expected) => {
  expect(codes(rules)).toEqual(expected);
});

test("closing outbound without names and time is told", () => {
  expect(codes([sampleRule("web", { services: ["tcp/443"] })], "outbound")).toEqual([
    "firewall.egress_names_time default",
  ]);
  expect(codes([sampleRule("basics", { services: ["udp/53", "udp/123"] })], "outbound")).toEqual([]);
});

test("a thousand rules alike give a short list", () => {
  const rules = Array.from({ length: 1000 }, (_, index) =>
    sampleRule(`r-${index}`, { services: ["tcp/22"], from: [{ addresses: ["10.0.0.1"] }] }),
  );
  expect(validateFirewall(sampleConfig({ inbound: { default: "drop", rules } })).length).toBeLessThan(30);
});

test("a rule that is told to be covered never decides a packet", () => {
  const address = (text: string) => {
    const parsed = parseAddress(text);
    if (!parsed.ok) throw new Error(parsed.error);
    return parsed.value;
  };
  const packet: fc.Arbitrary<Packet> = fc
    .record({
      in: fc.constantFrom("lan", "wan", "dmz", null),
      out: fc.constantFrom("lan", "wan", "dmz", null),
      pair: fc.constantFrom(
        ["10.66.0.1", "10.66.0.5"],
        ["10.66.0.3", "192.0.2.1"],
        ["fd66::1", "fd66::9"],
        ["2001:db8::1", "fd66::2"],
      ),
      service: fc.constantFrom<Packet["service"]>(
        { protocol: "tcp", from: 40_000, to: 22 },
        { protocol: "tcp", from: 40_000, to: 85 },
        { protocol: "udp", from: 40_000, to: 53 },
        { protocol: "icmp", message: "echo-request" },
        { protocol: "other", number: 50 },
      ),
    })
    .map(({ pair: [source = "", destination = ""], ...rest }) => ({
      ...rest,
      source: address(source),
      destination: address(destination),
      state: "new",
    }));
  fc.assert(
    fc.property(
      firewallConfig({ limits: true, nat: false }),
      fc.array(packet, { minLength: 20, maxLength: 20 }),
      (config, packets) => {
        for (const hook of HOOKS) {
          const covered = findCovered(config, config[hook]?.rules ?? []).covers.map(({ rule }) => rule.name);
          for (const one of packets)
            expect(covered).not.toContain(judge(config, hook, one, { now: 1_800_000_000 }).rule);
        }
      },
    ),
    { numRuns: 100 },
  );
});

test("a rule that has ended is told from its moment on", () => {
  const config = sampleConfig({ inbound: { default: "drop", rules: [{ ...ssh, expires: 1000 }] } });
  expect(expiredRules(config, 999)).toEqual([]);
  expect(expiredRules(config, 1000)).toMatchObject([
    { code: "firewall.rule_expired", path: "firewall.inbound.rules.ssh" },
  ]);
});
