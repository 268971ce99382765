import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codes, compose, EXAMPLE_TEXT, group, inbound, policy, read, server } from "../../test/compose-text.ts";
import { SAMPLE_DOMAINS } from "../../test/sample-domain.ts";
import { composeServer } from "./compose.ts";
import { effectiveDigest, effectiveText } from "./digest.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

test("the examples compose for both servers", () => {
  const web = compose("web-1", EXAMPLE_TEXT);
  expect(codes(web)).toEqual([]);
  expect(web.policies).toEqual([{ document: "Policy/web-host", revision: 3 }]);
  expect(web.config?.probes.map((probe) => probe.id)).toEqual([
    "floor tcp/22",
    ...[0, 1, 2, 3].map((index) => `Policy/web-host expect[${index}]`),
  ]);
  expect(JSON.stringify(web.config?.domains.firewall)).toContain('"192.0.2.31"');
  const gateway = compose("gw-busan", EXAMPLE_TEXT);
  expect(codes(gateway)).toEqual([]);
  expect(gateway.config?.trial).toEqual({
    reconnectSeconds: 30,
    soakSeconds: 30,
    windowSeconds: 180,
    confirm: "person_when_management_path",
  });
  expect(gateway.floor).toMatchObject({
    approvals: 1,
    waves: { canary: 1, percent: [10, 50, 100], pauseSeconds: 600, atOnce: 3 },
  });
  expect(gateway.provenance.find((entry) => entry.item === "$branch-gateway.shop")).toMatchObject({
    from: { document: "Server/gw-busan", path: "params.branch-gateway.shop" },
  });
});

test("the order in which documents are given changes nothing, to the byte", () => {
  const documents = read(EXAMPLE_TEXT).map((document) => ({ document, revision: 1 }));
  const input = { server: "web-1", domains: SAMPLE_DOMAINS, controlPlane: [{ address: "203.0.113.9", port: 7081 }] };
  const expected = composeServer({ ...input, documents });
  fc.assert(
    fc.property(fc.shuffledSubarray(documents, { minLength: documents.length }), (shuffled) => {
      const again = composeServer({ ...input, documents: shuffled });
      expect(again).toEqual(expected);
      if (again.config !== null && expected.config !== null)
        expect(effectiveDigest(again.config, sha256)).toBe(effectiveDigest(expected.config, sha256));
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
    policy(
      "everybody",
      "fleet",
      "firewall:\n  mode: observe\n  inbound: { default: drop, rules: [{ name: ssh, allow: tcp/22, from: any }] }\n",
    ) +
      policy(
        "this-one",
        "server",
        "firewall:\n  mode: enforce\n  inbound:\n    rules:\n      - { name: web, allow: tcp/80, from: any }\n",
      ) +
      server("web-1"),
  );
  expect(composed.config?.domains.firewall).toMatchObject({
    mode: "enforce",
    default: "drop",
    rules: [{ name: "web" }, { name: "ssh" }],
  });
  expect(composed.provenance.find((entry) => entry.item === "firewall.mode")).toMatchObject({
    from: { document: "Policy/this-one", layer: "server", line: 17 },
    beat: [{ value: "observe", origin: { document: "Policy/everybody", layer: "fleet", line: 8 } }],
  });
});

test("two policies of one layer that differ are refused, both named", () => {
  const composed = compose(
    "web-1",
    policy("a", "role", "firewall: { mode: observe }\n") +
      policy("b", "role", "firewall: { mode: enforce }\n") +
      server("web-1"),
  );
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
      {
        name: "a",
        services: ["tcp/80", "tcp/443", "tcp/8080"],
        from: ["192.0.2.0/30", "192.0.2.21", "203.0.113.0/26", "2001:db8::1"],
      },
      { name: "b", services: ["any"], from: ["192.0.2.11", "192.0.2.21"] },
      { name: "c", from: ["192.0.2.11"] },
    ],
  });
});

test.each([
  [
    "an unknown name",
    inbound("{ name: a, allow: tcp/1, from: [any, offfice] }"),
    "compose.unknown_name Policy/a firewall.inbound.rules[0].from[1]:11",
  ],
  [
    "an unknown service",
    inbound("{ name: a, allow: web-port, from: any }"),
    "compose.unknown_name Policy/a firewall.inbound.rules[0].allow[0]:11",
  ],
  [
    "an unknown label",
    inbound("{ name: a, drop: any, from: role:dd }"),
    "compose.unknown_name Policy/a firewall.inbound.rules[0].from[0]:11",
  ],
  [
    "an unknown server",
    inbound("{ name: a, drop: any, from: server:x }"),
    "compose.unknown_name Policy/a firewall.inbound.rules[0].from[0]:11",
  ],
  [
    "a server without an address",
    inbound("{ name: a, drop: any, from: role:db }"),
    "compose.no_address Policy/a firewall.inbound.rules[0].from[0]:11",
  ],
  [
    "an unknown name that no rule uses",
    "define: { x: [any, nobody] }\n",
    "compose.unknown_name Policy/a define.x[1]:7",
  ],
  ["a definition that refers to itself", "define: { x: z, z: x }\n", "compose.group_cycle Policy/a define.x[0]:7"],
  [
    "a group that refers to itself",
    inbound("{ name: a, drop: any, from: loop }"),
    "compose.group_cycle Group/loop-b addresses[0]:",
  ],
  [
    "a name with two meanings",
    "define: { loop: 10.0.0.1 }\nexpect: { from: loop, to: self, service: tcp/1, is: open }\n",
    "compose.name_twice Policy/a expect[0].from[0]:8",
  ],
  [
    "a group of the other sort",
    inbound("{ name: a, drop: any, from: ports }"),
    "compose.unknown_name Policy/a firewall.inbound.rules[0].from[0]:11",
  ],
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
  expect(
    codes(composed).some((code) => code.startsWith(expected)),
    codes(composed).join("\n"),
  ).toBe(true);
});

