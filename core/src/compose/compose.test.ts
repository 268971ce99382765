import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SAMPLE_DOMAINS } from "../../test/sample-domain.ts";
import type { ParsedDocument } from "../policy/document.ts";
import { parseDocuments } from "../policy/parse-documents.ts";
import { type ComposedServer, composeServer, type ComposeServerInput } from "./compose.ts";
import { effectiveDigest, effectiveText } from "./digest.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const EXAMPLE_TEXT = readdirSync(EXAMPLES)
  .map((file) => readFileSync(EXAMPLES + file, "utf8"))
  .join("---\n");

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

function read(text: string): readonly ParsedDocument[] {
  const { documents, findings } = parseDocuments(text, { domains: SAMPLE_DOMAINS });
  expect(findings.filter((finding) => finding.severity === "error")).toEqual([]);
  return documents;
}

function compose(server: string, text: string, more: Partial<ComposeServerInput> = {}): ComposedServer {
  return composeServer({
    server,
    documents: read(text).map((document) => ({ document, revision: 3 })),
    domains: SAMPLE_DOMAINS,
    controlPlane: [{ address: "203.0.113.9", port: 7081 }],
    ...more,
  });
}

function codes(composed: ComposedServer): readonly string[] {
  return composed.findings.filter((finding) => finding.severity === "error" || finding.severity === "danger").map((finding) => `${finding.code} ${finding.document ?? ""} ${finding.path}:${finding.line ?? ""}`);
}

const policy = (name: string, layer: string, rest: string): string => `---\napiVersion: holdfast/v1\nkind: Policy\nname: ${name}\nlayer: ${layer}\nselector: { all: true }\n${rest}`;
const server = (name: string, rest = ""): string => `---\napiVersion: holdfast/v1\nkind: Server\nname: ${name}\n${rest}`;
const group = (name: string, rest: string): string => `---\napiVersion: holdfast/v1\nkind: Group\nname: ${name}\n${rest}`;
const floor = (name: string, rest: string): string => `---\napiVersion: holdfast/v1\nkind: Floor\nname: ${name}\nselector: { all: true }\n${rest}`;
const inbound = (...rules: readonly string[]): string => `firewall:\n  inbound:\n    default: drop\n    rules:\n${rules.map((rule) => `      - ${rule}\n`).join("")}`;

test("the examples compose for both servers", () => {
  const web = compose("web-1", EXAMPLE_TEXT);
  expect(codes(web)).toEqual([]);
  expect(web.policies).toEqual([{ document: "Policy/web-host", revision: 3 }]);
  expect(web.config?.probes.map((probe) => probe.id)).toEqual(["floor tcp/22", ...[0, 1, 2, 3].map((index) => `Policy/web-host expect[${index}]`)]);
  expect(JSON.stringify(web.config?.domains.firewall)).toContain('"192.0.2.31"');
  const gateway = compose("gw-busan", EXAMPLE_TEXT);
  expect(codes(gateway)).toEqual([]);
  expect(gateway.config?.trial).toEqual({ reconnectSeconds: 30, soakSeconds: 30, windowSeconds: 180, confirm: "person_when_management_path" });
  expect(gateway.floor).toMatchObject({ approvals: 1, waves: { canary: 1, percent: [10, 50, 100], pauseSeconds: 600, atOnce: 3 } });
  expect(gateway.provenance.find((entry) => entry.item === "$branch-gateway.shop")).toMatchObject({ from: { document: "Server/gw-busan", path: "params.branch-gateway.shop" } });
});

test("the order in which documents are given changes nothing, to the byte", () => {
  const documents = read(EXAMPLE_TEXT).map((document) => ({ document, revision: 1 }));
  const input = { server: "web-1", domains: SAMPLE_DOMAINS, controlPlane: [{ address: "203.0.113.9", port: 7081 }] };
  const expected = composeServer({ ...input, documents });
  fc.assert(
    fc.property(fc.shuffledSubarray(documents, { minLength: documents.length }), (shuffled) => {
      const again = composeServer({ ...input, documents: shuffled });
      expect(again).toEqual(expected);
      if (again.config !== null && expected.config !== null) expect(effectiveDigest(again.config, sha256)).toBe(effectiveDigest(expected.config, sha256));
    }),
    { numRuns: 30 },
  );
});

