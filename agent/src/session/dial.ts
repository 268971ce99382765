import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { isControlPlane, type Credentials } from "./credentials.ts";

/** Milliseconds for TCP and TLS together. Too short fails on slow links, too long eats the reconnect time of a trial. */
const DIAL_TIMEOUT_MS = 8_000;
/** Milliseconds after which the kernel begins to ask whether the peer still is there. */
const TCP_KEEPALIVE_MS = 15_000;

/** A new TCP connection and a new TLS 1.3 handshake with the control plane, both sides known by the pinned authority. */
export function dial(
  address: { readonly host: string; readonly port: number },
  credentials: Credentials,
  alpn: string,
): Promise<Result<TLSSocket, string>> {
  return new Promise((resolve) => {
    const socket = connect({
      host: address.host,
      port: address.port,
      ...(isIP(address.host) === 0 ? { servername: address.host } : {}),
      key: credentials.keyPem,
      cert: credentials.certificatePem,
      ca: credentials.authorityPem,
      minVersion: "TLSv1.3",
      ALPNProtocols: [alpn],
      // Who it is, is said by the authority and the role in the certificate; how it is reached may change.
      checkServerIdentity: () => undefined,
    });
    const timer = setTimeout(() => end(err(`no TLS session in ${DIAL_TIMEOUT_MS} ms`)), DIAL_TIMEOUT_MS);
    const end = (result: Result<TLSSocket, string>): void => {
      clearTimeout(timer);
      socket.removeListener("close", closed);
      if (!result.ok) socket.destroy();
      resolve(result);
    };
    const closed = (): void => end(err("the control plane closed the connection"));
    socket.once("close", closed);
    // Also later, when nobody listens any more: the connection's end is seen by who serves it.
    socket.on("error", (error: Error) => end(err(error.message)));
    socket.once("secureConnect", () => {
      const certificate = socket.getPeerX509Certificate();
      if (certificate === undefined || !isControlPlane(certificate))
        return end(err("the peer is not the control plane: its certificate has another role"));
      if (socket.alpnProtocol !== alpn) return end(err(`the peer does not speak ${alpn}`));
      socket.setNoDelay(true);
      socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
      end(ok(socket));
    });
  });
}
