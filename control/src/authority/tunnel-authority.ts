import "reflect-metadata";
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, webcrypto } from "node:crypto";
import { parseAddress } from "@holdfast/core/net/address.ts";
import { TUNNEL_CERTIFICATE_SECONDS } from "@holdfast/core/secret/rotation.ts";
import * as x509 from "@peculiar/x509";
import { newSerial, SKEW_MS } from "./certificate-authority.ts";

/**
 * The authority that issues the certificates of tunnels.
 *   T1. It is not the one that agents trust: a key of a tunnel opens no session, and a key of an agent no tunnel.
 *   T2. A certificate names one end of one tunnel. That the other end accepts this very one, and not whatever this authority has issued, is said by the
 *       connection (compose/tunnel-key.ts), so that a certificate that was replaced is refused before it has ended.
 *   T3. A certificate of a person names a mail address, which no server of ours is called by, and says that it is one of a client: whoever believes this
 *       authority for the name of a server is shown nothing by it.
 */
export interface TunnelAuthority {
  /** Base64 of its PKCS #8: the secret. */
  readonly value: string;
  /** Base64 of the DER. */
  readonly certificate: string;
  readonly keyId: string;
  readonly notAfterMs: number;
}

/** The same of an end. */
export interface IssuedForEnd extends TunnelAuthority {
  /** Of whoever issued it. */
  readonly authority: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" } as const;
/** External ends have to be given a new one by hand. */
const AUTHORITY_MS = 3_650 * 24 * 3_600_000;
const CERTIFICATE_MS = TUNNEL_CERTIFICATE_SECONDS * 1_000;

/** Whether what it issues now would end before it does. */
export function isGoodForIssuing(notAfterMs: number, nowMs: number): boolean {
  return notAfterMs > nowMs + CERTIFICATE_MS;
}

export async function makeTunnelAuthority(version: number, nowMs: number): Promise<TunnelAuthority> {
  const { privateKey, publicKey } = newPair();
  const own = new x509.PublicKey(publicKey.export({ type: "spki", format: "der" }));
  const name = `CN=Holdfast tunnels ${version}`;
  const notAfterMs = nowMs + AUTHORITY_MS;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: name,
    issuer: name,
    notBefore: new Date(nowMs - SKEW_MS),
    notAfter: new Date(notAfterMs),
    publicKey: own,
    signingKey: await importSigningKey(privateKey),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(own),
    ],
  });
  return { value: valueOf(privateKey), certificate: base64(certificate), keyId: keyIdOf(publicKey), notAfterMs };
}

/**
 * @param identity how the end calls itself: a host name, an address or a mail address
 * @param also what else it is called
 */
export async function issueForEnd(
  authority: Pick<TunnelAuthority, "value" | "certificate">,
  {
    tunnel,
    identity,
    also = [],
  }: { readonly tunnel: string; readonly identity: string; readonly also?: readonly string[] },
  nowMs: number,
): Promise<IssuedForEnd> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await signingKeyOf(authority);
  const { privateKey, publicKey } = newPair();
  const own = new x509.PublicKey(publicKey.export({ type: "spki", format: "der" }));
  const notAfterMs = nowMs + CERTIFICATE_MS;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: [{ CN: [identity] }, { OU: [`tunnel ${tunnel}`] }],
    issuer: issuer.subject,
    notBefore: new Date(nowMs - SKEW_MS),
    notAfter: new Date(notAfterMs),
    publicKey: own,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      // Of what calls in, some ask for the first before they believe it.
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth], false),
      new x509.SubjectAlternativeNameExtension([identity, ...also].map(nameOf), false),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return {
    value: valueOf(privateKey),
    certificate: base64(certificate),
    authority: authority.certificate,
    keyId: keyIdOf(publicKey),
    notAfterMs,
  };
}

/** For a key that a person's device has made, and which stays there. The base64 of its DER, which is public. */
export async function issueForPerson(
  authority: Pick<TunnelAuthority, "value" | "certificate">,
  { tunnel, identity, key }: { readonly tunnel: string; readonly identity: string; readonly key: KeyObject },
  nowMs: number,
): Promise<string> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const own = new x509.PublicKey(key.export({ type: "spki", format: "der" }));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: [{ CN: [identity] }, { OU: [`tunnel ${tunnel}`] }],
    issuer: issuer.subject,
    notBefore: new Date(nowMs - SKEW_MS),
    notAfter: new Date(nowMs + CERTIFICATE_MS),
    publicKey: own,
    signingKey: await signingKeyOf(authority),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth], false),
      new x509.SubjectAlternativeNameExtension([{ type: "email", value: identity }], false),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return base64(certificate);
}

function signingKeyOf({ value }: Pick<TunnelAuthority, "value">): Promise<webcrypto.CryptoKey> {
  return importSigningKey(createPrivateKey({ key: Buffer.from(value, "base64"), format: "der", type: "pkcs8" }));
}

/** As charon reads the same identity (domains/vpn/conn.ts). */
function nameOf(identity: string): x509.JsonGeneralName {
  if (parseAddress(identity).ok) return { type: "ip", value: identity };
  return identity.includes("@") ? { type: "email", value: identity } : { type: "dns", value: identity };
}

function newPair(): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  return generateKeyPairSync("ec", { namedCurve: "P-384" });
}

function valueOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "der" }).toString("base64");
}

function base64(certificate: x509.X509Certificate): string {
  return Buffer.from(certificate.rawData).toString("base64");
}

/** SHA-1 of the uncompressed point: how strongSwan calls a key. */
function keyIdOf(publicKey: KeyObject): string {
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  return createHash("sha1").update(point).digest("hex");
}

function importSigningKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey("pkcs8", key.export({ type: "pkcs8", format: "der" }), ALGORITHM, false, ["sign"]);
}
