import { withCertificate } from "@holdfast/core/policy/certify-person.ts";
import { expect, test } from "vitest";
import { certifiable, gapIn } from "./certify.ts";
import { peopleText } from "./people-wizard.ts";

const TEXT = peopleText({
  name: "remote-staff",
  server: "gw-seoul",
  address: "203.0.113.10",
  networks: "10.10.0.0/16",
  pool: "10.99.0.0/24",
  dns: "",
  people: [
    { name: "alice", identity: "alice@example.com", secret: "" },
    { name: "bob", identity: "bob@example.com", secret: "" },
  ],
  way: "password",
  hostname: "",
  suite: "strong-2026",
  services: "",
});
const REQUEST = `-----BEGIN CERTIFICATE REQUEST-----\nMII${"B".repeat(97)}\n-----END CERTIFICATE REQUEST-----\n`;
const PEM = `-----BEGIN CERTIFICATE-----\nMI${"C".repeat(82)}\n-----END CERTIFICATE-----\n`;

test("whom of a tunnel one can certify, and nobody where the server has no certificate of its own", () => {
  expect(certifiable(TEXT)?.people).toEqual(["alice", "bob"]);
  expect(certifiable(TEXT)?.placeOf("alice")).toMatchObject({
    server: "gw-seoul",
    known: { identity: "alice@example.com" },
  });
  expect(certifiable(TEXT.replaceAll("password:", "psk:").replace(/certificate: generated/, "psk: each"))).toBeNull();
  expect(certifiable("kind: Tunnel")).toBeNull();
});

test("a certificate takes the place of the password, a new person comes beside the others, and comments stay", () => {
  const place = certifiable(TEXT)?.placeOf("alice");
  const done =
    place === null || place === undefined
      ? null
      : withCertificate(TEXT, place, { identity: "alice@example.com", pem: PEM });
  expect(done).toMatchObject({ ok: true, value: expect.stringContaining("what their devices call") });
  const text = done?.ok === true ? done.value : "";
  expect(text).toMatch(/alice: [^\n]*certificate/);
  expect(text).not.toContain("vpn-alice");
  expect(text).toContain("secret:vpn-bob");
  const carol = certifiable(TEXT)?.placeOf("carol");
  expect(
    carol === null || carol === undefined
      ? null
      : withCertificate(TEXT, carol, { identity: "carol@example.com", pem: PEM }),
  ).toMatchObject({
    ok: true,
    value: expect.stringContaining("carol@example.com"),
  });
});

test("what is missing is said, and a private key before everything else", () => {
  const place = certifiable(TEXT)?.placeOf("alice") ?? null;
  const wish = { person: "alice", identity: "alice@example.com", request: REQUEST };
  expect(gapIn(wish, place)).toBeNull();
  expect(gapIn({ ...wish, person: "" }, place)).toBe("who");
  expect(gapIn({ ...wish, identity: "gw-seoul" }, place)).toBe("identity");
  expect(gapIn({ ...wish, request: PEM }, place)).toBe("request");
  expect(
    gapIn({ person: "", identity: "", request: REQUEST.replaceAll("CERTIFICATE REQUEST", "PRIVATE KEY") }, null),
  ).toBe("private");
});
