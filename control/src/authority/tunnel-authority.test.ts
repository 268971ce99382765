import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { isGoodForIssuing, issueForEnd, makeTunnelAuthority } from "./tunnel-authority.ts";

const NOW = Date.parse("2026-11-26T00:00:00Z");
const DAY_MS = 24 * 3_600_000;
const read = (body: string) => new X509Certificate(Buffer.from(body, "base64"));

test("an end's certificate names it, ends in a year, is signed by the authority and by no other of the same name", async () => {
  const [authority, other] = [await makeTunnelAuthority(1, NOW), await makeTunnelAuthority(1, NOW)];
  const issued = await issueForEnd(authority, { tunnel: "pair", identity: "gw-seoul" }, NOW);
  const [leaf, by, foreign] = [read(issued.certificate), read(authority.certificate), read(other.certificate)];
  expect([leaf.ca, by.ca, leaf.subjectAltName]).toEqual([false, true, "DNS:gw-seoul"]);
  expect(leaf.checkIssued(by) && leaf.verify(by.publicKey)).toBe(true);
  expect(leaf.verify(foreign.publicKey)).toBe(false);
  expect(leaf.validToDate.getTime()).toBe(NOW + 365 * DAY_MS);
  expect(issued.authority).toBe(authority.certificate);
  // It fits where secrets are kept: one line, no longer than a pre-shared key may be.
  expect(issued.value).toMatch(/^[A-Za-z0-9+/=]{100,400}$/);
  const key = createPrivateKey({ key: Buffer.from(issued.value, "base64"), format: "der", type: "pkcs8" });
  expect(createPublicKey(key).equals(leaf.publicKey)).toBe(true);
  expect(issued.keyId).toMatch(/^[0-9a-f]{40}$/);
});

test("an identity is named as what it looks like", async () => {
  const authority = await makeTunnelAuthority(1, NOW);
  const named = async (identity: string) =>
    read((await issueForEnd(authority, { tunnel: "pair", identity }, NOW)).certificate).subjectAltName;
  expect(await named("192.0.2.4")).toBe("IP Address:192.0.2.4");
  expect(await named("gw@example.com")).toBe("email:gw@example.com");
});

test("an authority issues nothing that would outlive it", async () => {
  const { notAfterMs } = await makeTunnelAuthority(1, NOW);
  expect(isGoodForIssuing(notAfterMs, NOW)).toBe(true);
  expect(isGoodForIssuing(notAfterMs, notAfterMs - 365 * DAY_MS)).toBe(false);
});
