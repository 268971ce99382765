/**
 * Which buttons a person may press, and why not. Null is "yes"; otherwise the text is the reason, in words. The API refuses with the same
 * text that the console shows beside the grey button, because both are made here.
 *   B1. A button is offered only where the state table has the step that it asks for.
 *   B2. Abort is offered as long as the outcome is open: late aborts are answered by the server, not guessed here.
 */
import { assertNever } from "../base/never.ts";
import { isOpen, mayMove, type ApplyState, type Effect, type Phase } from "./state.ts";

export interface ApplyView {
  readonly state: ApplyState;
  readonly phase: Phase | null;
  readonly effect: Effect | null;
  /** An operator's wish that has not been carried out yet. */
  readonly wish: "confirm" | "abort" | "force_close" | null;
  /** The floor or the change asks for a person's confirmation. */
  readonly needsPerson: boolean;
  /** The open transaction is the rollback of an apply that had been confirmed. */
  readonly isRollback: boolean;
  /** A newer apply of another change is, or was, on this server after this one. */
  readonly superseded: boolean;
  /** A newer apply retries this one already. */
  readonly retried: boolean;
  /** The code for which its revisions are quarantined on the server, where trying again does not change the cause; null: none. */
  readonly quarantinedFor: string | null;
  /** Why the server takes no applies at all, in words; null when it does. */
  readonly serverRefuses: string | null;
}

export interface ApplyActions {
  readonly confirm: string | null;
  readonly abort: string | null;
  readonly retry: string | null;
  readonly rollback: string | null;
  readonly forceClose: string | null;
}

export function applyActions(view: ApplyView): ApplyActions {
  return {
    confirm: whyNotConfirm(view),
    abort: whyNotAbort(view),
    retry: whyNotRetry(view),
    rollback: whyNotRollback(view),
    forceClose: whyNotForceClose(view),
  };
}

function whyNotConfirm(view: ApplyView): string | null {
  if (!isOpen(view.state)) return `It is ${view.state}: there is no trial to confirm.`;
  if (view.wish === "confirm") return "It has been confirmed by a person already and waits for its probes.";
  if (view.wish !== null) return "It is being undone.";
  if (view.state === "ROLLBACKING" && !view.isRollback) return "It is being undone.";
  if (!view.needsPerson) return "It is confirmed by probes; nobody needs to press anything.";
  if (view.phase !== "on_trial") return `It is not on trial yet (${view.phase ?? "not begun"}).`;
  return null;
}

function whyNotAbort(view: ApplyView): string | null {
  switch (view.state) {
    case "READY":
      return null;
    case "APPLYING":
      return view.wish === "abort" ? "Its undo has been asked for already." : null;
    case "ROLLBACKING":
      if (!view.isRollback) return "It is being undone already.";
      return view.wish === "abort" ? "It has been asked for already." : null;
    case "DRAFT":
    case "APPLIED":
    case "FAILED":
    case "ROLLED_BACK":
    case "CANCELLED":
      return `It is ${view.state}: nothing is under way${view.state === "APPLIED" ? "; roll it back instead" : ""}.`;
    default:
      return assertNever(view.state, "apply state");
  }
}

/** A new apply of the same change on the same server. */
export function whyNotRetry(
  view: Pick<ApplyView, "state" | "effect" | "retried" | "quarantinedFor" | "serverRefuses">,
): string | null {
  if (isOpen(view.state) || view.state === "READY" || view.state === "DRAFT") return "It has not ended yet.";
  if (view.state === "APPLIED") return "It is in force; there is nothing to try again.";
  if (view.state === "FAILED" && view.effect !== "none")
    return "What it left on the server is not as before: look at it, and roll it back first.";
  if (view.retried) return "It has been tried again already.";
  if (view.quarantinedFor !== null) return whyQuarantined(view.quarantinedFor);
  return view.serverRefuses;
}

export function whyQuarantined(code: string): string {
  return `It was undone for a reason that trying again does not change (${code}): mend the document in a new change.`;
}

function whyNotRollback(view: ApplyView): string | null {
  if (isOpen(view.state)) return "It is still under way: abort it instead.";
  if (!mayMove(view.state, "ROLLBACKING", view.effect)) {
    return view.state === "FAILED"
      ? "It changed nothing, so there is nothing to roll back."
      : `It is ${view.state}: there is nothing to roll back.`;
  }
  // A server that is locked because of this very failure must be mendable by its rollback.
  if (view.state === "FAILED") return null;
  if (view.superseded)
    return "Another change has been applied on this server since; roll back the change, which says what stands in the way.";
  return view.serverRefuses;
}

function whyNotForceClose(view: ApplyView): string | null {
  if (!isOpen(view.state)) return `It is ${view.state}: there is nothing to give up on.`;
  if (view.phase !== "in_doubt" && view.phase !== "reverting")
    return "The server still answers for it: abort it instead.";
  if (view.wish === "force_close") return "It is being closed already.";
  return null;
}

