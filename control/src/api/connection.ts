import type { Server } from "node:http";
import type { FastifyRequest } from "fastify";

/** The connection over which a request came: what a person's confirmation rests on. */
export interface Connection {
  /** Milliseconds since it was made; of this machine's own clock that never jumps. */
  readonly ageMs: number;
  /** Where it comes from, behind trusted proxies too; null over a socket file, which only this machine has. */
  readonly remote: string | null;
}

/** Remembers when each connection of a server was made. */
export function watchConnections(server: Server): (request: FastifyRequest) => Connection {
  const madeAtMs = new WeakMap<object, number>();
  server.on("connection", (socket) => {
    madeAtMs.set(socket, performance.now());
  });
  return (request) => {
    const now = performance.now();
    const { socket } = request.raw;
    return {
      ageMs: now - (madeAtMs.get(socket) ?? now),
      remote: socket.remoteAddress === undefined ? null : request.ip,
    };
  };
}
