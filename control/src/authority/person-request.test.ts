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
  if (!read.ok) throw new Error(read.error);
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
  ["a short RSA key", () => requestBy(rsa(1024)), "1024 bits, and 2048 are the least"],
  ["an exponent of three", () => requestBy(rsa(2048, [3])), "the exponent 3"],
  ["another kind of key", () => requestBy({ name: "Ed25519" }), "of the kind ed25519"],
])("%s is refused with what to do", async (_, make, words) => {
  const read = await readPersonRequest(await make());
  expect(read).toMatchObject({ ok: false, error: expect.stringContaining(words) });
  expect(read).toMatchObject({ ok: false, error: expect.stringContaining("make a new key") });
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
    error: expect.stringContaining("not that of its own key"),
  });
});

test("what cannot be read is said so, and a private key is not repeated", async () => {
  const cut = (await requestBy(EC)).replace(/\n[^\n]{20}/, "\n");
  expect(await readPersonRequest(cut)).toMatchObject({ ok: false });
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const said = JSON.stringify(await readPersonRequest(pem));
  expect(said).toContain("private key");
  expect(said).not.toContain(pem.slice(40, 80));
});
