import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { SAMPLE_DOMAINS } from "../../test/sample-domain.ts";
import { tunnelSide } from "../compose/tunnel-ends.ts";
import { boundTo, namedKeys, secretsOf, tunnelKeys } from "../compose/tunnel-key.ts";
import type { TunnelDocument } from "./document.ts";
import { parseDocuments } from "./parse-documents.ts";
import { nameOfPerson, parsePerson } from "./tunnel-people.ts";
import { personSheetOf, tunnelSheetOf } from "./tunnel-sheet.ts";

const [EXAMPLE = ""] = readFileSync(
  fileURLToPath(new URL("../../../domains/src/vpn/examples/remote-staff.yaml", import.meta.url)),
  "utf8",
).split("---\n");
const DOMAINS = [...SAMPLE_DOMAINS, { domain: "vpn", schema: z.unknown(), comesFrom: "tunnel" }] as const;

const parse = (text: string) => parseDocuments(text, { domains: DOMAINS });

function tunnel(text = EXAMPLE): TunnelDocument {
  const { documents, findings } = parse(text);
  expect(findings).toEqual([]);
  const [document] = documents;
  if (document?.kind !== "Tunnel") throw new Error("the example is a Tunnel");
  return document;
}

const replaced = (from: string, to: string): string => {
  expect(EXAMPLE).toContain(from);
  return EXAMPLE.replace(from, to);
};

test("the server gets who may come in, and who is revoked is in no part of it", () => {
  const KEYS = new Map([
    ["alice", { keyFile: "a", certificates: null }],
    ["bob", { keyFile: "b", certificates: null }],
  ]);
  const side = tunnelSide(tunnel(), "gw-seoul", new Set(), KEYS);
  expect(side?.vpn).toEqual({
    tunnels: {},
    people: {
      "remote-staff": {
        local: { address: "203.0.113.10", identity: "gw-seoul", networks: ["10.10.0.0/16"] },
        pools: ["10.99.0.0/24"],
        dns: ["10.10.0.53"],
        persons: {
          alice: { identity: "alice@example.com", keyFile: "a" },
          bob: { identity: "bob@example.com", keyFile: "b" },
        },
        clearText: "block",
        suite: "strong-2026",
        ikeSeconds: 43_200,
        childSeconds: 3_600,
        deadSeconds: 30,
      },
    },
  });
  expect(namedKeys(tunnel()).map(({ person, path }) => [person, path.join(".")])).toEqual([
    ["alice", "ends.staff.people.alice.psk"],
    ["bob", "ends.staff.people.bob.psk"],
  ]);
  expect(secretsOf(tunnel(replaced("file:vpn-bob-1", "secret:vpn-bob@3")))).toEqual([{ name: "vpn-bob", version: 3 }]);
});

test("everything into the tunnel: rules for people's own addresses are of their end all the same", () => {
  const text = replaced("[10.10.0.0/16] ", "[0.0.0.0/0] ").replace(
    "to: 10.10.0.53 }",
    "to: 10.10.0.53 }\n    - { name: back, allow: tcp/22, from: 10.10.5.0/24, to: 10.99.0.0/28 }",
  );
  const side = tunnelSide(tunnel(text), "gw-seoul", new Set(), new Map());
  if (side === null) throw new Error("gw-seoul is an end of the example");
  const { first } = side.firewall.forward as { first: { name: string; from: string[]; to: string[] }[] };
  expect(first.find(({ name }) => name.includes("back"))).toMatchObject({
    name: "vpn-remote-staff--back-out",
    from: ["10.10.5.0/24"],
    to: ["10.99.0.0/28"],
  });
  expect(first.at(-1)).toMatchObject({ from: ["10.99.0.0/24"], to: ["0.0.0.0/0"] });
});

