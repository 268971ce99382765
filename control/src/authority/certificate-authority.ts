import "reflect-metadata";
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import { ROLE_AGENT, ROLE_CONTROL, serverUri } from "./role.ts";

/**
 * The house's own certificate authority.
 *   C1. Its certificates are good for this house only: agents pin its certificate, and it signs nothing but agents and the agent port.
 *   C2. An agent's certificate names one server and holds one key; both are looked up on every session, so having a certificate is not enough.
 */
export interface CertificateAuthority {
  readonly certificatePem: string;
  /** Lower-case hex SHA-256 of the certificate. */
  readonly fingerprint: string;
  issueForAgent(request: AgentCertificateRequest): Promise<IssuedCertificate>;
  issueForAgentPort(request: AgentPortCertificateRequest): Promise<IssuedCertificate & { readonly keyPem: string }>;
}

export interface AgentCertificateRequest {
  readonly serverId: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  readonly nowMs: number;
}

export interface AgentPortCertificateRequest {
  /** DNS names and addresses that agents may dial. */
  readonly names: readonly string[];
  readonly nowMs: number;
}

export interface IssuedCertificate {
  readonly certificatePem: string;
  readonly serial: string;
  readonly notAfterMs: number;
}

const DAY_MS = 24 * 3_600_000;
/** S10: long enough that a control plane which is away for three days locks nobody out, short enough that a stolen one dies of itself. */
export const AGENT_CERTIFICATE_MS = 7 * DAY_MS;
/** Issued again at every start and at half life. */
export const AGENT_PORT_CERTIFICATE_MS = 30 * DAY_MS;
/** Rotating the authority means enrolling the fleet again; ten years is the usual compromise. */
const AUTHORITY_MS = 3650 * DAY_MS;
/** Clocks of servers that have just booted may lag. */
export const SKEW_MS = 10 * 60_000;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

x509.cryptoProvider.set(webcrypto);

/** A new key for an authority, PKCS #8 in PEM. */
export function makeAuthorityKey(): string {
  return generateKeyPairSync("ec", { namedCurve: "P-256" })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();
}

/** The self-signed certificate of that key, PEM. Made once and kept: agents pin it. */
export async function makeAuthorityCertificate(key: KeyObject, publicKey: KeyObject, nowMs: number): Promise<string> {
  const signingKey = await importSigningKey(key);
  const own = new x509.PublicKey(publicKey.export({ type: "spki", format: "der" }));
  const name = "CN=Holdfast authority";
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: name,
    issuer: name,
    notBefore: new Date(nowMs - SKEW_MS),
    notAfter: new Date(nowMs + AUTHORITY_MS),
    publicKey: own,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(own),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

export async function certificateAuthority(key: KeyObject, certificatePem: string): Promise<CertificateAuthority> {
  const signingKey = await importSigningKey(key);
  const authority = new x509.X509Certificate(certificatePem);
  const authorityKeyId = await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey);

  async function issue(
    spki: Uint8Array,
    subject: string,
    usage: string,
    lifeMs: number,
    nowMs: number,
    names: x509.JsonGeneralNames,
  ) {
    const serialNumber = newSerial();
    const notAfterMs = nowMs + lifeMs;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber,
      subject,
      issuer: authority.subject,
      notBefore: new Date(nowMs - SKEW_MS),
      notAfter: new Date(notAfterMs),
      publicKey: new x509.PublicKey(Uint8Array.from(spki)),
      signingKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([usage], false),
        new x509.SubjectAlternativeNameExtension(names, false),
        authorityKeyId,
      ],
    });
    return { certificatePem: `${certificate.toString("pem")}\n`, serial: serialNumber, notAfterMs };
  }

  return {
    certificatePem,
    fingerprint: createHash("sha256").update(Buffer.from(authority.rawData)).digest("hex"),
    issueForAgent: ({ serverId, publicKey, nowMs }) =>
      issue(publicKey, `CN=${serverId}`, x509.ExtendedKeyUsage.clientAuth, AGENT_CERTIFICATE_MS, nowMs, [
        { type: "url", value: ROLE_AGENT },
        { type: "url", value: serverUri(serverId) },
      ]),
    issueForAgentPort: async ({ names, nowMs }) => {
      const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const spki = pair.publicKey.export({ type: "spki", format: "der" });
      const alternatives: x509.JsonGeneralNames = [
        { type: "url", value: ROLE_CONTROL },
        ...names.map((name) =>
          isIP(name) === 0 ? { type: "dns" as const, value: name } : { type: "ip" as const, value: name },
        ),
      ];
      const issued = await issue(
        spki,
        "CN=Holdfast control plane",
        x509.ExtendedKeyUsage.serverAuth,
        AGENT_PORT_CERTIFICATE_MS,
        nowMs,
        alternatives,
      );
      return { ...issued, keyPem: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
    },
  };
}

function importSigningKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey("pkcs8", key.export({ type: "pkcs8", format: "der" }), ALGORITHM, false, ["sign"]);
}

/** 16 random bytes, positive and never with a leading zero (RFC 5280 §4.1.2.2). */
export function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}
