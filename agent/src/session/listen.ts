import { createServer, type TLSSocket } from "node:tls";
import { GRPC_ALPN } from "@holdfast/proto/wire/session.ts";
import { isControlPlane, type Credentials } from "./credentials.ts";

/**
 * For sites where the control plane dials, and for people with a control plane's certificate and a gRPC tool. The same service, the same
 * rules: TLS 1.3, both certificates from the pinned authority, and only the control plane's role may command.
 */
export function listenForControlPlane(
  address: { readonly host: string; readonly port: number },
  credentials: Credentials,
  serve: (socket: TLSSocket, sinceMonotonicNs: bigint) => void,
): Promise<{ close(): void }> {
  const server = createServer({
    key: credentials.keyPem,
    cert: credentials.certificatePem,
    ca: credentials.authorityPem,
    minVersion: "TLSv1.3",
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: [GRPC_ALPN],
  });
  server.on("tlsClientError", () => undefined);
  server.on("secureConnection", (socket) => {
    socket.on("error", () => undefined);
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined || !isControlPlane(certificate)) socket.destroy();
    else {
      socket.setNoDelay(true);
      serve(socket, process.hrtime.bigint());
    }
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, () => resolve({ close: () => server.close() }));
  });
}
