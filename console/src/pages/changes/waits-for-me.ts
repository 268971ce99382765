import type { ChangeDetail, ChangeSummary } from "@holdfast/core/api/change.ts";

/** Of the newest only: each is asked about by itself. */
export const MOST_ASKED = 20;

/**
 * What might wait for this person: drafts, and what is READY and may have lost an approval. Nobody approves their own; what went first in an
 * emergency is an alert of its own.
 */
export function mayWaitFor(changes: readonly ChangeSummary[], user: string): readonly ChangeSummary[] {
  return changes
    .filter((change) => (change.state === "DRAFT" || change.state === "READY") && change.author !== user)
    .slice(0, MOST_ASKED);
}

/** The control plane's own word on who may approve, and whether anybody still has to. */
export function waitsForMe(change: Pick<ChangeDetail, "actions" | "approvals">): boolean {
  return change.actions.approve === null && change.approvals.given.length < change.approvals.needed;
}
