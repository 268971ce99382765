import { composeServer } from "@holdfast/core/compose/compose.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { expect, test } from "vitest";
import { DOMAIN_LANGUAGES } from "../registry.ts";
import { parseFirewallConfig } from "./parse-config.ts";

const SERVER = "apiVersion: holdfast/v1\nkind: Server\nname: s\nlabels: { role: r, site: x }\naddresses: [192.0.2.1]\n";

function policy(name: string, layer: string, firewall: string): string {
  const body = firewall
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
  return `---\napiVersion: holdfast/v1\nkind: Policy\nname: ${name}\nlayer: ${layer}\nselector: { all: true }\ndefine:\n  office: [10.1.0.0/16]\nfirewall:\n${body}\n`;
}

function composed(...policies: readonly string[]) {
  const { documents, findings } = parseDocuments(SERVER + policies.join(""), { domains: DOMAIN_LANGUAGES });
  const result = composeServer({
    server: "s",
    documents: documents.map((document) => ({ document, revision: 1 })),
    domains: DOMAIN_LANGUAGES,
    controlPlane: [],
  });
  const parsed = parseFirewallConfig(result.config?.domains.firewall ?? null);
  return {
    config: parsed.ok ? parsed.config : null,
    findings: [...findings, ...result.findings],
    codes: [...findings, ...result.findings].filter((one) => one.severity !== "note").map((one) => one.code),
    provenance: result.provenance,
  };
}

const BASE = "mode: enforce\ninbound:\n  default: drop\n";

test.each([
  ["no default", "mode: enforce\ninbound: {}", ["firewall.default_missing"]],
  ["no mode", "inbound: { default: drop }", ["firewall.mode_missing"]],
  ["no from", `${BASE}  rules: [{ name: web, allow: tcp/443 }]`, ["firewall.peer_missing"]],
  ["an unknown zone", `${BASE}  rules: [{ name: web, allow: tcp/443, from: "zone:lan" }]`, ["firewall.zone_unknown"]],
  [
    "a zone where a packet stays",
    `zones: { lan: eth0 }\n${BASE}  rules: [{ name: web, allow: tcp/443, from: any, to: "zone:lan" }]`,
    ["firewall.zone_misplaced"],
  ],
  ["an interface in two zones", `zones: { lan: eth0, wan: [eth1, eth0] }\n${BASE}`, ["firewall.zone_overlap"]],
  ["two verbs", `${BASE}  rules: [{ name: web, allow: tcp/443, drop: tcp/80, from: any }]`, ["policy.value"]],
  ["no verb", `${BASE}  rules: [{ name: web, from: any }]`, ["policy.value"]],
  [
    "a name twice",
    `${BASE}  first: [{ name: web, allow: tcp/443, from: any }]\n  rules: [{ name: web, allow: tcp/80, from: any }]`,
    ["policy.value"],
  ],
  [
    "a limit on a drop",
    `${BASE}  rules: [{ name: web, drop: tcp/443, from: any, limit: { rate: 1/second, per: rule } }]`,
    ["policy.value"],
  ],
  [
    "publishing without ports",
    `${BASE}nat: { publish: [{ name: p, service: icmp/echo, at: 192.0.2.1, to: 10.0.0.1, from: any }] }`,
    ["firewall.publish_service"],
  ],
  [
    "publishing many ports as one",
    `${BASE}nat: { publish: [{ name: p, service: tcp/1-9, at: 192.0.2.1, to: 10.0.0.1, port: 80, from: any }] }`,
    ["firewall.publish_service"],
  ],
  [
    "publishing for two addresses",
    `${BASE}nat: { publish: [{ name: p, service: tcp/1, at: 192.0.2.1, to: 10.0.0.0/24, from: any }] }`,
    ["firewall.publish_target"],
  ],
  [
    "publishing across families",
    `${BASE}nat: { publish: [{ name: p, service: tcp/1, at: 192.0.2.1, to: "fd00::1", from: any }] }`,
    ["firewall.publish_target"],
  ],
  [
    "publishing for everything that passes",
    `${BASE}nat: { publish: [{ name: p, service: tcp/1, at: any, to: 10.0.0.1, from: any }] }`,
    ["firewall.publish_place"],
  ],
])("%s is refused where it stands", (_what, section, expected) => {
  const { codes, findings } = composed(policy("a", "role", section));
  expect(codes).toEqual(expected);
  for (const one of findings)
    if (one.severity === "error") expect(one.document === undefined || one.document === "Policy/a").toBe(true);
});

