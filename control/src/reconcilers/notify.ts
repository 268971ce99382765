import type { Channel } from "../notify/channels.ts";
import { tell } from "../notify/tell.ts";
import type { Reconciler } from "./context.ts";

/** Tells this instance's channels of alerts. Every instance does: a delivery is taken by one, and one that dies is followed by another. */
export function notify(channels: readonly Channel[], console: string): Reconciler {
  return {
    name: "notify",
    everyMs: 2_000,
    run: ({ database, log }) => tell({ database, channels, console, log, nowMs: () => Date.now() }),
  };
}
