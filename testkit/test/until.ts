import { setTimeout as sleep } from "node:timers/promises";

/** Asks until it holds; ten seconds without it are a failure that names what was waited for. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i += 1) {
    if (await holds()) return;
    await sleep(25);
  }
  throw new Error(`not seen: ${what}`);
}
