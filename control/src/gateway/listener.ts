/**
 * The agent port: TLS 1.3 and nothing below it, our own authority, one question per connection.
 *   L1. A peer without a valid agent's certificate reaches exactly one method, Enroll (S1).
 *   L2. A certificate is not enough: its key must be active for the server that it names, now (S3).
 *   L3. ALPN says what the socket is for; anything else is closed.
 */
import {
  createServer as createHttp2Handler,
  performServerHandshake,
  type Http2Server,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import tls from "node:tls";
import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { EnrolmentService, RenewalService } from "@holdfast/proto/gen/holdfast/v1/enrolment_pb.ts";
import { AGENT_SESSION_ALPN, GRPC_ALPN } from "@holdfast/proto/wire/session.ts";
import { AGENT_PORT_CERTIFICATE_MS, type CertificateAuthority } from "../authority/certificate-authority.ts";
import type { EnrolmentHandler } from "./enrolment.ts";
import { type Peer, peerOf } from "./peer.ts";
import type { RenewalHandler } from "./renewal.ts";

export type AgentPeer = Peer & { kind: "agent" };

export interface ListenerOptions {
  readonly certificates: CertificateAuthority;
  readonly host: string;
  readonly port: number;
  /** DNS names and addresses that agents dial; they stand in the certificate. */
  readonly names: readonly string[];
  readonly nowMs: () => number;
  readonly enrol: EnrolmentHandler;
  readonly renew: RenewalHandler;
  /** False: the key is not active for that server any more, or never was. */
  readonly mayEnter: (peer: AgentPeer) => Promise<boolean>;
  /** Takes the socket over. */
  readonly onSession: (socket: tls.TLSSocket, peer: AgentPeer) => void;
  readonly onRefused: (reason: string, remote: string) => void;
}

export interface AgentListener {
  readonly port: number;
  close(): Promise<void>;
}

/** A peer that does not finish its handshake holds a socket; a slow link needs a few seconds for it. */
const HANDSHAKE_TIMEOUT_MS = 15_000;
/** Enrolment and renewal are one call; a connection that idles has nothing to do here. */
const CALLS_IDLE_MS = 60_000;

const LOOK_AT_OWN_CERTIFICATE_MS = 3_600_000;

export async function listenForAgents(options: ListenerOptions): Promise<AgentListener> {
  const { certificates } = options;
  let own = await certificates.issueForAgentPort({ names: options.names, nowMs: options.nowMs() });
  const contextOf = (issued: typeof own): tls.SecureContextOptions => ({
    cert: issued.certificatePem,
    key: issued.keyPem,
    ca: certificates.certificatePem,
  });
  const server = tls.createServer({
    ...contextOf(own),
    minVersion: "TLSv1.3",
    requestCert: true,
    rejectUnauthorized: false, // who has none may enrol; `peerOf` decides
    ALPNProtocols: [AGENT_SESSION_ALPN, GRPC_ALPN],
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  });
  // Raw sockets, so that one whose handshake is under way cannot outlive the listener.
  const sockets = new Set<Socket>();
  let isClosing = false;
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("tlsClientError", (error, socket) => options.onRefused(error.message, socket.remoteAddress ?? ""));
  server.on("secureConnection", (socket) => {
    socket.on("error", () => socket.destroy());
    if (isClosing) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    void admit(socket, options).catch((error: unknown) => {
      options.onRefused(error instanceof Error ? error.message : String(error), socket.remoteAddress ?? "");
      socket.destroy();
    });
  });
  const renewOwn = async (): Promise<void> => {
    own = await certificates.issueForAgentPort({ names: options.names, nowMs: options.nowMs() });
    server.setSecureContext(contextOf(own));
  };
  const renewal = setInterval(() => {
    // At half life, so that an agent whose clock is a little ahead never meets an expired one.
    if (options.nowMs() < own.notAfterMs - AGENT_PORT_CERTIFICATE_MS / 2) return;
    void renewOwn().catch((error: unknown) =>
      options.onRefused(`the agent port's certificate could not be renewed: ${String(error)}`, ""),
    );
  }, LOOK_AT_OWN_CERTIFICATE_MS);
  renewal.unref();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      isClosing = true;
      clearInterval(renewal);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function admit(socket: tls.TLSSocket, options: ListenerOptions): Promise<void> {
  const peer = peerOf(socket);
  const remote = socket.remoteAddress ?? "";
  const refuse = (reason: string): void => {
    options.onRefused(reason, remote);
    socket.destroy();
  };
  if (socket.alpnProtocol === GRPC_ALPN) {
    const known = peer.kind === "agent" && (await options.mayEnter(peer)); // L1, L2
    if (!socket.destroyed) serve(socket, callsFor(options, known ? peer : null, remote));
    return;
  }
  if (socket.alpnProtocol !== AGENT_SESSION_ALPN)
    return refuse(`the protocol ${String(socket.alpnProtocol)} is not spoken here`); // L3
  if (peer.kind !== "agent") return refuse("a session needs an agent's certificate of this house");
  if (!(await options.mayEnter(peer)))
    return refuse(`the key ${peer.keySha256} is not active for server ${peer.serverId}`);
  if (!socket.destroyed) options.onSession(socket, peer);
}

/** What a peer may call. Built for the one whom it is served to, so that a forgotten check cannot open a door. */
function callsFor(options: ListenerOptions, peer: AgentPeer | null, remote: string): Http2Server {
  const routes = (router: ConnectRouter): void => {
    router.service(EnrolmentService, { enroll: (request) => options.enrol(request, remote) });
    if (peer !== null) router.service(RenewalService, { renew: (request) => options.renew(request, peer) });
  };
  return createHttp2Handler(
    connectNodeAdapter({
      routes,
      fallback: (_request, response) => {
        // gRPC's own form: HTTP 200, and UNAUTHENTICATED (16) in the trailers.
        response.writeHead(200, {
          "content-type": "application/grpc",
          "grpc-status": "16",
          "grpc-message": "only enrolment is open to a peer without a certificate",
        });
        response.end();
      },
    }),
  );
}

function serve(socket: tls.TLSSocket, handler: Http2Server): void {
  const session: ServerHttp2Session = performServerHandshake(socket);
  session.setTimeout(CALLS_IDLE_MS, () => session.destroy());
  session.on("error", () => session.destroy());
  session.on("stream", (stream, headers, flags, raw) => handler.emit("stream", stream, headers, flags, raw));
}
