import { assertNever } from "@holdfast/core/base/never.ts";
import type { Answer } from "./answer.ts";
import type { Ending, SagaView } from "./view.ts";

type FinalPhase = "finalized" | "reverted" | "revert_failed" | "refused";

const NO_LOCK = { lock: null, raiseFence: false } as const;

/** How the agent's last word reads in the apply's row. */
export function endingOfAnswer(view: SagaView, answer: Answer, phase: FinalPhase): Ending {
  return view.transaction.kind === "forward" ? ofForward(view, answer, phase) : ofRollback(view, answer, phase);
}

function ofForward(view: SagaView, answer: Answer, phase: FinalPhase): Ending {
  const undone = view.state === "ROLLBACKING";
  const why = { code: answer.code || view.code, message: answer.message || view.message };
  switch (phase) {
    case "finalized":
      return {
        state: "APPLIED",
        effect: null,
        serverIs: "as_requested",
        code: undone ? "apply.abort_lost" : null,
        message: undone ? "the server had confirmed before the abort arrived; roll back if you want it away" : null,
        outcome: "finalized",
        confirmed: true,
        ...NO_LOCK,
      };
    case "reverted":
      // Power lost while prepared: the boot closed it, and nothing had been changed.
      if (view.transaction.executeSentAtMs === null) return unchanged(why, "reverted");
      return {
        state: "ROLLED_BACK",
        effect: null,
        serverIs: "as_before",
        ...why,
        outcome: "reverted",
        confirmed: false,
        ...NO_LOCK,
      };
    case "revert_failed":
      return restoreFailed(answer, why);
    case "refused":
      if (view.code === "apply.ledger_lost")
        return unknown("refused", "apply.ledger_lost", "the server's ledger lost a transaction that was under way");
      if (!undone) return unchanged(why, "refused");
      return {
        state: "ROLLED_BACK",
        effect: null,
        serverIs: "as_before",
        ...why,
        outcome: "refused",
        confirmed: false,
        ...NO_LOCK,
      };
    default:
      return assertNever(phase, "final phase");
  }
}

function ofRollback(view: SagaView, answer: Answer, phase: FinalPhase): Ending {
  const why = { code: answer.code || view.code, message: answer.message || view.message };
  switch (phase) {
    case "finalized":
      return {
        state: "ROLLED_BACK",
        effect: null,
        serverIs: "as_before",
        code: "apply.rolled_back_by_operator",
        message: null,
        outcome: "finalized",
        confirmed: true,
        ...NO_LOCK,
      };
    case "reverted":
    case "refused":
      if (view.code === "apply.ledger_lost")
        return unknown(phase, "apply.ledger_lost", "the server's ledger lost a transaction that was under way");
      return asBefore(view, phase, why);
    case "revert_failed": {
      const failed = restoreFailed(answer, why);
      // What the forward change left behind was not known before, and a rollback that failed has taught nobody.
      const wasUnknown = view.transaction.before?.effect === "unknown";
      return wasUnknown ? { ...failed, effect: "unknown", serverIs: "unknown" } : failed;
    }
    default:
      return assertNever(phase, "final phase");
  }
}

/** A person closed an apply that the agent did not answer for (S1's exception). */
export function forcedEnding(view: SagaView): Ending {
  const reason = view.wishReason ?? "closed by an operator without the server's answer";
  return { ...unknown(null, "apply.force_closed", reason), raiseFence: true };
}

/** Given up before any message left: nothing needs asking. */
export function unsentEnding(view: SagaView, why: { readonly code: string; readonly message: string }): Ending {
  return view.transaction.kind === "rollback" ? asBefore(view, null, why) : unchanged(why, null);
}

interface Why {
  readonly code: string | null;
  readonly message: string | null;
}

function unchanged(why: Why, outcome: Ending["outcome"]): Ending {
  return {
    state: "FAILED",
    effect: "none",
    serverIs: "as_before",
    code: why.code ?? "apply.refused",
    message: why.message,
    outcome,
    confirmed: false,
    ...NO_LOCK,
  };
}

function restoreFailed(answer: Answer, why: Why): Ending {
  const code = why.code ?? "apply.restore_failed";
  return {
    state: "FAILED",
    effect: "restore_failed",
    // It said that it could not restore; that it is "as before" all the same would need its own proof.
    serverIs: answer.serverIs === "mixed" ? "mixed" : "unknown",
    code,
    message: why.message,
    outcome: "revert_failed",
    confirmed: false,
    lock: { code: "server.restore_failed", reason: `the automatic undo could not restore the server (${code})` },
    raiseFence: false,
  };
}

function unknown(outcome: Ending["outcome"], code: string, message: string): Ending {
  return {
    state: "FAILED",
    effect: "unknown",
    serverIs: "unknown",
    code,
    message,
    outcome,
    confirmed: false,
    lock: { code: "server.state_unknown", reason: message },
    raiseFence: false,
  };
}

/** A rollback that came to nothing leaves the apply where it stood. */
function asBefore(view: SagaView, outcome: Ending["outcome"], why: Why): Ending {
  const before = view.transaction.before ?? { state: "FAILED", effect: "unknown", serverIs: "unknown" };
  const because = why.message ?? "no reason given";
  return {
    state: before.state,
    effect: before.effect,
    serverIs: before.serverIs,
    code: "apply.rollback_was_undone",
    message: `the rollback did not take place (${why.code ?? "no code"}): ${because}`,
    outcome,
    confirmed: false,
    ...NO_LOCK,
  };
}
