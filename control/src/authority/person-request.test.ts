import "reflect-metadata";
import { generateKeyPairSync, webcrypto, X509Certificate } from "node:crypto";
import { namesIssuerKey } from "@holdfast/core/secret/issuer-key.ts";
import * as x509 from "@peculiar/x509";
import { expect, test } from "vitest";
import { readPersonRequest } from "./person-request.ts";
import { issueForPerson, makeTunnelAuthority } from "./tunnel-authority.ts";

const EC = { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" } as const;
const rsa = (modulusLength: number, exponent = [1, 0, 1]) => ({
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength,
  publicExponent: new Uint8Array(exponent),
});

async function requestBy(algorithm: { readonly name: string; readonly hash?: string }): Promise<string> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name: "CN=gw-seoul",
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, 3, true)],
  });
  return made.toString("pem");
}

test.each([
  ["EC P-256", { ...EC, namedCurve: "P-256", hash: "SHA-256" }],
  ["EC P-384", EC],
  ["EC P-521", { ...EC, namedCurve: "P-521", hash: "SHA-512" }],
  ["RSA 2048", rsa(2048)],
])("a request by %s is certified for whom we say, whatever name and rights it asks for", async (_, algorithm) => {
  const read = await readPersonRequest(await requestBy(algorithm));
  if (!read.ok) throw new Error(read.error.message);
  const nowMs = Date.parse("2026-11-20T00:00:00Z");
  const authority = await makeTunnelAuthority(1, nowMs);
  const body = await issueForPerson(
    authority,
    { tunnel: "staff", identity: "alice@example.com", key: read.value.key },
    nowMs,
  );
  const issued = new X509Certificate(Buffer.from(body, "base64"));
  expect(issued.subject).toBe("CN=alice@example.com\nOU=tunnel staff");
  expect(issued.subjectAltName).toBe("email:alice@example.com");
  expect(issued.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
  expect(issued.ca).toBe(false);
  expect(issued.verify(new X509Certificate(Buffer.from(authority.certificate, "base64")).publicKey)).toBe(true);
  expect(issued.validToDate.getTime() - nowMs).toBe(365 * 24 * 3_600_000);
  expect(issued.publicKey.equals(read.value.key)).toBe(true);
  expect(namesIssuerKey(body, authority.keyId)).toBe(true);
  expect(namesIssuerKey(body, (await makeTunnelAuthority(1, nowMs)).keyId)).toBe(false);
});

test.each([
  ["a short RSA key", rsa(1024), "short", "RSA 1024", "1024 bits, and 2048 are the least"],
  ["an exponent of three", rsa(2048, [3]), "exponent", "RSA 2048", "the exponent 3"],
  ["another kind of key", { name: "Ed25519" }, "kind", "ed25519", "of the kind ed25519"],
])("%s is refused with what it is and what to do", async (_, algorithm, flaw, key, words) => {
  const read = await readPersonRequest(await requestBy(algorithm));
  expect(read).toMatchObject({ ok: false, error: { flaw, says: { key, subject: "CN=gw-seoul" } } });
  expect(read).toMatchObject({ ok: false, error: { message: expect.stringContaining(words) } });
  expect(read).toMatchObject({ ok: false, error: { message: expect.stringContaining("make a new key") } });
});

test("what a request says is shown as it stands, and not without end", async () => {
  const keys = await webcrypto.subtle.generateKey(EC, true, ["sign", "verify"]);
  const asked = Array.from({ length: 30 }, (_, at) => ({ type: "dns" as const, value: `h${at}.example.com` }));
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${"x".repeat(400)}`,
    keys,
    signingAlgorithm: EC,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: "email", value: "alice@example.com" }, ...asked], false),
    ],
  });
  const read = await readPersonRequest(made.toString("pem"));
  if (!read.ok) throw new Error(read.error.message);
  expect(read.value.says).toMatchObject({ key: "EC P-384", keyFingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(read.value.says.names.slice(0, 2)).toEqual(["email:alice@example.com", "dns:h0.example.com"]);
  expect([read.value.says.names.length, read.value.says.subject.length]).toEqual([20, 200]);
});

test("a request whose signature is not that of its own key shows nothing", async () => {
  const [one, other] = [await requestBy(EC), await requestBy(EC)].map((pem) => new x509.Pkcs10CertificateRequest(pem));
  if (one === undefined || other === undefined) throw new Error("two were made");
  const [mine, theirs] = [one, other].map(({ publicKey }) => Buffer.from(publicKey.rawData));
  const bytes = Buffer.from(one.rawData);
  theirs?.copy(bytes, bytes.indexOf(mine ?? ""));
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString("base64")}\n-----END CERTIFICATE REQUEST-----`;
  expect(await readPersonRequest(pem)).toMatchObject({
    ok: false,
    error: {
      flaw: "signature",
      message: expect.stringContaining("not that of its own key"),
      says: { key: "EC P-384" },
    },
  });
});

test("what cannot be read is said so, and a private key is not repeated", async () => {
  const cut = (await requestBy(EC)).replace(/\n[^\n]{20}/, "\n");
  expect(await readPersonRequest(cut)).toMatchObject({ ok: false, error: { flaw: "unreadable", says: null } });
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const said = JSON.stringify(await readPersonRequest(pem));
  expect(said).toContain("private key");
  expect(said).not.toContain(pem.slice(40, 80));
});