test("a single word stands for a list, and every reference becomes what it stands for", () => {
  const { config, codes } = composed(
    policy(
      "a",
      "role",
      `zones: { lan: eth0 }\n${BASE}  rules:\n    - { name: web, allow: [tcp/443, tcp/444], from: [office, 10.9.0.1, 10.9.0.0, { zone: lan, address: office }, "zone:lan"], to: self }\n    - { name: later, allow: any, from: any, enabled: false }`,
    ),
  );
  expect(codes).toEqual([]);
  expect(config).toMatchObject({
    sets: { office: ["10.1.0.0/16"] },
    zones: { lan: ["eth0"] },
    inbound: {
      rules: [
        {
          name: "web",
          services: ["tcp/443-444"],
          from: [
            { set: "office" },
            { set: "office", interfaces: "zone:lan" },
            { interfaces: "zone:lan" },
            { addresses: ["10.9.0.0/31"] },
          ],
          to: [{}],
        },
      ],
    },
  });
});

test("rules run: first from fleet to server, rules from server to fleet; a narrower one of the same name stands where the narrower has it", () => {
  const rules = (first: string, rest: string): string => `inbound:\n  first: [${first}]\n  rules: [${rest}]`;
  const rule = (name: string, port: number): string => `{ name: ${name}, allow: tcp/${port}, from: any }`;
  const { config, provenance } = composed(
    policy(
      "f",
      "fleet",
      `${BASE}${rules(rule("f-first", 1), `${rule("shared", 2)}, ${rule("f-rest", 3)}`).replace("inbound:\n", "")}`,
    ),
    policy("r", "role", rules(rule("r-first", 4), rule("r-rest", 5))),
    policy("s", "server", rules(rule("s-first", 6), `${rule("s-rest", 7)}, ${rule("shared", 8)}`)),
  );
  expect(config?.inbound?.rules.map((one) => `${one.name} ${one.services.join()}`)).toEqual([
    "f-first tcp/1",
    "r-first tcp/4",
    "s-first tcp/6",
    "s-rest tcp/7",
    "shared tcp/8",
    "r-rest tcp/5",
    "f-rest tcp/3",
  ]);
  expect(provenance.find((one) => one.item === "firewall.inbound.rules.shared")).toMatchObject({
    from: { document: "Policy/s" },
    beat: [{ origin: { document: "Policy/f" } }],
  });
});

test("two policies of one layer: the same is no conflict, another is, and an order is asked for only where it matters", () => {
  const rule = (name: string, verb: string, from: string): string =>
    `inbound: { rules: [{ name: ${name}, ${verb}: tcp/22, from: ${from} }] }`;
  expect(composed(policy("a", "role", BASE), policy("b", "role", BASE)).codes).toEqual([]);
  expect(composed(policy("a", "role", BASE), policy("b", "role", "mode: observe")).codes).toEqual([
    "compose.layer_conflict",
  ]);
  expect(
    composed(
      policy("base", "fleet", BASE),
      policy("a", "role", rule("x", "allow", "10.0.0.0/8")),
      policy("b", "role", rule("z", "drop", "10.1.0.0/16")),
    ).codes,
  ).toEqual(["firewall.order_unclear"]);
  expect(
    composed(
      policy("base", "fleet", BASE),
      policy("a", "role", rule("x", "allow", "10.0.0.0/8")),
      policy("b", "role", rule("z", "drop", "11.1.0.0/16")),
    ).codes,
  ).toEqual([]);
  expect(
    composed(
      policy("base", "fleet", BASE),
      policy("a", "role", rule("x", "allow", "10.0.0.0/8")),
      policy("b", "role", rule("z", "allow", "10.1.0.0/16")),
    ).codes,
  ).toEqual([]);
  // What both could take is taken before, in the same way: the order changes nothing.
  const behind = (first: string): readonly string[] =>
    composed(
      policy("base", "fleet", BASE),
      policy("a", "role", rule("x", "allow", "10.0.0.0/8")),
      policy("b", "role", `inbound: { rules: [${first}, { name: z, drop: any, from: 10.1.0.0/16 }] }`),
    ).codes;
  expect(behind("{ name: w, allow: tcp/22, from: 10.1.0.0/16 }")).toEqual([]);
  for (const narrower of [
    "{ name: w, allow: tcp/22, from: 10.1.1.0/24 }",
    "{ name: w, allow: tcp/23, from: 10.1.0.0/16 }",
    "{ name: w, allow: tcp/22, from: 10.1.0.0/16, limit: { rate: 10/minute, per: source } }",
  ])
    expect(behind(narrower), narrower).toEqual(["firewall.order_unclear"]);
});

