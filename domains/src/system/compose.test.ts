import { composeServer } from "@holdfast/core/compose/compose.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { expect, test } from "vitest";
import { CERTIFICATE } from "../../test/system-sample.ts";
import { DOMAIN_LANGUAGES } from "../registry.ts";
import { parseSystemConfig } from "./parse-config.ts";

const SERVER = "apiVersion: holdfast/v1\nkind: Server\nname: s\nlabels: { role: r }\naddresses: [192.0.2.1]\n";

function policy(name: string, layer: string, section: string): string {
  return `---\napiVersion: holdfast/v1\nkind: Policy\nname: ${name}\nlayer: ${layer}\nselector: { all: true }\nsystem: ${section}\n`;
}

function composed(...policies: readonly string[]) {
  const { documents, findings } = parseDocuments(SERVER + policies.join(""), { domains: DOMAIN_LANGUAGES });
  const result = composeServer({
    server: "s",
    documents: documents.map((document) => ({ document, revision: 1 })),
    domains: DOMAIN_LANGUAGES,
    controlPlane: [],
  });
  const section = result.config?.domains.system;
  const parsed = section === undefined ? null : parseSystemConfig(section);
  return {
    config: parsed?.ok === true ? parsed.config : null,
    codes: [...findings, ...result.findings].filter((one) => one.severity !== "note").map((one) => one.code),
    findings: [...findings, ...result.findings],
    provenance: result.provenance,
    settled: result.settled,
  };
}

test.each([
  ["a name that is an address", "{ hostname: 10.0.0.1 }"],
  ["a name with capitals", "{ hostname: Web }"],
  ["a zone that leads elsewhere", '{ timezone: "../../etc/shadow" }'],
  ["localhost at another address", "{ hosts: { localhost: 10.0.0.1 } }"],
  ["a host without an address", "{ hosts: { db: db2 } }"],
  ["a banner that acts on terminals", '{ banners: { motd: "\\u001b[2J" } }'],
  ["a key outside of /proc/sys", '{ sysctl: { "net.../etc/passwd": 1 } }'],
  ["a setting that runs programs", "{ sysctl: { kernel.core_pattern: core } }"],
  ["a setting that cannot be undone", "{ sysctl: { kernel.modules_disabled: 1 } }"],
  ["a number out of range", "{ sysctl: { vm.swappiness: 201 } }"],
  ["a number where there is a word", "{ sysctl: { net.ipv4.conf.all.rp_filter: 2 } }"],
  ["numbers that fall", '{ sysctl: { net.ipv4.tcp_rmem: "3 2 1" } }'],
  ["two settings in one", '{ sysctl: { net.core.foo: "1\\n net.core.bar = 2" } }'],
  ["listen without port", "{ ssh: { listen: 10.0.0.1 } }"],
  ["a pattern of accounts", '{ ssh: { allowUsers: "*" } }'],
  ["a cipher with an option behind it", '{ ssh: { ciphers: "aes256-ctr\\nPermitRootLogin yes" } }'],
  ["a port that is none", "{ ssh: { port: 70000 } }"],
  ["a unit that the server stands on", "{ units: { dbus.service: { running: false } } }"],
  ["a unit that is an option", '{ units: { "--now": { running: false } } }'],
  ["a unit of which nothing is said", "{ units: { cron.service: {} } }"],
  ["an unknown key", "{ hostnam: web }"],
])("%s is refused where it stands", (_what, section) => {
  const { config, findings } = composed(policy("a", "role", section));
  expect(config).toBeNull();
  const errors = findings.filter((one) => one.severity === "error");
  expect(errors.length).toBeGreaterThan(0);
  for (const one of errors)
    expect(one).toMatchObject({ document: "Policy/a", path: expect.stringContaining("system") });
});

test("one word stands for a list, words for numbers, and everything comes out as the server takes it", () => {
  const { config, codes } = composed(
    policy(
      "a",
      "role",
      `
  hosts: { db.internal: "2001:DB8::0:5" }
  sysctl: { net.ipv4.conf.all.rp_filter: loose, net.core.somaxconn: 8192, net.ipv4.tcp_rmem: "1   2 3" }
  ssh: { port: [2222, 22], allowUsers: kim, loginGrace: 2m, idle: { every: 1m, misses: 3 } }
  ntp: { servers: ntp.example.org }
  resolver: {}
  units: { cron.service: { running: true } }`,
    ),
  );
  expect(codes).toEqual([]);
  expect(config).toEqual({
    hosts: { "db.internal": ["2001:db8::5"] },
    sysctl: {
      "net.core.somaxconn": "8192",
      "net.ipv4.conf.all.rp_filter": "2",
      "net.ipv4.tcp_rmem": "1 2 3",
    },
    ssh: { port: [22, 2222], allowUsers: ["kim"], loginGrace: 120, idle: { every: 60, misses: 3 } },
    ntp: { servers: ["ntp.example.org"] },
    resolver: {},
    units: { "cron.service": { running: true } },
  });
});