test.each([
  ["psk: each ", "psk: generated ", "A key that all people share could be taken from nobody"],
  ["psk: each ", "psk: secret:staff ", "A key that all people share could be taken from nobody"],
  ["then: clear", "then: restart", "cannot call people back"],
  ["via: policy", "via: interface", "write policy"],
  ["address: dynamic  ", "address: 192.0.2.1  ", "write dynamic"],
  ["address: 203.0.113.10  ", "address: dynamic  ", "know whom to call"],
  ["    dns: [10.10.0.53]", "    dns: [dns.example]", "dns"],
  ["    networks: [10.10.0.0/16]  ", "    dns: [10.10.0.53]\n    networks: [10.10.0.0/16]  ", "Only people are told"],
  ['"file:vpn-alice-1"', '"generated"', "a person has to be given the key"],
  ['"file:vpn-alice-1"', '"each"', "a person has to be given the key"],
  ['"file:vpn-alice-1"', '"hunter2hunter2hunter2"', "never written into a document"],
  [', psk: "file:vpn-alice-1" }', " }", "needs a key of their own"],
  ["bob@example.com", "ALICE@example.com", "could not be told from the other"],
  ["bob: ", "bo--b: ", "two dashes"],
  ["10.99.0.0/24", "10.10.9.0/24", "overlap"],
  ["server: gw-seoul", "external: true\n    identity: vpn.example", "Neither end is a server of ours"],
  ["    people:\n", "    identity: us.example\n    people:\n", "an identity of their own"],
])("%s → %s is refused", (from, to, words) => {
  const { findings } = parse(replaced(from, to));
  expect(findings.map(({ message }) => message).join("\n")).toContain(words);
  expect(findings.every(({ line }) => (line ?? 0) > 0)).toBe(true);
  expect(JSON.stringify(findings)).not.toContain("hunter2");
});

const BY_PASSWORD = replaced("psk: each ", "certificate: generated ")
  .replace('psk: "file:vpn-alice-1"', 'password: "secret:vpn-alice@2"')
  .replace('psk: "file:vpn-bob-1"', 'password: "file:vpn-bob-1"')
  .replace("    address: 203.0.113.10 ", "    hostname: vpn.example.com\n    address: 203.0.113.10 ");

const STAFF_KEYS = new Map([
  [null, { keyFile: "o", certificates: { own: "MI", keyId: "id", peer: null, authority: null } }],
  ["alice", { keyFile: "a", certificates: null }],
  ["bob", { keyFile: "b", certificates: null }],
]);

test("by password: the server proves itself first, by the name that people call", () => {
  const document = tunnel(BY_PASSWORD);
  const side = tunnelSide(document, "gw-seoul", new Set(), STAFF_KEYS);
  expect(side?.vpn).toMatchObject({
    people: {
      "remote-staff": {
        local: { identity: "vpn.example.com" },
        persons: {
          alice: { identity: "alice@example.com", keyFile: "a" },
          bob: { identity: "bob@example.com", keyFile: "b" },
        },
        certificate: { own: "MI", keyId: "id", keyFile: "o" },
      },
    },
  });
  expect(namedKeys(document).map(({ secret, server, path }) => [secret, server, path.join(".")])).toEqual([
    ["tunnel.remote-staff--office", "gw-seoul", "auth.certificate"],
    ["vpn-alice", null, "ends.staff.people.alice.password"],
    [null, null, "ends.staff.people.bob.password"],
  ]);
  expect(secretsOf(document)).toEqual([
    { name: "tunnel.remote-staff--office", version: 1 },
    { name: "vpn-alice", version: 2 },
  ]);
  expect(boundTo(document, "gw-seoul")).toBe("vpn.example.com 203.0.113.10 gw-seoul");
  expect(boundTo(tunnel(BY_PASSWORD.replace("    hostname: vpn.example.com\n", "")), "gw-seoul")).toBe(
    "203.0.113.10 gw-seoul",
  );
});

test.each([
  [
    'password: "secret:vpn-alice@2"',
    'psk: "secret:vpn-alice"',
    "ends.staff.people.alice.psk",
    "write password: instead",
  ],
  [
    'password: "secret:vpn-alice@2"',
    'password: "hunter2hunter2hunter2"',
    "ends.staff.people.alice.password",
    "never written",
  ],
  [
    'password: "secret:vpn-alice@2"',
    'password: "generated"',
    "ends.staff.people.alice.password",
    "has to be given the key",
  ],
  [
    'password: "secret:vpn-alice@2"',
    'password: "secret:a", psk: "secret:b"',
    "ends.staff.people.alice.password",
    "comes in by one key",
  ],
  ["certificate: generated ", "psk: each ", "ends.staff.people.alice.password", "a server that proves itself first"],
  ["hostname: vpn.example.com", "hostname: VPN", "ends.office.hostname", "not a host name"],
  ["    dns: [10.10.0.53]", "    hostname: a.example.com", "ends.staff.hostname", "Only a server of ours"],
])("by password, %s → %s is refused where it stands", (from, to, path, words) => {
  expect(BY_PASSWORD).toContain(from);
  const { findings } = parse(BY_PASSWORD.replace(from, to));
  expect(findings).toContainEqual(expect.objectContaining({ path, message: expect.stringContaining(words) }));
  expect(findings.every(({ line }) => (line ?? 0) > 0)).toBe(true);
  expect(JSON.stringify(findings)).not.toContain("hunter2");
});

