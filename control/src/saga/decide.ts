/**
 * What the saga does next, from what is known. No clock, no network, no database: the performer does what is said here and comes back.
 *   S1. Only the agent's word ends a transaction, and only with a valid receipt: a timeout is never a verdict (I1, I2, I16).
 *       The one exception is a person's force_close, which says `unknown` and locks the server.
 *   S2. Confirm leaves only over a session that the agent opened after on_trial (19), with every counting probe green.
 *   S3. Once an abort has been decided, Execute and Confirm are not sent again.
 *   S4. `unknown` and `stale` are no verdicts: they are left by sending again, by a tombstone, or by a person.
 *       Nor is anything that the signer of commands has refused: what is left is the way back.
 *   S5. Every open apply has a next act or a next look no more than 30 s away (14).
 */
import { assertNever } from "@holdfast/core/base/never.ts";
import type { Answer } from "./answer.ts";
import { endingOfAnswer, forcedEnding, unsentEnding } from "./ending.ts";
import { judgeTrial } from "./trial.ts";
import type { SagaAction, SagaView } from "./view.ts";

/** A server that could not be reached for so long gets a tombstone: an operator who pressed "apply" must not be surprised hours later. */
export const PREPARE_REACH_MS = 5 * 60_000;
/** On top of budget and window, before an open transaction counts as stuck. Shorter would cut off an undo in progress. */
export const STUCK_GRACE_MS = 60_000;
/** Longest time between two looks at an open apply (S5). */
export const LONGEST_LOOK_MS = 30_000;
const LOOK_MS = 1_000;

export function decide(view: SagaView, nowMs: number): SagaAction {
  const sent = view.transaction;
  if (view.wish === "force_close") return { kind: "finish", ending: forcedEnding(view) };
  if (view.answer === null) {
    if (sent.prepareSentAtMs !== null || sent.abortSentAtMs !== null) return { kind: "ask" };
    const objection = unsentObjection(view, nowMs);
    if (objection !== null) return { kind: "finish", ending: unsentEnding(view, objection) };
    return { kind: "send_prepare" };
  }
  const answer = view.answer;
  // A fence that is ahead refuses whatever is sent. Only the newest claim may believe it; an older one finds that its row has moved on.
  if (answer.maxFence > sent.fence && !isFinal(answer.phase)) return { kind: "raise_fence", above: answer.maxFence };
  switch (answer.phase) {
    case "unknown":
      return ofUnknown(view, answer, nowMs);
    case "stale":
      return { kind: "wait", ms: LONGEST_LOOK_MS, phase: "in_doubt" }; // S4
    case "prepared":
      return ofPrepared(view);
    case "armed":
    case "changing":
      return ofChanging(view, answer.phase, nowMs);
    case "on_trial":
      return ofTrial(view, answer, nowMs);
    case "confirmed":
      return { kind: "wait", ms: LOOK_MS, phase: "finalizing" };
    case "reverting":
      if (view.state === "APPLYING")
        return { kind: "begin_undo", code: answer.code || "apply.undone", message: answer.message };
      return { kind: "wait", ms: LOOK_MS, phase: "reverting" };
    case "finalized":
    case "reverted":
    case "revert_failed":
    case "refused":
      // S1. A refusal without a receipt left no tombstone, so asking will say `unknown`, and what is due is sent again.
      if (answer.receipt !== "valid") return { kind: "wait", ms: LOOK_MS * 5, phase: "in_doubt" };
      return { kind: "finish", ending: endingOfAnswer(view, answer, answer.phase) };
    default:
      return assertNever(answer.phase, "answer phase");
  }
}

/** Whether the server could still make its fresh session at the last moment of the trial. */
export function outlivesTrial(
  certificateEndsMs: number,
  { budgetMs, windowMs }: { readonly budgetMs: number; readonly windowMs: number },
  nowMs: number,
): boolean {
  return certificateEndsMs > nowMs + budgetMs + windowMs;
}

/** Why nothing is sent at all. The fresh session of the trial must be possible to its last moment, or the server undoes for no good reason. */
function unsentObjection(view: SagaView, nowMs: number): { code: string; message: string } | null {
  if (view.wish === "abort")
    return {
      code: "apply.aborted",
      message: view.wishReason ?? "an operator asked for it before anything was sent",
    };
  if (outlivesTrial(view.certificateEndsMs, view.transaction, nowMs)) return null;
  return {
    code: "apply.certificate_expires",
    message:
      "the certificate of the server's agent would expire during the trial. It is renewed at half its life: see in the agent's log why it was not, then try again",
  };
}

