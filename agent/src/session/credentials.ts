import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  X509Certificate,
  type KeyObject,
} from "node:crypto";
import { join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { CONTROL_PLANE_URI } from "@holdfast/proto/wire/session.ts";
import { readTextIfThere, writeFileDurably, type Ownership } from "../os/files.ts";
import type { AgentPaths } from "../paths.ts";

/** What the session proves itself with. Key and certificate stand in one file, so that they always belong together. */
export interface Credentials {
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly authorityPem: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

const KEY_AND_CERTIFICATE = "tls.pem";
const AUTHORITY = "authority.pem";
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/;
const KEY = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----\n?/;

export function readCredentials(paths: AgentPaths): Result<Credentials, string> {
  const own = readTextIfThere(join(paths.session, KEY_AND_CERTIFICATE));
  const authorityPem = readTextIfThere(join(paths.session, AUTHORITY));
  const keyPem = own === null ? undefined : KEY.exec(own)?.[0];
  const certificatePem = own === null ? undefined : CERTIFICATE.exec(own)?.[0];
  if (keyPem === undefined || certificatePem === undefined || authorityPem === null)
    return err(`there is no certificate in ${paths.session}; run holdfast-agent enroll`);
  const certificate = new X509Certificate(certificatePem);
  return ok({
    keyPem,
    certificatePem,
    authorityPem,
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
  });
}

export function writeCredentials(
  paths: AgentPaths,
  of: Pick<Credentials, "keyPem" | "certificatePem" | "authorityPem">,
  owner?: Ownership,
): void {
  writeFileDurably(join(paths.session, AUTHORITY), of.authorityPem, 0o644, owner);
  writeFileDurably(
    join(paths.session, KEY_AND_CERTIFICATE),
    `${of.keyPem.trimEnd()}\n${of.certificatePem.trimEnd()}\n`,
    0o600,
    owner,
  );
}

/** A TLS key pair of this server; the private half never leaves it. */
export interface TlsKey {
  readonly privatePem: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicDer: Uint8Array;
  /** Proof of possession: a signature over the text. */
  prove(text: string): Uint8Array;
}

export function makeTlsKey(): TlsKey {
  return tlsKeyFrom(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
}

export function readTlsKey(pem: string): TlsKey {
  return tlsKeyFrom(createPrivateKey(pem));
}

function tlsKeyFrom(key: KeyObject): TlsKey {
  return {
    privatePem: key.export({ type: "pkcs8", format: "pem" }).toString(),
    publicDer: createPublicKey(key).export({ type: "spki", format: "der" }),
    prove: (text) => sign("sha256", Buffer.from(text, "utf8"), key),
  };
}

/** True when the certificate names the control plane. A certificate of the right authority alone commands nobody: agents have such ones too. */
export function isControlPlane(certificate: X509Certificate): boolean {
  return (certificate.subjectAltName ?? "").split(", ").includes(`URI:${CONTROL_PLANE_URI}`);
}