test("the digest is over canonical JSON of the config and nothing else", () => {
  const { config } = compose("web-1", EXAMPLE_TEXT);
  if (config === null) throw new Error("the examples compose");
  expect(effectiveDigest(config, sha256)).toBe(sha256(effectiveText(config)));
  expect(JSON.parse(effectiveText(config))).toEqual(config);
  const other = compose("web-1", EXAMPLE_TEXT.replace("tcp/9100", "tcp/9101")).config;
  expect(other === null ? "" : effectiveDigest(other, sha256)).not.toBe(effectiveDigest(config, sha256));
});

test("the narrower layer wins, and the provenance says what it beat and where", () => {
  const composed = compose(
    "web-1",
    policy("everybody", "fleet", "firewall:\n  mode: observe\n  inbound: { default: drop, rules: [{ name: ssh, allow: tcp/22, from: any }] }\n") +
      policy("this-one", "server", "firewall:\n  mode: enforce\n  inbound:\n    rules:\n      - { name: web, allow: tcp/80, from: any }\n") +
      server("web-1"),
  );
  expect(composed.config?.domains.firewall).toMatchObject({ mode: "enforce", default: "drop", rules: [{ name: "web" }, { name: "ssh" }] });
  expect(composed.provenance.find((entry) => entry.item === "firewall.mode")).toMatchObject({
    from: { document: "Policy/this-one", layer: "server", line: 17 },
    beat: [{ value: "observe", origin: { document: "Policy/everybody", layer: "fleet", line: 8 } }],
  });
});

test("two policies of one layer that differ are refused, both named", () => {
  const composed = compose("web-1", policy("a", "role", "firewall: { mode: observe }\n") + policy("b", "role", "firewall: { mode: enforce }\n") + server("web-1"));
  expect(composed.config).toBeNull();
  expect(codes(composed)).toEqual(["compose.layer_conflict Policy/b firewall.mode:14"]);
  expect(composed.findings[0]?.message).toContain("Policy/a");
});

test("names are resolved: definitions, nested groups, labels, servers, services", () => {
  const composed = compose(
    "web-1",
    policy(
      "a",
      "role",
      `define: { office: [203.0.113.0/26, partners] }\n${inbound("{ name: a, allow: [web-ports, tcp/8080], from: [office, role:db] }", "{ name: b, drop: any, from: [server:web-1, site:x] }", "{ name: c, allow: tcp/1, from: self }")}`,
    ) +
      group("partners", "addresses: [inner, 192.0.2.0/30]\n") +
      group("inner", 'addresses: "2001:db8::1"\n') +
      group("web-ports", "services: [tcp/80, tcp/443]\n") +
      server("web-1", "addresses: 192.0.2.11\n") +
      server("db-1", "labels: { role: db, site: x }\naddresses: 192.0.2.21\n"),
  );
  expect(codes(composed)).toEqual([]);
  expect(composed.config?.domains.firewall).toMatchObject({
    rules: [
      { name: "a", services: ["tcp/80", "tcp/443", "tcp/8080"], from: ["192.0.2.0/30", "192.0.2.21", "203.0.113.0/26", "2001:db8::1"] },
      { name: "b", services: ["any"], from: ["192.0.2.11", "192.0.2.21"] },
      { name: "c", from: ["192.0.2.11"] },
    ],
  });
});