function ofUnknown(view: SagaView, answer: Answer, nowMs: number): SagaAction {
  const sent = view.transaction;
  // A tombstone and a new Prepare need a fence strictly above what the guard has seen; at an equal one it could only say `unknown` again.
  if (answer.maxFence === sent.fence) return { kind: "raise_fence", above: answer.maxFence };
  // The agent had prepared it, or Execute would not have left: its ledger has lost records, and with them the snapshots' meaning.
  if (sent.executeSentAtMs !== null) {
    return {
      kind: "send_abort",
      undoes: true,
      code: "apply.ledger_lost",
      message: "the server no longer knows a transaction that it had prepared",
    };
  }
  const abort = abortDue(view);
  if (abort !== null) return abort;
  if (nowMs - sent.createdAtMs > PREPARE_REACH_MS) {
    return {
      kind: "send_abort",
      undoes: false,
      code: "apply.prepare_timeout",
      message: "the server could not be reached in time; nothing was changed",
    };
  }
  return { kind: "send_prepare" };
}

function ofPrepared(view: SagaView): SagaAction {
  const abort = abortDue(view);
  if (abort !== null) return abort;
  if (view.transaction.baseline === null) return { kind: "take_baseline" };
  return { kind: "send_execute" };
}

function ofChanging(view: SagaView, phase: "armed" | "changing", nowMs: number): SagaAction {
  return abortDue(view) ?? stuck(view, nowMs) ?? { kind: "wait", ms: LOOK_MS, phase };
}

function ofTrial(view: SagaView, answer: Answer, nowMs: number): SagaAction {
  const sent = view.transaction;
  const abort = abortDue(view) ?? stuck(view, nowMs);
  if (abort !== null) return abort;
  if (!answer.fresh || view.trial === null) return { kind: "wait", ms: LOOK_MS, phase: "on_trial" }; // S2
  if (sent.confirmSentAtMs !== null) return { kind: "send_confirm" };
  const verdict = judgeTrial(
    { probes: sent.probes, baseline: sent.baseline ?? {}, soakMs: sent.soakMs, ...view.trial },
    nowMs,
  );
  switch (verdict.kind) {
    case "probe_now":
      return { kind: "probe" };
    case "soak":
      return { kind: "wait", ms: Math.min(verdict.ms, LONGEST_LOOK_MS), phase: "on_trial" };
    case "failed":
      return {
        kind: "send_abort",
        undoes: true,
        code: "apply.probe_failed",
        message: `passed before the change and fails now: ${verdict.probes.join(", ")}`,
      };
    case "green":
      if (sent.needsPerson && view.wish !== "confirm") return { kind: "wait", ms: LOOK_MS * 2, phase: "on_trial" };
      return { kind: "send_confirm" };
    default:
      return assertNever(verdict, "trial verdict");
  }
}

/** The abort that is due, the first time or again; null when nobody wants one. */
function abortDue(view: SagaView): (SagaAction & { kind: "send_abort" }) | null {
  const sent = view.transaction;
  const undoDecided = view.state === "ROLLBACKING" && sent.kind === "forward";
  const wanted = view.wish === "abort" || sent.abortSentAtMs !== null || undoDecided || view.unsigned !== null;
  if (!wanted) return null;
  return {
    kind: "send_abort",
    undoes: sent.executeSentAtMs !== null,
    code: view.code ?? view.unsigned?.code ?? "apply.aborted",
    message: view.message ?? view.unsigned?.message ?? view.wishReason ?? "an operator asked for it",
  };
}

function stuck(view: SagaView, nowMs: number): SagaAction | null {
  const sent = view.transaction;
  if (sent.executeSentAtMs === null) return null;
  const longest = sent.budgetMs + sent.windowMs + STUCK_GRACE_MS;
  if (nowMs - sent.executeSentAtMs <= longest) return null;
  return {
    kind: "send_abort",
    undoes: true,
    code: "apply.stuck",
    message: "neither confirmed nor undone long after its window",
  };
}

function isFinal(phase: Answer["phase"]): boolean {
  return phase === "finalized" || phase === "reverted" || phase === "revert_failed" || phase === "refused";
}

/** 1, 2, 4 … 30 s between two tries whose answers did not come or said nothing new. */
export function backOffMs(tries: number): number {
  return tries <= 0 ? 0 : Math.min(1_000 * 2 ** (tries - 1), LONGEST_LOOK_MS);
}