test("each setting merges alone: the narrower layer wins, `without` takes out, and both are told", () => {
  const { config, codes, provenance } = composed(
    policy("wide", "fleet", "{ timezone: UTC, ssh: { maxTries: 6, passwords: false }, sysctl: { vm.swappiness: 10 } }"),
    policy("narrow", "role", "{ ssh: { maxTries: 3 }, without: { sysctl: vm.swappiness } }"),
  );
  expect(codes).toEqual([]);
  expect(config).toEqual({ timezone: "UTC", ssh: { maxTries: 3, passwords: false }, sysctl: {} });
  expect(JSON.stringify(provenance.find(({ item }) => item === "system.ssh.maxTries") ?? null)).toContain("narrow");
});

test("two policies of one layer that differ are refused, both named; the same twice is once", () => {
  const differing = composed(policy("a", "role", "{ timezone: UTC }"), policy("b", "role", "{ timezone: Asia/Seoul }"));
  expect(differing.config).toBeNull();
  expect(JSON.stringify(differing.findings)).toMatch(/Policy\/a.*Policy\/b|Policy\/b.*Policy\/a/);
  const same = composed(policy("a", "role", "{ timezone: UTC }"), policy("b", "role", "{ timezone: UTC }"));
  expect(same.config).toEqual({ timezone: "UTC" });
});

const TLS = (target: string, tls = ""): string =>
  policy("a", "fleet", `{ logs: { to: { port: 6514, ${target} }${tls} } }`);
const AUTHORITY = `, tls: { authority: ${JSON.stringify(CERTIFICATE.trimEnd())} }`;

test("a log server by tls is for its own name, or for the one that is written", () => {
  const { config } = composed(TLS("by: tls, host: logs.internal", AUTHORITY));
  expect(config).toEqual({
    logs: {
      to: [{ host: "logs.internal", port: 6514, by: "tls", name: "logs.internal" }],
      tls: { authority: CERTIFICATE },
    },
  });
  const named = composed(TLS("by: tls, host: 192.0.2.9, name: logs.internal", AUTHORITY));
  expect(named.config?.logs?.to[0]).toMatchObject({ host: "192.0.2.9", name: "logs.internal" });
});

test.each([
  ["an address without a name", TLS("by: tls, host: 192.0.2.9", AUTHORITY), "Write `name:`"],
  ["a name where nobody shows one", TLS("by: udp, host: a.internal, name: b.internal"), "Only a log server by tls"],
  [
    "a certificate without its key",
    TLS("by: tls, host: a.internal", AUTHORITY.replace(" }", ', certificate: "/etc/ssl/certs/a.pem" }')),
    "its key are written together",
  ],
  [
    "a key that is none of the server's",
    TLS("by: tls, host: a.internal", AUTHORITY.replace(" }", ', certificate: "/etc/ssl/a.pem", key: "/etc/shadow" }')),
    "no file below /etc/ssl",
  ],
])("logs by tls: %s is refused in words", (_what, text, said) => {
  expect(JSON.stringify(composed(text).findings)).toContain(said);
});

const FIREWALL = (inbound: string, outbound: string): string =>
  `---\napiVersion: holdfast/v1\nkind: Policy\nname: f\nlayer: fleet\nselector: { all: true }\nfirewall: { mode: enforce, inbound: { default: drop, rules: ${inbound} }, outbound: { default: drop, rules: ${outbound} } }\n`;
const ASKING = policy(
  "a",
  "fleet",
  "{ ssh: { port: [22, 2222] }, ntp: { servers: [ntp.example.org, 192.0.2.3] }, resolver: { servers: 192.0.2.53 }, logs: { to: { host: logs.internal, port: 514, by: tcp } } }",
);