test.each([
  ["an unknown name", inbound("{ name: a, allow: tcp/1, from: [any, offfice] }"), "compose.unknown_name Policy/a firewall.inbound.rules[0].from[1]:11"],
  ["an unknown service", inbound("{ name: a, allow: web-port, from: any }"), "compose.unknown_name Policy/a firewall.inbound.rules[0].allow[0]:11"],
  ["an unknown label", inbound("{ name: a, drop: any, from: role:dd }"), "compose.unknown_name Policy/a firewall.inbound.rules[0].from[0]:11"],
  ["an unknown server", inbound("{ name: a, drop: any, from: server:x }"), "compose.unknown_name Policy/a firewall.inbound.rules[0].from[0]:11"],
  ["a server without an address", inbound("{ name: a, drop: any, from: role:db }"), "compose.no_address Policy/a firewall.inbound.rules[0].from[0]:11"],
  ["an unknown name that no rule uses", "define: { x: [any, nobody] }\n", "compose.unknown_name Policy/a define.x[1]:7"],
  ["a definition that refers to itself", "define: { x: z, z: x }\n", "compose.group_cycle Policy/a define.x[0]:7"],
  ["a group that refers to itself", inbound("{ name: a, drop: any, from: loop }"), "compose.group_cycle Group/loop-b addresses[0]:"],
  ["a name with two meanings", "define: { loop: 10.0.0.1 }\nexpect: { from: loop, to: self, service: tcp/1, is: open }\n", "compose.name_twice Policy/a expect[0].from[0]:8"],
  ["a group of the other sort", inbound("{ name: a, drop: any, from: ports }"), "compose.unknown_name Policy/a firewall.inbound.rules[0].from[0]:11"],
])("%s is refused where it stands", (_, section, expected) => {
  const text =
    policy("a", "role", section) +
    server("web-1", "addresses: 192.0.2.11\n") +
    server("db-1", "labels: { role: db }\n") +
    group("loop", "addresses: loop-b\n") +
    group("loop-b", "addresses: loop\n") +
    group("ports", "services: tcp/1\n");
  const composed = compose("web-1", text);
  expect(composed.config).toBeNull();
  expect(codes(composed).some((code) => code.startsWith(expected)), codes(composed).join("\n")).toBe(true);
});

test("addresses that agents reported stand in for a document that has none, and only then", () => {
  const text = policy("a", "role", inbound("{ name: a, drop: any, from: server:db-1 }")) + server("web-1") + server("db-1");
  const reported = { observedAddresses: { "db-1": ["192.0.2.77"] } };
  expect(compose("web-1", text, reported).config?.domains.firewall).toMatchObject({ rules: [{ from: ["192.0.2.77"] }] });
  expect(compose("web-1", `${text}addresses: 192.0.2.78\n`, reported).config?.domains.firewall).toMatchObject({ rules: [{ from: ["192.0.2.78"] }] });
});

const PARAMETERS = policy("p", "role", `params:\n  nets: { type: networks }\n  home: { type: interface-address }\n  host: { type: address, in: home }\n${inbound("{ name: a, allow: tcp/1, from: [$nets, nowhere] }", "{ name: b, allow: tcp/1, from: $host }")}`);

test.each([
  ["a missing value", "params: { p: { nets: any, home: 10.0.0.1/24 } }\n", ["compose.parameter_missing Server/web-1 params.p"]],
  ["a value of another type", "params: { p: { nets: 10.0.0.1/24, home: 10.0.0.1/24, host: 10.0.0.2 } }\n", ["compose.parameter Server/web-1 params.p.nets"]],
  ["a host of another network", "params: { p: { nets: any, home: 10.0.0.1/24, host: 10.0.1.2 } }\n", ["compose.parameter Server/web-1 params.p.host"]],
  ["an unknown parameter", "params: { p: { nets: any, home: 10.0.0.1/24, host: 10.0.0.2, hots: 1 } }\n", ["compose.parameter Server/web-1 params.p.hots"]],
  ["nothing at all", "", ["compose.parameter_missing Server/web-1 params.p"]],
])("%s is refused in the Server document", (_, params, expected) => {
  const composed = compose("web-1", PARAMETERS + server("web-1", params));
  expect(composed.config).toBeNull();
  for (const code of expected) expect(codes(composed).some((one) => one.startsWith(code)), codes(composed).join("\n")).toBe(true);
});

