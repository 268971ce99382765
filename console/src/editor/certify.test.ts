import { withCertificate } from "@holdfast/core/policy/certify-person.ts";
import { expect, test } from "vitest";
import { certifiable, gapIn, isOthers, type RequestReading } from "./certify.ts";
import { peopleText } from "./people-wizard.ts";

const TEXT = peopleText({
  name: "remote-staff",
  server: "gw-seoul",
  address: "203.0.113.10",
  networks: "10.10.0.0/16",
  pool: "10.99.0.0/24",
  dns: "",
  people: [
    { name: "alice", identity: "alice@example.com", secret: "", request: "" },
    { name: "bob", identity: "bob@example.com", secret: "", request: "" },
  ],
  way: "password",
  hostname: "",
  suite: "strong-2026",
  services: "",
});
const PEM = `-----BEGIN CERTIFICATE-----\nMI${"C".repeat(82)}\n-----END CERTIFICATE-----\n`;

test("whom of a tunnel one can certify, and nobody where the server has no certificate of its own", () => {
  expect(certifiable(TEXT)).toMatchObject({ server: "gw-seoul", people: [{ name: "alice" }, { name: "bob" }] });
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

const SAYS = { subject: "CN=x", names: [], key: "EC P-384", keyFingerprint: "ab" };
const GOOD: RequestReading = { state: "good", says: SAYS, holder: null };

test("what is missing is said, each at its field, and only a request that would be certified is good enough", () => {
  const people = certifiable(TEXT);
  const place = people?.placeOf("alice") ?? null;
  const others = people?.people ?? [];
  const wish = { person: "alice", identity: "alice@example.com" };
  expect(gapIn(wish, place, others, GOOD)).toBeNull();
  expect(gapIn({ ...wish, person: "" }, place, others, GOOD)).toBe("who");
  expect(gapIn(wish, null, others, GOOD)).toBe("who");
  expect(gapIn({ ...wish, identity: "gw-seoul" }, place, others, GOOD)).toBe("identity");
  expect(gapIn({ person: "carol", identity: "Bob@example.com" }, place, others, GOOD)).toBe("taken");
  expect(gapIn(wish, place, others, { state: "none" })).toBe("request");
  expect(gapIn(wish, place, others, { state: "wrong", flaw: "short", says: SAYS })).toBe("request");
  expect(gapIn(wish, place, others, { state: "unknown", error: new Error("away") })).toBe("request");
  expect(gapIn(wish, place, others, { state: "asking" })).toBe("asking");
});

test("a key that is another's is refused before anything is sent, and the same person's is their next certificate", () => {
  const place = certifiable(TEXT)?.placeOf("alice") ?? null;
  const heldBy = (identity: string): RequestReading => ({
    ...GOOD,
    holder: { tunnel: "other", person: "x", identity },
  });
  const wish = { person: "alice", identity: "alice@example.com" };
  expect(gapIn(wish, place, [], heldBy("bob@example.com"))).toBe("holder");
  expect(gapIn(wish, place, [], heldBy("Alice@example.com"))).toBeNull();
  expect(isOthers({ state: "asking" }, "alice@example.com")).toBe(false);
});
