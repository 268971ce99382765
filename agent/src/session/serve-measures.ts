import { createServer } from "node:http";
import { listenOnPath } from "../os/sockets.ts";

/** Root and the session's own account; a scraper in the session's group could open the guard's socket, so there is none. */
const SOCKET_MODE = 0o600;
/** Whoever reads it does so by turns. */
const MOST_READERS = 4;
/** Milliseconds for one of them to ask; one that does not holds no place for longer. */
const ASK_WITHIN_MS = 5_000;

/** `GET /metrics` over a unix socket. @throws where it cannot be made */
export async function serveMeasures(path: string, text: () => string): Promise<{ close(): void }> {
  const server = createServer((request, response) => {
    const isAsked = request.method === "GET" && request.url === "/metrics";
    response.writeHead(isAsked ? 200 : 404, { "content-type": "text/plain; version=0.0.4", connection: "close" });
    response.end(isAsked ? text() : "");
  });
  server.maxConnections = MOST_READERS;
  server.headersTimeout = ASK_WITHIN_MS;
  server.requestTimeout = ASK_WITHIN_MS;
  server.on("clientError", (_error, socket) => socket.destroy());
  await listenOnPath(server, path, SOCKET_MODE);
  return {
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
