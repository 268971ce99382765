/**
 * Whether a command may be signed. Pure: the rows say what is so, the wish says what is asked.
 *   J1. Nothing is signed that the database does not hold as begun: an open apply that is claimed with this fence, its current transaction,
 *       its intent to send this very message committed.
 *   J2. What goes forward is a plan of a change that is READY with the approvals it needs, in a rollout that the audit log knows, in its wave (I20).
 *   J3. The way back asks for the least: an abort is signed for whatever is open, also where everything else is in doubt.
 */
import { assertNever } from "@holdfast/core/base/never.ts";
import type { ServerFacts, TransactionFacts, TunnelActFacts } from "./store/facts.ts";
import type { SigningWish } from "./wire.ts";

export const SIGNER_REFUSALS = {
  "signer.unknown_request": "there is no such transaction in the database, or it is not the current one of its apply",
  "signer.other_server": "the transaction is of another server",
  "signer.not_claimed": "the apply is not open and claimed",
  "signer.other_fence": "the fence is not the one of the newest claim",
  "signer.not_enrolled": "the server is not enrolled",
  "signer.ended": "the transaction has ended, or its undo is decided",
  "signer.no_intent": "the database does not hold the intent to send this",
  "signer.other_plan": "the transaction is not what its plan says",
  "signer.not_approved": "the change is not READY, or lacks an approval",
  "signer.no_rollout": "no rollout that the audit log knows has this plan for this server",
  "signer.not_its_turn": "the waves before this server's have not ended",
  "signer.not_confirmed": "the server is not back over a new session, or a person has to confirm and has not",
  "signer.not_locked": "the server is not locked, or has an apply under way",
  "signer.no_act": "the database does not hold this act on a tunnel as begun, or the audit log does not know of it",
  "signer.apply_open": "the server has an apply under way",
} as const;
export type SignerRefusal = keyof typeof SIGNER_REFUSALS;

export type ApplyWish = Exclude<SigningWish, { ask: "release" | "tunnel" }>;

/** Null: it may be signed. `approvalsAtLeast` is the signer's own setting, whatever the floor of the house says, and whoever breaks its glass. */
export function judgeApply(
  wish: ApplyWish,
  facts: TransactionFacts | undefined,
  sha256: (text: string) => string,
  approvalsAtLeast: number,
): SignerRefusal | null {
  if (facts === undefined || !facts.is_current) return "signer.unknown_request";
  if (facts.server_id !== wish.serverId || facts.apply_server_id !== wish.serverId) return "signer.other_server";
  if (!facts.is_leased || (facts.apply_state !== "APPLYING" && facts.apply_state !== "ROLLBACKING"))
    return "signer.not_claimed";
  if (facts.apply_fence !== wish.fence || facts.server_fence !== wish.fence) return "signer.other_fence";
  if (facts.enrolment !== "enrolled") return "signer.not_enrolled";
  switch (wish.ask) {
    case "abort":
      return facts.abort_sent ? null : "signer.no_intent"; // J3
    case "prepare":
    case "execute":
    case "confirm":
      return judgeForward(wish.ask, facts, sha256, approvalsAtLeast);
    default:
      return assertNever(wish, "wish");
  }
}

function judgeForward(
  ask: "prepare" | "execute" | "confirm",
  facts: TransactionFacts,
  sha256: (text: string) => string,
  approvalsAtLeast: number,
): SignerRefusal | null {
  if (facts.has_outcome || facts.abort_sent) return "signer.ended";
  const isIntended = { prepare: facts.prepare_sent, execute: facts.execute_sent, confirm: facts.confirm_sent }[ask];
  if (!isIntended) return "signer.no_intent";
  if (!isItsPlan(facts, sha256)) return "signer.other_plan";
  if (facts.change_state !== "READY") return "signer.not_approved";
  // A rollback leads to what others have approved before; it is asked for in a hurry, and the floor asks for nobody's approval.
  const needed = Math.max(facts.glass_is_broken ? 0 : facts.approvals_needed, approvalsAtLeast);
  if (facts.kind === "forward" && facts.approvals < needed) return "signer.not_approved";
  if (facts.rollout_id === null || facts.rollout_change_id !== facts.change_id || !facts.rollout_is_written_down)
    return "signer.no_rollout";
  if ((facts.wave ?? 0) > (facts.current_wave ?? 0) || facts.earlier_open > 0) return "signer.not_its_turn";
  if (ask !== "confirm") return null;
  return facts.is_fresh && (!facts.needs_person || (facts.wish === "confirm" && facts.wish_by !== null))
    ? null
    : "signer.not_confirmed";
}

function isItsPlan(facts: TransactionFacts, sha256: (text: string) => string): boolean {
  return (
    facts.plan_status === "planned" &&
    facts.plan_server_id === facts.server_id &&
    facts.plan_change_id === facts.change_id &&
    facts.plan_kind === facts.kind &&
    facts.plan_plan_digest === facts.plan_digest &&
    facts.plan_config_digest === facts.config_digest &&
    facts.plan_config !== null &&
    sha256(facts.plan_config) === facts.config_digest
  );
}

export function judgeRelease(
  wish: Extract<SigningWish, { ask: "release" }>,
  facts: ServerFacts | undefined,
): SignerRefusal | null {
  if (facts === undefined || facts.enrolment !== "enrolled") return "signer.not_enrolled";
  if (facts.fence !== wish.fence) return "signer.other_fence";
  return facts.is_locked && !facts.has_open ? null : "signer.not_locked";
}

/** An act on a tunnel is as narrow as the row says; whoever asks names the row and nothing else. */
export function judgeTunnelAct(
  wish: Extract<SigningWish, { ask: "tunnel" }>,
  server: ServerFacts | undefined,
  act: TunnelActFacts | undefined,
): SignerRefusal | null {
  if (server === undefined || server.enrolment !== "enrolled") return "signer.not_enrolled";
  if (act === undefined || act.ended || !act.is_written_down) return "signer.no_act";
  if (act.server_id !== wish.serverId) return "signer.other_server";
  if (act.fence !== wish.fence || server.fence !== wish.fence) return "signer.other_fence";
  return server.has_open ? "signer.apply_open" : null;
}