test("by password, the sheet has what each system must be told, and no password", () => {
  const { name, body } = tunnel(BY_PASSWORD);
  const rows = personSheetOf(name, body, "alice")?.rows ?? [];
  expect(rows).toContainEqual(["server", "vpn.example.com (203.0.113.10)"]);
  expect(rows).toContainEqual(["your user name", "alice@example.com"]);
  expect(rows).toContainEqual([
    "Windows, PowerShell: 10.10.0.0/16",
    "Add-VpnConnectionRoute -ConnectionName remote-staff -DestinationPrefix 10.10.0.0/16",
  ]);
  expect(new Set(rows.map(([key]) => key)).size).toBe(rows.length);
  expect(rows.map(([key]) => key)).toEqual(expect.arrayContaining(["macOS, iOS", "Android", "strongSwan"]));
  const everything = personSheetOf(name, tunnel(BY_PASSWORD.replace("[10.10.0.0/16] ", "[0.0.0.0/0] ")).body, "bob");
  expect(JSON.stringify(everything)).not.toMatch(/SplitTunneling|Add-VpnConnectionRoute/);
  expect(JSON.stringify(rows)).not.toContain("vpn-alice");
});

const PEM = (sign: string): string =>
  `-----BEGIN CERTIFICATE-----\\nMI${sign.repeat(82)}\\n-----END CERTIFICATE-----\\n`;
const BY_CERTIFICATE = BY_PASSWORD.replace('password: "secret:vpn-alice@2"', `certificate: "${PEM("C")}"`).replace(
  'password: "file:vpn-bob-1"',
  `certificate: "${PEM("D")}"`,
);

test("by certificate: no secret of a person is anywhere, and one that our authority has not issued is told of", () => {
  const document = tunnel(BY_CERTIFICATE);
  const end = document.body.ends.find(({ kind }) => kind === "people");
  expect(end?.kind === "people" ? end.people.map(({ proof }) => proof) : []).toEqual([
    { by: "certificate", certificate: `MI${"C".repeat(82)}` },
    { by: "certificate", certificate: `MI${"D".repeat(82)}` },
    null,
  ]);
  expect(namedKeys(document).map(({ secret }) => secret)).toEqual(["tunnel.remote-staff--office"]);
  const issuer = { own: `MI${"B".repeat(82)}`, authority: `MI${"B".repeat(82)}`, keyId: "cd".repeat(20) };
  const secret = { fingerprint: "0123456789abcdef", version: 1 };
  const keys = tunnelKeys(document, "gw-seoul", [
    { ...secret, name: "tunnel.remote-staff--office", boundTo: boundTo(document, "gw-seoul"), certificate: issuer },
    { ...secret, name: "authority.tunnels", boundTo: "", certificate: issuer },
  ]);
  expect(keys.flatMap(({ findings }) => findings.map(({ code, path }) => `${code} ${path}`))).toEqual([
    "compose.certificate_not_ours ends.staff.people.alice.certificate",
    "compose.certificate_not_ours ends.staff.people.bob.certificate",
  ]);
});

test.each([
  [
    `certificate: "${PEM("D")}"`,
    'password: "secret:vpn-bob"',
    "ends.staff.people.bob.password",
    "all people of a tunnel by one way",
  ],
  [
    `certificate: "${PEM("D")}"`,
    `certificate: "${PEM("C")}"`,
    "ends.staff.people.bob.certificate",
    "alice has this very certificate",
  ],
  [
    `certificate: "${PEM("C")}"`,
    `certificate: "${PEM("C")}", psk: "file:a"`,
    "ends.staff.people.alice.certificate",
    "comes in by one key",
  ],
  ["identity: alice@example.com", "identity: gw-seoul", "ends.staff.people.alice.identity", "has a mail address"],
  ["certificate: generated ", "psk: each ", "ends.staff.people.alice.certificate", "is shown one of the server"],
  [PEM("C"), "-----BEGIN PRIVATE KEY-----hunter2", "ends.staff.people.alice.certificate", "not one certificate in PEM"],
  [PEM("C"), PEM("C") + PEM("E"), "ends.staff.people.alice.certificate", "not one certificate in PEM"],
])("by certificate, %s → %s is refused where it stands", (from, to, path, words) => {
  expect(BY_CERTIFICATE).toContain(from);
  const { findings } = parse(BY_CERTIFICATE.replace(from, to));
  expect(findings).toContainEqual(expect.objectContaining({ path, message: expect.stringContaining(words) }));
  expect(JSON.stringify(findings)).not.toContain("hunter2");
});

