import type { PlanHead } from "../store/plans.ts";
import type { ApplyRow, HostTransactionRow } from "../store/tables.ts";
import type { SagaView } from "./view.ts";

type Known = Pick<SagaView, "answer" | "trial" | "certificateEndsMs" | "unsigned"> & {
  readonly baseline: HostTransactionRow["baseline"];
};

/** The rows of an open apply as decisions see them, with what its runner knows beyond them. */
export function viewOf(apply: ApplyRow, sent: HostTransactionRow, plan: PlanHead, known: Known): SagaView {
  if (apply.state !== "APPLYING" && apply.state !== "ROLLBACKING")
    throw new Error(`apply ${apply.id} is ${apply.state}, not open`);
  if (apply.phase === null || apply.fence === null) throw new Error(`apply ${apply.id} is open and was never claimed`);
  return {
    state: apply.state,
    phase: apply.phase,
    code: apply.code,
    message: apply.message,
    wish: apply.wish,
    wishReason: apply.wish_reason,
    certificateEndsMs: known.certificateEndsMs,
    answer: known.answer,
    trial: known.trial,
    unsigned: known.unsigned,
    transaction: {
      kind: sent.kind,
      fence: apply.fence,
      createdAtMs: sent.created_at.getTime(),
      prepareSentAtMs: ms(sent.prepare_sent_at),
      executeSentAtMs: ms(sent.execute_sent_at),
      confirmSentAtMs: ms(sent.confirm_sent_at),
      abortSentAtMs: ms(sent.abort_sent_at),
      freshSinceMs: ms(sent.fresh_since),
      probes: plan.probes,
      baseline: sent.baseline ?? known.baseline,
      soakMs: sent.trial.soakMs,
      windowMs: sent.trial.windowMs,
      budgetMs: sent.trial.budgetMs,
      needsPerson: sent.trial.needsPerson,
      before: sent.before,
    },
  };
}

function ms(date: Date | null): number | null {
  return date === null ? null : date.getTime();
}