test("addresses that agents reported stand in for a document that has none, and only then", () => {
  const text =
    policy("a", "role", inbound("{ name: a, drop: any, from: server:db-1 }")) + server("web-1") + server("db-1");
  const reported = { observedAddresses: { "db-1": ["192.0.2.77"] } };
  expect(compose("web-1", text, reported).config?.domains.firewall).toMatchObject({
    rules: [{ from: ["192.0.2.77"] }],
  });
  expect(compose("web-1", `${text}addresses: 192.0.2.78\n`, reported).config?.domains.firewall).toMatchObject({
    rules: [{ from: ["192.0.2.78"] }],
  });
});

const PARAMETERS = policy(
  "p",
  "role",
  `params:\n  nets: { type: networks }\n  home: { type: interface-address }\n  host: { type: address, in: home }\n${inbound("{ name: a, allow: tcp/1, from: [$nets, nowhere] }", "{ name: b, allow: tcp/1, from: $host }")}`,
);

test.each([
  [
    "a missing value",
    "params: { p: { nets: any, home: 10.0.0.1/24 } }\n",
    ["compose.parameter_missing Server/web-1 params.p"],
  ],
  [
    "a value of another type",
    "params: { p: { nets: 10.0.0.1/24, home: 10.0.0.1/24, host: 10.0.0.2 } }\n",
    ["compose.parameter Server/web-1 params.p.nets"],
  ],
  [
    "a host of another network",
    "params: { p: { nets: any, home: 10.0.0.1/24, host: 10.0.1.2 } }\n",
    ["compose.parameter Server/web-1 params.p.host"],
  ],
  [
    "an unknown parameter",
    "params: { p: { nets: any, home: 10.0.0.1/24, host: 10.0.0.2, hots: 1 } }\n",
    ["compose.parameter Server/web-1 params.p.hots"],
  ],
  ["nothing at all", "", ["compose.parameter_missing Server/web-1 params.p"]],
])("%s is refused in the Server document", (_, params, expected) => {
  const composed = compose("web-1", PARAMETERS + server("web-1", params));
  expect(composed.config).toBeNull();
  for (const code of expected)
    expect(
      codes(composed).some((one) => one.startsWith(code)),
      codes(composed).join("\n"),
    ).toBe(true);
});

test("behind a list that was put in, a finding still points to the item that was written", () => {
  const composed = compose(
    "web-1",
    PARAMETERS +
      server("web-1", "params: { p: { nets: [10.1.0.0/16, 10.3.0.0/16], home: 10.0.0.1/24, host: 10.0.0.2 } }\n"),
  );
  expect(composed.findings).toMatchObject([
    { code: "compose.unknown_name", path: "firewall.inbound.rules[0].from[1]", line: 15, column: 48 },
  ]);
});

test("values for a policy that does not hold here are worth a warning", () => {
  const composed = compose("web-1", server("web-1", "params: { gone: { a: 1 } }\n"));
  expect(composed.findings).toMatchObject([
    { code: "compose.parameter_unused", severity: "warning", path: "params.gone" },
  ]);
  expect(composed.config).not.toBeNull();
});

test("a server without a document, a document in two revisions, and a policy for others", () => {
  expect(compose("nobody", server("web-1")).findings).toMatchObject([{ code: "compose.unknown_server" }]);
  const [document] = read(server("web-1"));
  if (document === undefined) throw new Error("one document was written");
  const twice = composeServer({
    server: "web-1",
    documents: [
      { document, revision: 1 },
      { document, revision: 2 },
    ],
    domains: SAMPLE_DOMAINS,
    controlPlane: [],
  });
  expect(twice.findings).toMatchObject([{ code: "compose.duplicate_document", document: "Server/web-1" }]);
  const others = compose(
    "web-1",
    `${server("web-1")}---\napiVersion: holdfast/v1\nkind: Policy\nname: x\nlayer: role\nselector: { role: db }\nfirewall: { mode: enforce }\n`,
  );
  expect(others).toMatchObject({ policies: [], config: { domains: {} } });
});

test("a section whose module the composer does not have is refused, not dropped", () => {
  const composed = compose("web-1", policy("a", "role", "firewall: { mode: enforce }\n") + server("web-1"), {
    domains: [],
  });
  expect(codes(composed)).toEqual(["compose.domain_unavailable Policy/a firewall:7"]);
});

test("groups that name each other twice on each of many levels are resolved in no time, and too many levels refused", () => {
  const levels = (count: number): string =>
    Array.from({ length: count }, (_, index) =>
      group(
        `g${index}`,
        index + 1 === count
          ? "addresses: 10.0.0.1\nservices: tcp/1\n"
          : `addresses: [g${index + 1}, g${index + 1}]\nservices: [g${index + 1}, g${index + 1}]\n`,
      ),
    ).join("");
  const text = policy("a", "role", inbound("{ name: a, allow: g0, from: g0 }")) + server("web-1");
  expect(compose("web-1", text + levels(30)).config?.domains.firewall).toMatchObject({
    rules: [{ from: ["10.0.0.1"], services: ["tcp/1"] }],
  });
  expect(codes(compose("web-1", text + levels(40)))[0]).toContain("compose.group_too_deep");
});

test("a server may be called like a property that every object has", () => {
  const text =
    policy("a", "role", inbound("{ name: a, drop: any, from: server:constructor }")) +
    server("web-1") +
    server("constructor");
  expect(codes(compose("web-1", text))[0]).toContain("compose.no_address");
});
