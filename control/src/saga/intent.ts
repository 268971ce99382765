import type { Phase } from "@holdfast/core/apply/state.ts";
import { assertNever } from "@holdfast/core/base/never.ts";
import type { SagaAction, SagaView } from "./view.ts";

export type SentStamp = "prepare_sent_at" | "execute_sent_at" | "confirm_sent_at" | "abort_sent_at";

/** What must be durable before an action's message leaves: whoever takes over after a kill reads it and asks instead of guessing. */
export interface Intent {
  readonly state: SagaView["state"];
  readonly phase: Phase;
  readonly code: string | null;
  readonly message: string | null;
  readonly stamp: SentStamp | null;
  /** From now until the server undoes by itself, by the control plane's reckoning; null leaves it as it was. */
  readonly deadlineInMs: number | null;
}

/** Null when the row says already what is to be said, so nothing is written. */
export function intentOf(
  view: SagaView,
  action: Exclude<SagaAction, { kind: "finish" | "raise_fence" }>,
): Intent | null {
  const intent = wholeIntent(view, action);
  if (intent === null) return null;
  const same =
    intent.state === view.state &&
    intent.phase === view.phase &&
    intent.code === view.code &&
    intent.message === view.message;
  // That it is on trial may have come over the old session, before it closed: that it is back over a new one is news all the same.
  const isFreshWritten = view.trial === null || view.transaction.freshSinceMs !== null;
  return same && isFreshWritten && (intent.stamp === null || isStamped(view, intent.stamp)) ? null : intent;
}

function wholeIntent(view: SagaView, action: Exclude<SagaAction, { kind: "finish" | "raise_fence" }>): Intent | null {
  const keep = {
    state: view.state,
    phase: view.phase,
    code: view.code,
    message: view.message,
    stamp: null,
    deadlineInMs: null,
  } as const;
  switch (action.kind) {
    case "ask":
    case "probe":
      return null;
    case "wait":
      return {
        ...keep,
        phase: action.phase,
        deadlineInMs: action.phase === "on_trial" ? (view.answer?.remainingMs ?? null) : null,
      };
    case "take_baseline":
      return { ...keep, phase: "prepared" };
    case "send_prepare":
      return { ...keep, phase: "dispatched", stamp: "prepare_sent_at" };
    case "send_execute":
      return {
        ...keep,
        phase: "armed",
        stamp: "execute_sent_at",
        deadlineInMs: view.transaction.budgetMs + view.transaction.windowMs,
      };
    case "send_confirm":
      return { ...keep, phase: "confirming", stamp: "confirm_sent_at" };
    case "send_abort":
      return {
        state: action.undoes ? "ROLLBACKING" : view.state,
        phase: action.undoes ? "reverting" : view.phase,
        code: action.code,
        message: action.message,
        stamp: "abort_sent_at",
        deadlineInMs: null,
      };
    case "begin_undo":
      return { ...keep, state: "ROLLBACKING", phase: "reverting", code: action.code, message: action.message };
    default:
      return assertNever(action, "saga action");
  }
}

function isStamped(view: SagaView, stamp: SentStamp): boolean {
  switch (stamp) {
    case "prepare_sent_at":
      return view.transaction.prepareSentAtMs !== null;
    case "execute_sent_at":
      return view.transaction.executeSentAtMs !== null;
    case "confirm_sent_at":
      return view.transaction.confirmSentAtMs !== null;
    case "abort_sent_at":
      return view.transaction.abortSentAtMs !== null;
    default:
      return assertNever(stamp, "stamp");
  }
}