test("behind a list that was put in, a finding still points to the item that was written", () => {
  const composed = compose("web-1", PARAMETERS + server("web-1", "params: { p: { nets: [10.1.0.0/16, 10.3.0.0/16], home: 10.0.0.1/24, host: 10.0.0.2 } }\n"));
  expect(composed.findings).toMatchObject([{ code: "compose.unknown_name", path: "firewall.inbound.rules[0].from[1]", line: 15, column: 48 }]);
});

test("values for a policy that does not hold here are worth a warning", () => {
  const composed = compose("web-1", server("web-1", "params: { gone: { a: 1 } }\n"));
  expect(composed.findings).toMatchObject([{ code: "compose.parameter_unused", severity: "warning", path: "params.gone" }]);
  expect(composed.config).not.toBeNull();
});

test("a broken expectation is a danger with the reason, and the config is there to be looked at", () => {
  const composed = compose(
    "web-1",
    policy("a", "role", `${inbound("{ name: web, allow: tcp/443, from: any }")}expect:\n  - { from: any, to: self, service: [tcp/443, tcp/80], is: open }\n  - { from: any, to: self, service: tcp/443, is: closed }\n`) + server("web-1", "addresses: 192.0.2.1\n"),
  );
  expect(codes(composed)).toEqual(["compose.expect_broken Policy/a expect[0]:13", "compose.expect_broken Policy/a expect[1]:14"]);
  expect(composed.findings[1]?.message).toContain("the rule web decides");
  expect(composed.config?.probes.map((probe) => `${probe.id} ${probe.direction} ${probe.port ?? ""} ${probe.expected}`)).toEqual([
    "Policy/a expect[0]#1 inbound 443 open",
    "Policy/a expect[0]#2 inbound 80 open",
    "Policy/a expect[1] inbound 443 closed",
  ]);
});

test("probes are made only where somebody stands: the server itself, and the control plane among from", () => {
  const rows = [
    "{ from: 203.0.113.0/24, to: self, service: tcp/22, is: open }",
    "{ from: 198.51.100.0/24, to: self, service: tcp/22, is: open }",
    "{ from: self, to: [192.0.2.50, 192.0.2.51], service: icmp/echo, is: open }",
    "{ from: self, to: 10.0.0.0/8, service: tcp/22, is: open }",
    "{ from: self, to: self, service: tcp/22, is: open }",
    "{ from: self, to: 192.0.2.1, service: tcp/22, is: open }",
    "{ from: self, to: 192.0.2.50, service: udp/53, is: open }",
    "{ from: self, to: 192.0.2.50, service: tcp/20-30, is: open }",
  ];
  const composed = compose("web-1", policy("a", "role", `expect:\n${rows.map((row) => `  - ${row}\n`).join("")}`) + server("web-1", "addresses: 192.0.2.1\n"));
  expect(composed.config?.probes.map((probe) => `${probe.id} ${probe.direction} ${probe.protocol} ${probe.address}`)).toEqual([
    "Policy/a expect[0] inbound tcp self",
    "Policy/a expect[2]#1 outbound icmp 192.0.2.50",
    "Policy/a expect[2]#2 outbound icmp 192.0.2.51",
  ]);
  const paths = (code: string): readonly string[] => composed.findings.filter((finding) => finding.code === code).map((finding) => finding.path);
  // The sample firewall has no section here, so no model judges these: that is said, not passed over.
  expect(paths("compose.expect_unchecked")).toEqual([1, 3, 4, 5, 6, 7].map((index) => `expect[${index}]`));
  const judged = compose("web-1", policy("a", "role", `firewall: { mode: enforce }\nexpect: { from: 198.51.100.0/24, to: self, service: tcp/22, is: closed }\n`) + server("web-1"));
  expect(judged.findings).toMatchObject([{ code: "compose.expect_static_only", severity: "note", path: "expect[0]" }]);
});