test("by certificate, the sheet says how the device makes its key, and each system what to set", () => {
  const { name, body } = tunnel(BY_CERTIFICATE);
  const rows = personSheetOf(name, body, "alice")?.rows ?? [];
  expect(rows).toContainEqual(["your identity (local ID)", "alice@example.com"]);
  expect(new Map(rows).get("Windows, PowerShell: connection")).toContain("-AuthenticationMethod MachineCertificate");
  expect(new Map(rows).get("OpenSSL: request")).toContain("-subj /CN=alice@example.com");
  expect(new Map(rows).get("strongSwan: request")).toContain("pki --req");
  expect(new Set(rows.map(([key]) => key)).size).toBe(rows.length);
  expect(JSON.stringify(rows)).not.toMatch(/password|MSCHAP/i);
});

test("a key each is for people alone, and more people than a server loads in a moment are refused", () => {
  const site = readFileSync(
    fileURLToPath(new URL("../../../domains/src/vpn/examples/seoul-busan.yaml", import.meta.url)),
    "utf8",
  );
  const [text = ""] = site.replace("psk: file:seoul-busan-1", "psk: each").split("---\n");
  expect(
    parse(text)
      .findings.map(({ message }) => message)
      .join(),
  ).toContain("Only people have a key each");
  const many = Array.from(
    { length: 501 },
    (_, n) => `      p${n}: { identity: p${n}@example.com, psk: "file:p${n}x" }\n`,
  ).join("");
  const crowd = replaced("      alice:", `${many}      alice:`);
  expect(
    parse(crowd)
      .findings.map(({ message }) => message)
      .join(),
  ).toContain("504 people are more than 500");
});

test("a sheet for each person, and none for the other end as a whole", () => {
  const { body } = tunnel();
  expect(tunnelSheetOf(body)).toBeNull();
  expect([personSheetOf("remote-staff", body, "carol"), personSheetOf("remote-staff", body, "dave")]).toEqual([
    null,
    null,
  ]);
  const rows = new Map(personSheetOf("remote-staff", body, "alice")?.rows);
  expect(rows.get("your identity (local ID)")).toBe("alice@example.com");
  expect(rows.get("resolvers")).toBe("10.10.0.53, from the server");
  const all = tunnel(replaced("[10.10.0.0/16] ", "[0.0.0.0/0] ")).body;
  expect(new Map(personSheetOf("remote-staff", all, "alice")?.rows).get("through the tunnel")).toBe("everything");
});

test("a person's name within a tunnel leads back to both", () => {
  expect(parsePerson(nameOfPerson("remote-staff", "min-ji"))).toEqual({ tunnel: "remote-staff", person: "min-ji" });
  expect([parsePerson("remote-staff"), parsePerson("a--b--c")]).toEqual([null, null]);
});

test("any text in any place of people is refused or carried as it is", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constantFrom('"', "\\", "$(id)", "; reboot", "a\nb", "%any", "@#00ff", "\u202e", "x".repeat(65_536)),
  );
  const places = {
    identity: "bob@example.com",
    psk: '"file:vpn-bob-1"',
    name: "bob",
    dns: "10.10.0.53",
    revoked: '"Notebook stolen on 20 November, OPS-977"',
  };
  fc.assert(
    fc.property(hostile, fc.constantFrom(...(Object.keys(places) as (keyof typeof places)[])), (text, place) => {
      const made =
        place === "name"
          ? replaced("bob: ", `${JSON.stringify(text)}: `)
          : replaced(places[place], JSON.stringify(text));
      const { documents, findings } = parse(made);
      if (documents.length === 0) {
        expect(findings.length).toBeGreaterThan(0);
        return;
      }
      if (place === "revoked") return;
      const carried = place === "psk" ? text.slice(text.indexOf(":") + 1) : text;
      expect(JSON.stringify(documents[0]?.body)).toContain(JSON.stringify(carried));
    }),
    { numRuns: 150 },
  );
});
