import type { Anchoring } from "../audit/anchoring.ts";
import type { Reconciler } from "./context.ts";

/**
 * S35: the newest signed head goes to every server that is connected here. It is woken by every look at the log, once a minute, and goes on beside
 * it: a thousand servers that answer slowly must not keep the log from being looked at. By itself it runs for the case that no look ends.
 */
export function auditAnchors(anchors: Anchoring): Reconciler {
  return {
    name: "audit-anchors",
    everyMs: 5 * 60_000,
    run: ({ sessions }) => anchors.look(sessions.all()),
  };
}
