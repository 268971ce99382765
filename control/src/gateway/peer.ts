import { createHash } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { isUuid, type ServerId } from "@holdfast/core/base/id.ts";
import { serverOfAgentCertificate } from "../authority/role.ts";

/** Whom TLS let in. A certificate alone opens nothing: `keySha256` is looked up in agent_keys, with the server that the certificate names. */
export type Peer =
  | { readonly kind: "anonymous" }
  | { readonly kind: "agent"; readonly serverId: ServerId; readonly keySha256: string; readonly notAfterMs: number };

/** A peer without a valid certificate of our authority in an agent's role is anonymous, whatever it shows. */
export function peerOf(socket: TLSSocket): Peer {
  if (!socket.authorized) return { kind: "anonymous" };
  const certificate = socket.getPeerX509Certificate();
  const serverId = serverOfAgentCertificate(certificate?.subjectAltName);
  if (certificate === undefined || serverId === null || !isUuid(serverId)) return { kind: "anonymous" };
  return {
    kind: "agent",
    serverId: serverId as ServerId,
    keySha256: keySha256(certificate.publicKey.export({ type: "spki", format: "der" })),
    notAfterMs: Date.parse(certificate.validTo),
  };
}

/** Lower-case hex SHA-256 of a SubjectPublicKeyInfo in DER: how agent_keys names a key. */
export function keySha256(spki: Uint8Array): string {
  return createHash("sha256").update(spki).digest("hex");
}

/** What an operator compares aloud: the same digest in groups of four. */
export function fingerprintOf(sha256: string): string {
  return sha256.match(/.{4}/g)?.join(" ") ?? sha256;
}
