import { composeServer } from "@holdfast/core/compose/compose.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { expect, test } from "vitest";
import { DOMAIN_LANGUAGES } from "../registry.ts";
import type { NetworkConfig } from "./model.ts";
import { parseNetworkConfig } from "./parse-config.ts";

const SERVER = `apiVersion: holdfast/v1
kind: Server
name: s
labels: { role: r, site: x }
addresses: ["2001:DB8::1", 192.0.2.1]
interfaces: { wan: { mac: "52:54:00:aa:10:01" } }
`;

function policy(name: string, layer: string, network: string): string {
  const body = network
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
  return `---\napiVersion: holdfast/v1\nkind: Policy\nname: ${name}\nlayer: ${layer}\nselector: { all: true }\nnetwork:\n${body}\n`;
}

function composed(...policies: readonly string[]) {
  const { documents, findings } = parseDocuments(SERVER + policies.join(""), { domains: DOMAIN_LANGUAGES });
  const result = composeServer({
    server: "s",
    documents: documents.map((document) => ({ document, revision: 1 })),
    domains: DOMAIN_LANGUAGES,
    controlPlane: [],
  });
  const parsed = parseNetworkConfig(result.config?.domains.network ?? null);
  const all = [...findings, ...result.findings];
  return {
    config: parsed.ok ? parsed.config : null,
    findings: all,
    codes: all.filter(({ severity }) => severity !== "note").map(({ code }) => code),
    provenance: result.provenance,
  };
}

function wanOf(config: NetworkConfig | null) {
  return config?.interfaces["wan"];
}

const NONE = "ipv4: { method: none }, ipv6: { method: none }";
const WAN =
  "interfaces:\n  wan: { ipv4: { method: static, addresses: 10.0.0.2/24, gateways: 10.0.0.1 }, ipv6: { method: none } }";

test("texts become one form, a role its binding, and the document says where the server is reached", () => {
  const { config, codes } = composed(policy("p", "role", WAN));
  expect(codes).toEqual([]);
  expect(config).toMatchObject({ reachedAt: ["2001:db8::1", "192.0.2.1"], forwarding: {} });
  expect(wanOf(config)).toMatchObject({
    bound: { mac: "52:54:00:aa:10:01" },
    ipv4: { method: "static", addresses: ["10.0.0.2/24"], gateways: [{ via: "10.0.0.1", onLink: false }], use: [] },
    ipv6: { method: "none", addresses: [] },
  });
});

test("an interface that is named is ours whole: both families must be said", () => {
  expect(composed(policy("p", "role", "interfaces: { wan: { ipv4: { method: dhcp } } }")).codes).toEqual([
    "network.family_missing",
  ]);
  expect(composed(policy("p", "role", "interfaces: { wan: { mtu: 1400 } }")).codes).toEqual([
    "network.family_missing",
    "network.family_missing",
  ]);
});

test("a narrower layer wins a setting whole, and what it beat is told", () => {
  const site = "interfaces:\n  wan:\n    mtu: 1400\n    dns: [10.0.0.53]";
  const base = `${WAN.replace("wan: {", "wan: { mtu: 1500,")}\ndns: 9.9.9.9`;
  const { config, codes, provenance } = composed(policy("base", "fleet", base), policy("here", "site", site));
  expect(codes).toEqual([]);
  expect(wanOf(config)).toMatchObject({ mtu: 1400, dns: ["10.0.0.53"], ipv4: { addresses: ["10.0.0.2/24"] } });
  expect(provenance.find(({ item }) => item === "network.interfaces.wan.mtu")).toMatchObject({
    from: { layer: "site" },
    beat: [{ value: "1500" }],
  });
});

test("two of one layer that differ are refused, both named", () => {
  const { config, findings } = composed(
    policy("one", "role", WAN),
    policy("two", "role", "interfaces: { wan: { mtu: 1400 } }"),
    policy("three", "role", "interfaces: { wan: { mtu: 1500 } }"),
  );
  expect(config).toBeNull();
  expect(findings.find(({ severity }) => severity === "error")?.message).toMatch(/three.*two|two.*three/);
});

test("name servers for all go where packets for everywhere go, and nowhere else", () => {
  const lan = `  lan: { ${NONE} }`;
  const { config } = composed(policy("p", "role", `${WAN}\n${lan}\ndns: [9.9.9.9]\nsearch: example.com`));
  expect(config?.interfaces["wan"]).toMatchObject({ dns: ["9.9.9.9"], search: ["example.com"] });
  expect(config?.interfaces["lan"]).toMatchObject({ dns: [], search: [] });
  const inward = `interfaces:\n${lan}\ndns: [9.9.9.9]`;
  expect(composed(policy("p", "role", inward)).codes).toEqual(["network.dns_nowhere"]);
});

test("what is learnt is taken as said, and as usual where nothing is said", () => {
  const usual = composed(policy("p", "role", "interfaces: { wan: { ipv4: { method: dhcp }, ipv6: { method: ra } } }"));
  expect(wanOf(usual.config)?.ipv4.use).toEqual(["address", "dns", "gateway", "routes", "search"]);
  const some =
    "interfaces: { wan: { ipv4: { method: dhcp, use: [gateway, address], metric: 5 }, ipv6: { method: none } } }";
  expect(wanOf(composed(policy("p", "role", some)).config)?.ipv4).toMatchObject({
    use: ["address", "gateway"],
    metric: 5,
  });
});

