import type { Anchoring } from "../audit/anchoring.ts";
import type { Reconciler } from "./context.ts";

/**
 * S35: the newest signed head goes to every server that is connected here. Beside the look at the log and not behind it: a thousand servers that
 * answer slowly must not keep the log from being looked at.
 */
export function auditAnchors(anchors: Anchoring): Reconciler {
  return {
    name: "audit-anchors",
    everyMs: 60_000,
    run: ({ sessions }) => anchors.look(sessions.all()),
  };
}
