import { tunnelSchema } from "@holdfast/core/policy/tunnel-document.ts";
import { readYaml } from "@holdfast/core/policy/yaml-source.ts";
import { expect, test } from "vitest";
import type { RequestReading } from "./certify.ts";
import { certifyGapIn, missingSecrets, type PeopleWish, peopleText } from "./people-wizard.ts";
import { peopleIn, revokedIn } from "./tunnel-people.ts";
import { sheetsOf } from "./tunnel-wizard.ts";

const WISH: PeopleWish = {
  name: "remote-staff",
  server: "gw-seoul",
  address: "203.0.113.10",
  networks: "10.10.0.0/16",
  pool: "10.99.0.0/24",
  dns: "10.10.0.53",
  people: [
    { name: "alice", identity: "alice@example.com", secret: "", request: "" },
    { name: "bob", identity: "bob@example.com", secret: "bob-2", request: "" },
    { name: "", identity: "", secret: "", request: "" },
  ],
  way: "psk",
  hostname: "",
  suite: "strong-2026",
  services: "tcp/443, icmp/echo",
};

test("what was typed is a document without a finding, and each person has a sheet of their own without the key", () => {
  const text = peopleText(WISH);
  expect(tunnelSchema.safeParse(readYaml(text).data).error?.issues).toBeUndefined();
  expect(text).toContain('alice: { identity: "alice@example.com", psk: "secret:vpn-alice" }');
  expect(text).toContain('bob: { identity: "bob@example.com", psk: "secret:bob-2" }');
  const sheets = sheetsOf(text);
  expect(sheets.map(({ reader }) => reader)).toEqual(["alice", "bob"]);
  expect(sheets[0]?.rows).toContainEqual(["your identity (local ID)", "alice@example.com"]);
  expect(JSON.stringify(sheets)).not.toContain("vpn-alice");
});

test("by user name and password: the server has a certificate for the name that is called, and the sheet says what to type where", () => {
  const text = peopleText({ ...WISH, way: "password", hostname: "vpn.example.com" });
  expect(tunnelSchema.safeParse(readYaml(text).data).error?.issues).toBeUndefined();
  expect(text).toContain('alice: { identity: "alice@example.com", password: "secret:vpn-alice" }');
  const [sheet] = sheetsOf(text);
  expect(sheet?.rows).toContainEqual(["server's identity (remote ID)", "vpn.example.com"]);
  expect(JSON.stringify(sheet)).toContain("Add-VpnConnection -Name remote-staff -ServerAddress vpn.example.com");
  expect(peopleText({ ...WISH, way: "password" })).not.toContain("hostname");
  expect(peopleText({ ...WISH, hostname: "vpn.example.com" })).not.toContain("hostname");
});

test("what is typed is never YAML, and a server may be called like the other end", () => {
  const odd = peopleText({
    ...WISH,
    server: "people",
    people: [{ name: "eve", identity: "eve }, mallory: { identity: m", secret: 'x" }', request: "" }],
  });
  expect(odd).toContain("  staff:");
  expect(odd).toContain('identity: "eve }, mallory: { identity: m"');
  expect(sheetsOf(odd)).toEqual([]);
});

test("of the keys that are needed, those that nobody has written yet are named once", () => {
  expect(missingSecrets(WISH, ["vpn-alice"])).toEqual(["bob-2"]);
  expect(missingSecrets(WISH, ["vpn-alice", "bob-2"])).toEqual([]);
});

const PEM = (sign: string): string =>
  `-----BEGIN CERTIFICATE-----\nMI${sign.repeat(62)}\n${sign.repeat(20)}\n-----END CERTIFICATE-----\n`;
const CERTIFIED: PeopleWish = { ...WISH, way: "certificate", hostname: "vpn.example.com" };

test("by certificate: nobody comes in before theirs is there, no secret is needed, and then the document names each", () => {
  const before = peopleText(CERTIFIED);
  expect(tunnelSchema.safeParse(readYaml(before).data).error?.issues).toBeUndefined();
  expect(peopleIn(before)).toMatchObject([
    { name: "alice", way: null, revoked: "no certificate yet" },
    { name: "bob", way: null, revoked: "no certificate yet" },
  ]);
  expect(missingSecrets(CERTIFIED, [])).toEqual([]);
  const pems = new Map([
    ["alice", PEM("A")],
    ["bob", PEM("B")],
  ]);
  const text = peopleText(CERTIFIED, pems);
  expect(tunnelSchema.safeParse(readYaml(text).data).error?.issues).toBeUndefined();
  expect(peopleIn(text)).toEqual([
    { name: "alice", identity: "alice@example.com", way: "certificate", certificate: PEM("A"), revoked: null },
    { name: "bob", identity: "bob@example.com", way: "certificate", certificate: PEM("B"), revoked: null },
  ]);
  expect(text).toContain("hostname: vpn.example.com ");
  expect(text).not.toContain("secret:");
  expect(sheetsOf(text).map(({ reader }) => reader)).toEqual(["alice", "bob"]);
});

test("who cannot be certified yet is named, and two never have one key", () => {
  const reading = (keyFingerprint: string): RequestReading => ({
    state: "good",
    says: { subject: "", names: [], key: "EC P-384", keyFingerprint },
    holder: null,
  });
  expect(certifyGapIn(CERTIFIED, [reading("a"), reading("b"), { state: "none" }])).toBeNull();
  expect(certifyGapIn(CERTIFIED, [reading("a")])).toMatchObject({ person: { name: "bob" }, gap: "request" });
  expect(certifyGapIn(CERTIFIED, [reading("a"), reading("a")])).toMatchObject({
    person: { name: "bob" },
    gap: "sameKey",
  });
  const twice = CERTIFIED.people.map((person) => ({ ...person, identity: "one@example.com" }));
  expect(certifyGapIn({ people: twice }, [reading("a"), reading("b")])).toMatchObject({ gap: "taken" });
});

test("one is shut out with a reason and let in again, and nothing else of the text moves", () => {
  const text = peopleText(
    CERTIFIED,
    new Map([
      ["alice", PEM("A")],
      ["bob", PEM("B")],
    ]),
  );
  const without = revokedIn(text, "alice", "left");
  if (!without.ok) throw new Error(without.error);
  expect(peopleIn(without.value)).toMatchObject([
    { name: "alice", revoked: "left" },
    { name: "bob", revoked: null },
  ]);
  expect(sheetsOf(without.value).map(({ reader }) => reader)).toEqual(["bob"]);
  expect(revokedIn(without.value, "alice", null)).toEqual({ ok: true, value: text });
});