test("floors are united, and of each setting the strictest that is said holds", () => {
  const composed = compose(
    "web-1",
    server("web-1") +
      floor("a", "management: { name: office, networks: [10.0.0.0/25, 10.0.0.128/25], tcpPorts: [22, 443, 22] }\ntrial: { reconnect: 20s, soak: 10s, window: 300s }\napprovals: 2\nwaves: { percent: [50, 100], pause: 1m, atOnce: 5 }\n") +
      floor("b", "management: [{ name: office, networks: any, tcpPorts: 22 }, { name: home, networks: 192.0.2.7, tcpPorts: 22 }]\ntrial: { reconnect: 25s, soak: 40s, confirm: person }\napprovals: 1\nwaves: { percent: [10, 100], canary: 2, atOnce: 7 }\n"),
  );
  expect(composed.floor).toEqual({
    management: [
      { name: "a-office", networks: ["10.0.0.0/24"], tcpPorts: [22, 443] },
      { name: "b-office", networks: ["0.0.0.0/0", "::/0"], tcpPorts: [22] },
      { name: "home", networks: ["192.0.2.7/32"], tcpPorts: [22] },
    ],
    trial: { reconnectSeconds: 20, soakSeconds: 40, windowSeconds: 300, confirm: "person_when_management_path" },
    approvals: 2,
    waves: { canary: 2, percent: [10, 50, 100], pauseSeconds: 60, atOnce: 5 },
  });
  expect(composed.config?.managementPath.inbound).toHaveLength(3);
  expect(composed.config?.probes).toMatchObject([{ id: "floor tcp/22", direction: "inbound", address: "self", expected: "open" }]);
});

test("an author may make the trial stricter and never looser", () => {
  const text = server("web-1") + floor("a", "trial: { confirm: person }\n");
  const stricter = compose("web-1", text, { trial: { reconnectSeconds: 5, soakSeconds: 60, windowSeconds: 100 } });
  expect(stricter.config?.trial).toEqual({ reconnectSeconds: 5, soakSeconds: 60, windowSeconds: 100, confirm: "person_when_management_path" });
  for (const trial of [{ reconnectSeconds: 16 }, { soakSeconds: 14 }, { windowSeconds: 121 }, { confirm: "machine" as const }]) {
    const looser = compose("web-1", text, { trial });
    expect(looser.config).toBeNull();
    expect(looser.findings).toMatchObject([{ code: "compose.trial_looser" }]);
  }
  expect(compose("web-1", text, { trial: { windowSeconds: 10 } }).findings).toMatchObject([{ code: "compose.trial_window" }]);
});

test("a server without a document, a document in two revisions, and a policy for others", () => {
  expect(compose("nobody", server("web-1")).findings).toMatchObject([{ code: "compose.unknown_server" }]);
  const [document] = read(server("web-1"));
  if (document === undefined) throw new Error("one document was written");
  const twice = composeServer({ server: "web-1", documents: [{ document, revision: 1 }, { document, revision: 2 }], domains: SAMPLE_DOMAINS, controlPlane: [] });
  expect(twice.findings).toMatchObject([{ code: "compose.duplicate_document", document: "Server/web-1" }]);
  const others = compose("web-1", `${server("web-1")}---\napiVersion: holdfast/v1\nkind: Policy\nname: x\nlayer: role\nselector: { role: db }\nfirewall: { mode: enforce }\n`);
  expect(others).toMatchObject({ policies: [], config: { domains: {} } });
});

test("a section whose module the composer does not have is refused, not dropped", () => {
  const composed = compose("web-1", policy("a", "role", "firewall: { mode: enforce }\n") + server("web-1"), { domains: [] });
  expect(codes(composed)).toEqual(["compose.domain_unavailable Policy/a firewall:7"]);
});
