import { setTimeout as sleep } from "node:timers/promises";
import type { ServiceActivity } from "./http2-service.ts";

/** Milliseconds between two looks whether anybody still needs the process. */
const LOOK_EVERY_MS = 1_000;

/** Resolves when nobody has called for `idleMs` and `isBusy` is false: the process may leave, its socket starts it again. */
export async function untilIdle(
  activity: ServiceActivity,
  idleMs: number,
  isBusy: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (activity.active() === 0 && !isBusy() && performance.now() - activity.lastEndedMs() >= idleMs) return;
  }
}
