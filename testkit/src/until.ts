import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 25;
/** For what is asked of the HTTP API, whose limit is 20 requests a second. */
export const ASK_API_EVERY_MS = 250;

/** Asks until it holds; a failure names what was waited for. */
export async function until(
  what: string | (() => string),
  holds: () => boolean | Promise<boolean>,
  patienceMs: number = PATIENCE_MS,
  everyMs: number = LOOK_EVERY_MS,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    if (await holds()) return;
    if (performance.now() > deadline)
      throw new Error(`not seen in ${patienceMs / 1000} s: ${typeof what === "string" ? what : what()}`);
    await sleep(everyMs);
  }
}
