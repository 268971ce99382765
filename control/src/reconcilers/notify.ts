import type { Channel } from "../notify/channels.ts";
import { tell } from "../notify/tell.ts";
import type { Reconciler } from "./context.ts";

/**
 * Tells one of this instance's channels of alerts; each has a loop of its own, so that a receiver that hangs holds up its own messages only.
 * Every instance does: a delivery is taken by one, and one that dies is followed by another.
 */
export function notify(channel: Channel, console: string): Reconciler {
  return {
    name: `notify ${channel.name}`,
    everyMs: 2_000,
    run: ({ database, log, signal }) => tell({ database, channel, console, log, signal, nowMs: () => Date.now() }),
  };
}