test("what a narrower layer takes out is gone, and taking out nothing is told", () => {
  const wide = policy("f", "fleet", `${BASE}  rules: [{ name: web, allow: tcp/443, from: any }]`);
  expect(composed(wide, policy("s", "server", "inbound: { without: web }")).config?.inbound?.rules).toEqual([]);
  expect(composed(wide, policy("s", "server", "inbound: { without: wab }")).codes).toContain("compose.without_nothing");
});

test("a long literal list becomes a named set, so that a change of members changes no rule", () => {
  const many = Array.from({ length: 20 }, (_, index) => `10.0.${index * 2}.0/24`).join(", ");
  const { config } = composed(policy("a", "role", `${BASE}  rules: [{ name: web, allow: tcp/443, from: [${many}] }]`));
  expect(config?.inbound?.rules[0]?.from).toEqual([{ set: "rule:inbound.web.from" }]);
  expect(config?.sets["rule:inbound.web.from"]).toHaveLength(20);
});

test("a config from outside is checked to its last text", () => {
  const { config } = composed(
    policy("a", "role", `zones: { lan: eth0 }\n${BASE}  rules: [{ name: web, allow: tcp/443, from: office }]`),
  );
  if (config === null) throw new Error("the sample composes");
  const paths = (value: unknown): readonly string[] => {
    const parsed = parseFirewallConfig(value);
    return parsed.ok ? [] : parsed.findings.map((one) => one.path);
  };
  const rule = config.inbound?.rules[0];
  const withRule = (parts: object): unknown => ({
    ...config,
    inbound: { default: "drop", rules: [{ ...rule, ...parts }] },
  });
  expect(paths(config)).toEqual([]);
  expect(paths(null)).toEqual(["firewall"]);
  expect(paths({ ...config, extra: 1 })).toEqual(["firewall"]);
  expect(paths(withRule({ name: 'x"; drop' }))).toEqual(["firewall.inbound.rules[0].name"]);
  expect(paths(withRule({ services: ["tcp/0"] }))).toEqual(["firewall.inbound.rules[0].services"]);
  expect(paths(withRule({ from: [{ set: "nowhere" }] }))).toEqual(["firewall.inbound.rules[0].from[0]"]);
  expect(paths(withRule({ from: [{ addresses: ["10.0.0.1/8"] }] }))).toEqual(["firewall.inbound.rules[0].from[0]"]);
  expect(paths(withRule({ from: [{ interfaces: "zone:nowhere" }] }))).toEqual(["firewall.inbound.rules[0].from[0]"]);
  expect(paths({ ...config, interfaces: { eth0: { name: 'eth0" accept' } } })).toEqual(["firewall.zones.lan"]);
  expect(
    paths({
      ...config,
      floor: {
        inbound: [{ name: "ops", networks: ["10.0.0.0/8"], tcpPorts: [] }],
        controlPlane: [{ address: "x", port: 1 }],
      },
    }),
  ).toEqual(["firewall.floor.inbound[0].tcpPorts", "firewall.floor.controlPlane[0].address"]);
});
