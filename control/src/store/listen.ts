import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { ConnectionTarget } from "../postgres/connection-target.ts";
import { clientConfig } from "./database.ts";
import type { Channel } from "./transaction.ts";

export interface Listener {
  close(): Promise<void>;
}

/** The first pause after a lost connection; it doubles up to the poll's own interval. */
const FIRST_PAUSE_MS = 100;

/**
 * Calls `wake` for each notification, and with null whenever something may have been missed: after every connection and every `pollMs`.
 * A notification is a hint and never the only way to learn of work, so the caller always looks into the tables.
 */
export function listen(
  target: ConnectionTarget,
  channels: readonly Channel[],
  pollMs: number,
  wake: (channel: Channel | null, payload: string) => void,
  onLost: (error: Error) => void,
): Listener {
  const closing = new AbortController();

  const connectOnce = async (): Promise<void> => {
    const client = new pg.Client({
      ...clientConfig(target),
      application_name: "holdfast-listen",
      query_timeout: pollMs,
    });
    try {
      await new Promise<void>((resolve, reject) => {
        client.once("error", reject);
        client.once("end", () => reject(new Error("the database closed the connection")));
        closing.signal.addEventListener("abort", () => resolve(), { once: true });
        client.on("notification", ({ channel, payload }) => {
          if (isOne(channels, channel)) wake(channel, payload ?? "");
        });
        void (async () => {
          await client.connect();
          for (const channel of channels) await client.query(`listen ${channel}`);
          while (!closing.signal.aborted) {
            wake(null, "");
            await sleep(pollMs, undefined, { signal: closing.signal }).catch(() => undefined);
            // A connection that died without a word is noticed by asking it something.
            if (!closing.signal.aborted) await client.query("select 1");
          }
        })().catch(reject);
      });
    } finally {
      client.removeAllListeners("end");
      client.on("error", () => undefined);
      await client.end().catch(() => undefined);
    }
  };

  const running = (async () => {
    let pauseMs = FIRST_PAUSE_MS;
    while (!closing.signal.aborted) {
      const since = performance.now();
      try {
        await connectOnce();
      } catch (error) {
        onLost(error instanceof Error ? error : new Error(String(error)));
      }
      if (performance.now() - since > pollMs) pauseMs = FIRST_PAUSE_MS;
      if (!closing.signal.aborted) await sleep(pauseMs, undefined, { signal: closing.signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, pollMs);
    }
  })();

  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}

function isOne(channels: readonly Channel[], name: string): name is Channel {
  return (channels as readonly string[]).includes(name);
}
