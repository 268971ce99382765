import http2 from "node:http2";
import type { Server } from "node:net";
import type { Duplex } from "node:stream";
import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { MAX_MESSAGE_BYTES } from "./http2-transport.ts";

export type Routes = (router: ConnectRouter) => void;

export interface ServedConnection {
  /** Resolves when the connection is gone, whoever closed it. */
  readonly closed: Promise<void>;
  /** Lets the calls under way end, then closes. */
  drain(): void;
  destroy(): void;
  /** Asks the other end for a sign of life. */
  ping(answered: () => void): void;
}

/** Serves gRPC on one connection, whoever dialled it. */
export function serveOver(socket: Duplex, routes: Routes, interceptors: readonly Interceptor[] = []): ServedConnection {
  const server = http2.createServer(handler(routes, interceptors));
  const session = http2.performServerHandshake(socket);
  const closed = new Promise<void>((resolve) => session.once("close", resolve));
  session.on("error", () => undefined);
  session.on("stream", (stream, headers, flags, rawHeaders) =>
    server.emit("stream", stream, headers, flags, rawHeaders),
  );
  return {
    closed,
    drain: () => session.close(),
    destroy: () => session.destroy(),
    ping: (answered) => {
      if (!session.destroyed && !session.closed) session.ping(() => answered());
    },
  };
}

/** What a listening service tells about itself, so that its process can leave when nobody needs it. */
export interface ServiceActivity {
  /** Calls and streams under way. */
  active(): number;
  /** performance.now() when the last one ended. */
  lastEndedMs(): number;
}

export interface GrpcServer {
  readonly server: Server;
  readonly activity: ServiceActivity;
  readonly close: () => void;
}

/** A gRPC server for a listening socket; the caller binds it. */
export function grpcServer(routes: Routes, interceptors: readonly Interceptor[] = []): GrpcServer {
  const handle = handler(routes, interceptors);
  let active = 0;
  let lastEndedMs = performance.now();
  const server = http2.createServer((request, response) => {
    active++;
    response.once("close", () => {
      active--;
      lastEndedMs = performance.now();
    });
    handle(request, response);
  });
  const sessions = new Set<http2.ServerHttp2Session>();
  let isLeaving = false;
  server.on("session", (session) => {
    sessions.add(session);
    // Whoever dialled a moment too late is told so, and dials again.
    if (isLeaving) session.close();
    session.on("error", () => undefined);
    session.once("close", () => sessions.delete(session));
  });
  return {
    server,
    activity: { active: () => active, lastEndedMs: () => lastEndedMs },
    close: () => {
      isLeaving = true;
      server.close();
      for (const session of sessions) session.close();
    },
  };
}

function handler(routes: Routes, interceptors: readonly Interceptor[]): ReturnType<typeof connectNodeAdapter> {
  return connectNodeAdapter({
    routes,
    interceptors: [...interceptors],
    grpc: true,
    grpcWeb: false,
    connect: false,
    acceptCompression: [],
    readMaxBytes: MAX_MESSAGE_BYTES,
    writeMaxBytes: MAX_MESSAGE_BYTES,
  });
}