test("a default route is of the family of its next hop", () => {
  const routes = WAN.replace(
    ", gateways: 10.0.0.1 }",
    " }, routes: [{ to: default, via: 10.0.0.9, table: 100 }, { to: default, via: fe80::1, metric: 3 }]",
  );
  expect(wanOf(composed(policy("p", "role", routes)).config)?.routes).toEqual([
    { to: "0.0.0.0/0", via: "10.0.0.9", table: 100, onLink: false },
    { to: "::/0", via: "fe80::1", table: 254, onLink: false, metric: 3 },
  ]);
});

test.each([
  [
    "two kinds of device",
    `interfaces: { br: { ${NONE}, bridge: { members: [], stp: false }, vlan: { id: 1, parent: br } } }`,
  ],
  ["a device with a hardware address", `interfaces: { wan: { ${NONE}, bridge: { members: [], stp: false } } }`],
  ["a role that is no name of the kernel", `interfaces: { a-very-long-name-of-a-role: { ${NONE} } }`],
])("%s is refused", (_, network) => {
  expect(composed(policy("p", "role", network)).codes).toEqual(["network.device"]);
});

test.each([
  ["a mark with bits outside of its mask", 'rules: [{ priority: 1, mark: "0x100/0xff", table: 9 }]'],
  ["a rule that says for nothing", "rules: [{ priority: 1, table: 9 }]"],
  ["a rule after the last", "rules: [{ priority: 40000, from: 10.0.0.0/8, table: 9 }]"],
  ["a destination with host bits", "routes: [{ to: 10.0.0.1/8, via: 10.0.0.9 }]"],
  ["a dead end with a next hop", "routes: [{ to: 10.0.0.0/8, via: 10.0.0.9, is: blackhole }]"],
  ["a bridge of priority 0, which networkd passes over", "bridge: { members: [], stp: true, priority: 0 }"],
  ["a domain in capitals", "search: Example.com"],
  ["a domain with a line break", 'search: "a\\nDNS=10.0.0.1"'],
  ["a setting that nobody knows", "gateway4: 10.0.0.1"],
])("%s is no document", (_, setting) => {
  expect(composed(policy("p", "role", `interfaces:\n  wan: { ${NONE}, ${setting} }`)).codes).toContainEqual(
    expect.stringMatching(/^policy\.(value|unknown_key)$/),
  );
});

test("a route over several ways is one whatever the order, and has no other next hop", () => {
  const shared = (route: string) =>
    composed(
      policy(
        "p",
        "role",
        `interfaces:\n  wan:\n    ipv4: { method: static, addresses: 10.0.0.2/24 }\n    ipv6: { method: none }\n    routes: [${route}]`,
      ),
    );
  const one = shared("{ to: default, ways: [{ via: 10.0.0.9 }, { via: 10.0.0.3, weight: 5 }] }");
  expect(one.codes).toEqual([]);
  expect(wanOf(one.config)?.routes).toEqual([
    {
      to: "0.0.0.0/0",
      ways: [
        { via: "10.0.0.3", weight: 5 },
        { via: "10.0.0.9", weight: 1 },
      ],
      table: 254,
      onLink: false,
    },
  ]);
  const other = shared("{ to: default, ways: [{ via: 10.0.0.3, weight: 5 }, { via: 10.0.0.9 }] }");
  expect(other.config).toEqual(one.config);
  for (const wrong of [
    "{ to: default, via: 10.0.0.1, ways: [{ via: 10.0.0.3 }, { via: 10.0.0.9 }] }",
    "{ to: default, is: blackhole, ways: [{ via: 10.0.0.3 }, { via: 10.0.0.9 }] }",
    "{ to: default, ways: [{ via: 10.0.0.3 }] }",
    "{ to: default, ways: [{ via: 10.0.0.3, weight: 257 }, { via: 10.0.0.9 }] }",
  ])
    expect(shared(wrong).config, wrong).toBeNull();
});

test("VLANs of a bridge are numbers and ranges in any order, and one form", () => {
  const { config, codes } = composed(
    policy(
      "p",
      "role",
      `interfaces:\n  wan: { port: { vlans: { tagged: [30-39, 40, 20], untagged: 10 } }, ${NONE} }\n  br: { bridge: { members: [wan], stp: false, vlans: {} }, ${NONE} }`,
    ),
  );
  expect(codes).toEqual([]);
  expect(wanOf(config)?.port?.vlans).toEqual({
    tagged: [
      { first: 20, last: 20 },
      { first: 30, last: 40 },
    ],
    untagged: 10,
  });
  expect(config?.interfaces["br"]?.device).toMatchObject({ vlans: { tagged: [] } });
  for (const wrong of ["0", "4095", '"30-20"', '"all"', '"1;2"'])
    expect(
      composed(policy("p", "role", `interfaces:\n  wan: { port: { vlans: { tagged: [${wrong}] } }, ${NONE} }`)).config,
      wrong,
    ).toBeNull();
});
