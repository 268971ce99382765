import { tunnelSchema } from "@holdfast/core/policy/tunnel-document.ts";
import { readYaml } from "@holdfast/core/policy/yaml-source.ts";
import { expect, test } from "vitest";
import { missingSecrets, type PeopleWish, peopleText } from "./people-wizard.ts";
import { sheetsOf } from "./tunnel-wizard.ts";

const WISH: PeopleWish = {
  name: "remote-staff",
  server: "gw-seoul",
  address: "203.0.113.10",
  networks: "10.10.0.0/16",
  pool: "10.99.0.0/24",
  dns: "10.10.0.53",
  people: [
    { name: "alice", identity: "alice@example.com", secret: "" },
    { name: "bob", identity: "bob@example.com", secret: "bob-2" },
    { name: "", identity: "", secret: "" },
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
    people: [{ name: "eve", identity: "eve }, mallory: { identity: m", secret: 'x" }' }],
  });
  expect(odd).toContain("  staff:");
  expect(odd).toContain('identity: "eve }, mallory: { identity: m"');
  expect(sheetsOf(odd)).toEqual([]);
});

test("of the keys that are needed, those that nobody has written yet are named once", () => {
  expect(missingSecrets(WISH, ["vpn-alice"])).toEqual(["bob-2"]);
  expect(missingSecrets(WISH, ["vpn-alice", "bob-2"])).toEqual([]);
});
