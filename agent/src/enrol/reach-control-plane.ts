import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { GRPC_ALPN } from "@holdfast/proto/wire/session.ts";
import { isControlPlane } from "../session/credentials.ts";

/** Milliseconds for TCP and TLS together. */
const TIMEOUT_MS = 15_000;

export interface FirstContact {
  readonly socket: TLSSocket;
  readonly authorityPem: string;
}

/**
 * The first connection, when nothing is known but the fingerprint of the control plane's authority that the operator has pasted. The token is
 * sent only after the peer has shown a certificate of exactly that authority and in the control plane's role.
 */
export function reachControlPlane(
  host: string,
  port: number,
  authorityFingerprint: string,
): Promise<Result<FirstContact, string>> {
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      minVersion: "TLSv1.3",
      ALPNProtocols: [GRPC_ALPN],
      // Nothing is trusted yet: `authorityOf` below decides, before a single byte of ours is sent.
      rejectUnauthorized: false,
    });
    const timer = setTimeout(() => end(err(`${host}:${port} does not answer`)), TIMEOUT_MS);
    const end = (result: Result<FirstContact, string>): void => {
      clearTimeout(timer);
      if (!result.ok) socket.destroy();
      resolve(result);
    };
    socket.on("error", (error: Error) => end(err(`${host}:${port}: ${error.message}`)));
    socket.once("secureConnect", () => {
      const authority = authorityOf(socket, authorityFingerprint);
      end(authority.ok ? ok({ socket, authorityPem: authority.value }) : authority);
    });
  });
}

function authorityOf(socket: TLSSocket, fingerprint: string): Result<string, string> {
  const shown = socket.getPeerCertificate(true);
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return err("the peer showed no certificate");
  const wanted = fingerprint.replace(/[\s:]/g, "").toLowerCase();
  for (let one = shown, depth = 0; depth < 5; one = one.issuerCertificate, depth++) {
    const certificate = new X509Certificate(one.raw);
    if (certificate.fingerprint256.replaceAll(":", "").toLowerCase() === wanted) {
      if (!certificate.ca || !leaf.checkIssued(certificate) || !leaf.verify(certificate.publicKey))
        return err("the peer's certificate was not issued by that authority");
      if (!isControlPlane(leaf)) return err("the peer is not the control plane: its certificate has another role");
      return ok(`${certificate.toString().trimEnd()}\n`);
    }
    // A self-signed one ends the chain.
    if (one.issuerCertificate === undefined || one.issuerCertificate === one) break;
  }
  return err(
    "the peer's authority is not the one with the given fingerprint. Somebody may stand between, or the fingerprint is of another control plane",
  );
}
