import type { ServedConnection } from "../rpc/http2-service.ts";

/** Milliseconds between two questions whether the other end still answers, and how long it may take. Shorter cuts slow links. */
const PING_EVERY_MS = 10_000;
const PING_TIMEOUT_MS = 10_000;

/** Ends a connection whose other end does not answer any more: a dead wire gives no error by itself. */
export function keepAlive(connection: ServedConnection): void {
  const timer = setInterval(() => {
    const late = setTimeout(() => connection.destroy(), PING_TIMEOUT_MS);
    connection.ping(() => clearTimeout(late));
  }, PING_EVERY_MS);
  void connection.closed.then(() => clearInterval(timer));
}