test("where the firewall of the same server closes what a setting is good for, both are told at the setting", () => {
  const { config, findings } = composed(ASKING, FIREWALL("[]", "[]"));
  expect(config).not.toBeNull();
  const closed = findings.filter(({ code }) => code === "compose.use_closed");
  expect(closed.map(({ path, document }) => `${document ?? ""} ${path}`).toSorted()).toEqual([
    "Policy/a system.logs.to",
    "Policy/a system.ntp.servers",
    "Policy/a system.ntp.servers",
    "Policy/a system.resolver.servers",
    "Policy/a system.ssh.port",
    "Policy/a system.ssh.port",
  ]);
  expect(closed.map(({ message }) => message).join("\n")).toContain("sshd listens by tcp/2222");
});

test("a door that is open for some is open; without a firewall section nobody knows better", () => {
  const rules = "[{ name: ssh, allow: [tcp/22, tcp/2222], from: 10.0.0.0/8 }]";
  const out = "[{ name: ask, allow: [udp/123, udp/53, tcp/514], from: self, to: any }]";
  const told = (...policies: readonly string[]) =>
    composed(...policies).codes.filter((code) => code === "compose.use_closed");
  expect(told(ASKING, FIREWALL(rules, out))).toEqual([]);
  expect(told(ASKING)).toEqual([]);
});

test("a setting of the kernel that two domains set differently is refused, and one that another cannot work with is told", () => {
  const also = (sections: string): string =>
    `---\napiVersion: holdfast/v1\nkind: Policy\nname: other\nlayer: fleet\nselector: { all: true }\n${sections}\n`;
  const told = (sysctl: string, sections: string) =>
    composed(policy("a", "role", `{ sysctl: ${sysctl} }`), also(sections))
      .findings.filter(({ code }) => code.startsWith("compose.kernel"))
      .map(({ severity, code, path, document }) => `${severity} ${code} ${document ?? ""} ${path}`);
  const forwarding = "network: { forwarding: { ipv4: true, ipv6: false } }";
  const twice = "error compose.kernel_set_twice Policy/other network.forwarding.ipv4";
  expect(told("{ net.ipv4.ip_forward: 0 }", forwarding)).toEqual([twice]);
  expect(told("{ net.ipv4.conf.all.forwarding: 0 }", forwarding)).toEqual([twice]);
  expect(told("{ net.ipv6.conf.all.forwarding: 1 }", forwarding)).toEqual([
    "error compose.kernel_set_twice Policy/other network.forwarding.ipv6",
  ]);
  expect(told("{ net.ipv4.ip_forward: 1, net.ipv6.conf.all.forwarding: 0, vm.swappiness: 10 }", forwarding)).toEqual(
    [],
  );
  const masquerade =
    "firewall: { mode: enforce, zones: { lan: [lan] }, nat: { masquerade: [{ name: out, from: 10.0.0.0/8, to: any }] } }";
  expect(told("{ net.ipv4.ip_forward: 0 }", masquerade)).toEqual([
    'warning compose.kernel_against Policy/a system.sysctl["net.ipv4.ip_forward"]',
  ]);
  expect(told("{ net.ipv4.ip_forward: 1 }", masquerade)).toEqual([]);
});

test("what a module would say of a setting that the same config sets is settled, whether it sets it well or was told so", () => {
  const settled = (sections: string, sysctl = "{ vm.swappiness: 10 }") =>
    composed(
      policy("a", "role", `{ sysctl: ${sysctl} }`),
      `---\napiVersion: holdfast/v1\nkind: Policy\nname: other\nlayer: fleet\nselector: { all: true }\nfirewall: { mode: enforce, zones: { lan: [lan] }, nat: { masquerade: [{ name: out, from: 10.0.0.0/8, to: any }] } }\n${sections}\n`,
    ).settled;
  const four = { code: "firewall.forwarding_off", path: "network.forwarding.ipv4" };
  expect(settled("network: { forwarding: { ipv4: true } }")).toEqual([four]);
  expect(settled("network: { forwarding: { ipv6: true } }")).toEqual([]);
  expect(settled("", "{ net.ipv4.conf.all.forwarding: 1 }")).toEqual([four]);
  expect(settled("", "{ net.ipv4.ip_forward: 0 }")).toEqual([four]);
  expect(settled("")).toEqual([]);
});

test("nothing said is nothing ours; an empty map is ours and empty", () => {
  expect(composed().config).toBeNull();
  expect(composed(policy("a", "role", "{ hosts: {} }")).config).toEqual({ hosts: {} });
});
