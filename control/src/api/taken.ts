import { once } from "node:events";
import type { Writable } from "node:stream";

/** After a write that said "enough": until the client has taken it, or is gone. Nothing of the waiting stays behind: an answer may wait a thousand times. */
export async function taken(stream: Writable): Promise<void> {
  if (stream.destroyed) return;
  const over = new AbortController();
  const { signal } = over;
  try {
    await Promise.race([once(stream, "drain", { signal }), once(stream, "close", { signal })]);
  } catch (error) {
    // The wire's own fault ends the answer as a client that leaves does.
    if (!stream.destroyed) throw error;
  } finally {
    over.abort();
  }
}
