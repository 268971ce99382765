import type { QueryClient } from "@tanstack/react-query";
import { urlOf } from "./client.ts";
import { setConnection } from "./connection.ts";

/** A browser gives a refused stream up for good; then it is opened anew after this long. */
const REOPEN_MS = 3000;
/** Many things move at once when a wave starts; asking again once per this time is enough for an eye. */
const GATHER_MS = 200;

/**
 * Keeps what is on screen fresh: each event says that something moved, and what is shown is asked for again. The event's own content is not
 * trusted for more than that, so a lost or doubled one does no harm.
 */
export function followEvents(client: QueryClient): () => void {
  let source: EventSource | null = null;
  let reopen: number | undefined;
  let gather: number | undefined;

  const refresh = (): void => {
    gather ??= window.setTimeout(() => {
      gather = undefined;
      void client.invalidateQueries({ predicate: (query) => query.meta?.["live"] === true });
    }, GATHER_MS);
  };

  const open = (): void => {
    reopen = undefined;
    source = new EventSource(urlOf("events"));
    source.addEventListener("open", () => {
      setConnection({ stream: "live" });
      // What moved while the stream was away was not told.
      refresh();
    });
    source.addEventListener("message", refresh);
    source.addEventListener("moved", refresh);
    // What was missed is not known there any more.
    source.addEventListener("reset", refresh);
    source.addEventListener("error", () => {
      setConnection({ stream: "lost" });
      if (source?.readyState === EventSource.CLOSED) reopen ??= window.setTimeout(open, REOPEN_MS);
    });
  };

  open();
  return () => {
    source?.close();
    window.clearTimeout(reopen);
    window.clearTimeout(gather);
    setConnection({ stream: "connecting" });
  };
}
