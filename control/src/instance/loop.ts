import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";

/** Work that is done again and again, one at a time: on a wake at once, otherwise every so often. */
export interface Loop {
  wake(): void;
  /** Tells what is being done to stop where it may, and resolves when it has ended. */
  close(): Promise<void>;
}

export function startLoop(
  name: string,
  everyMs: number,
  log: Logger,
  work: (signal: AbortSignal) => Promise<unknown>,
  /** After each time, so that what wakes it in a row is done in one. */
  restMs = 0,
): Loop {
  const stopping = new AbortController();
  let running: Promise<void> | null = null;
  let isDue = false;
  let isClosed = false;
  const wake = (): void => {
    if (isClosed) return;
    if (running !== null) {
      isDue = true; // what was woken for may have been looked at before it came
      return;
    }
    running = work(stopping.signal)
      .then(() => undefined)
      .catch((error: unknown) => {
        if (error !== stopping.signal.reason) log.warn({ err: error, loop: name }, "will be tried again");
      })
      .then(() =>
        restMs === 0 ? undefined : sleep(restMs, undefined, { signal: stopping.signal }).catch(() => undefined),
      )
      .finally(() => {
        running = null;
        if (!isDue) return;
        isDue = false;
        wake();
      });
  };
  const timer = setInterval(wake, everyMs);
  return {
    wake,
    async close() {
      isClosed = true;
      clearInterval(timer);
      stopping.abort();
      await running;
    },
  };
}