export interface ChangeView {
  /** Rolled up over its applies. */
  readonly state: ApplyState;
  readonly ownState: "DRAFT" | "READY" | "CANCELLED";
  readonly hasItems: boolean;
  readonly hasErrors: boolean;
  readonly approvalsNeeded: number;
  readonly approvalsGiven: number;
  /** The floors let a person apply before the approvals, with a reason. */
  readonly mayBreakGlass: boolean;
  readonly callerIsAuthor: boolean;
  readonly callerHasApproved: boolean;
  /** Plans of the newest round, by what they came to. */
  readonly plannable: number;
  readonly planned: boolean;
  readonly openRollout: boolean;
  readonly everApplied: boolean;
  /** It is in force on some server now, or what it left behind there is not as before. */
  readonly inForce: boolean;
  /** Servers that had what it asks for already have taken its revisions over. */
  readonly isAdopted: boolean;
}

export interface ChangeActions {
  readonly edit: string | null;
  readonly plan: string | null;
  readonly apply: string | null;
  readonly withdraw: string | null;
  readonly rollback: string | null;
  readonly approve: string | null;
  readonly withdrawApproval: string | null;
  readonly breakGlass: string | null;
}

export function changeActions(view: ChangeView): ChangeActions {
  const withdrawn = "It has been withdrawn.";
  const invalid = "Its documents have errors; mend them first.";
  return {
    edit:
      view.ownState === "CANCELLED"
        ? withdrawn
        : view.ownState === "READY"
          ? "Its revisions are numbered and cannot change any more; make another change."
          : view.callerIsAuthor
            ? null
            : "Only its author edits a draft.",
    plan:
      view.ownState === "CANCELLED"
        ? withdrawn
        : !view.hasItems
          ? "It holds no document."
          : view.hasErrors
            ? invalid
            : null,
    apply: whyNotApply(view, withdrawn, invalid),
    withdraw:
      view.ownState === "CANCELLED"
        ? "It has been withdrawn already."
        : view.everApplied
          ? "It has been applied; roll it back instead."
          : view.openRollout
            ? "Its rollout is under way."
            : null,
    rollback: view.openRollout
      ? "Its rollout is under way; abort or halt that."
      : view.inForce
        ? null
        : "It is in force on no server.",
    approve: whyNotApprove(view, withdrawn, invalid),
    withdrawApproval: view.callerHasApproved ? whyApprovalIsUsed(view) : "You have not approved it.",
    breakGlass: whyNotBreakGlass(view, withdrawn, invalid),
  };
}

function whyNotApply(view: ChangeView, withdrawn: string, invalid: string): string | null {
  if (view.ownState === "CANCELLED") return withdrawn;
  if (view.hasErrors) return invalid;
  if (view.openRollout) return "Its rollout is under way.";
  if (!view.planned) return "It has not been planned yet.";
  if (view.approvalsGiven < view.approvalsNeeded) {
    const missing = view.approvalsNeeded - view.approvalsGiven;
    return `It waits for ${missing} approval${missing === 1 ? "" : "s"} by somebody other than its author.`;
  }
  if (view.plannable === 0) return "No server has a plan that can be applied.";
  return null;
}

function whyNotBreakGlass(view: ChangeView, withdrawn: string, invalid: string): string | null {
  if (view.approvalsGiven >= view.approvalsNeeded) return "It needs no approval; there is no glass to break.";
  if (!view.mayBreakGlass) return "The floor does not let this go before its approvals.";
  return whyNotApply({ ...view, approvalsNeeded: 0 }, withdrawn, invalid);
}

function whyNotApprove(view: ChangeView, withdrawn: string, invalid: string): string | null {
  if (view.ownState === "CANCELLED") return withdrawn;
  if (view.ownState === "READY" && view.approvalsGiven >= view.approvalsNeeded) return "It has what it needs already.";
  if (view.callerIsAuthor) return "Nobody approves their own change.";
  if (view.callerHasApproved) return "You have approved it already.";
  if (view.hasErrors) return invalid;
  return view.planned ? null : "It has not been planned yet; there is nothing to look at.";
}

/** An approval is its giver's own word until a server moves by it, and again when nothing of that is left: it must not be used a second time. */
export function whyApprovalIsUsed(view: Pick<ChangeView, "openRollout" | "inForce" | "isAdopted">): string | null {
  if (view.openRollout) return "Its rollout is under way; abort or halt that.";
  return view.inForce || view.isAdopted ? "It is in force; roll it back instead." : null;
}

export type RolloutStateWord = "RUNNING" | "PAUSED" | "HALTED" | "DONE";

export interface RolloutActions {
  readonly pause: string | null;
  readonly resume: string | null;
  readonly halt: string | null;
}

/** A halted rollout is at its end: what it did not reach is applied again, with plans of that day, when a person has looked. */
export function rolloutActions(state: RolloutStateWord): RolloutActions {
  switch (state) {
    case "RUNNING":
      return { pause: null, resume: "It is running.", halt: null };
    case "PAUSED":
      return { pause: "It is paused.", resume: null, halt: null };
    case "HALTED":
      return {
        pause: "It is halted.",
        resume: "It was halted; apply the change again on the servers that it did not reach.",
        halt: "It is halted.",
      };
    case "DONE":
      return { pause: "It is done.", resume: "It is done.", halt: "It is done." };
    default:
      return assertNever(state, "rollout state");
  }
}
