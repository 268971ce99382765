import { setTimeout as sleep } from "node:timers/promises";

/** What was promised, or null when it takes longer. Whoever promised goes on; nobody hears of it any more. */
export async function within<T>(ms: number, promised: Promise<T>): Promise<T | null> {
  const waiting = new AbortController();
  const late = sleep(ms, null, { signal: waiting.signal, ref: false }).catch(() => null);
  try {
    return await Promise.race([promised, late]);
  } finally {
    waiting.abort();
  }
}
