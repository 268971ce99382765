import { mayMove } from "@holdfast/core/apply/state.ts";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Generation } from "@holdfast/core/base/id.ts";
import type { Actor } from "../store/actor.ts";
import { move } from "../store/apply-move.ts";
import { listAssignments, moveAssignments } from "../store/assignments.ts";
import { recordOutcome } from "../store/host-transactions.ts";
import type { PlanHead } from "../store/plans.ts";
import { quarantine } from "../store/quarantines.ts";
import { believeFence, lockForApplies, recordConfirmed } from "../store/servers.ts";
import type { ApplyRow, HostTransactionRow } from "../store/tables.ts";
import type { Transaction } from "../store/transaction.ts";
import { quarantineVerdict } from "./quarantine.ts";
import type { Ending } from "./view.ts";

export interface Evidence {
  readonly receipt: Json;
  readonly generation: number;
  readonly lastStep: string;
}

/** The last line of an apply or of its rollback, with everything that moves together with it, in one transaction. */
export async function recordEnding(
  tx: Transaction,
  apply: ApplyRow,
  sent: HostTransactionRow,
  plan: PlanHead,
  ending: Ending,
  evidence: Evidence | null,
  by: Actor,
): Promise<ApplyRow> {
  if (ending.outcome !== null) {
    // The server's word first: the database's own law asks for it (I1, I2).
    await recordOutcome(tx, sent.request_id, {
      outcome: ending.outcome,
      code: ending.code,
      receipt: evidence?.receipt ?? null,
    });
  }
  const before = await listAssignments(tx, apply.server_id);
  const last = await moveTo(tx, apply, ending, evidence, by);
  if (ending.confirmed && plan.config_digest !== null) {
    await recordConfirmed(tx, apply.server_id, {
      generation: (evidence?.generation ?? 0) as Generation,
      digest: plan.config_digest,
      applyId: apply.id,
    });
    await moveAssignments(tx, apply.server_id, apply.id, plan.revisions);
  }
  if (ending.lock !== null) await lockForApplies(tx, apply.server_id, ending.lock.code, ending.lock.reason, by);
  if (ending.raiseFence && apply.fence !== null) await believeFence(tx, apply.server_id, apply.fence, by);
  const verdict = quarantineVerdict(ending.code);
  if (sent.kind === "forward" && ending.state === "ROLLED_BACK" && verdict !== "no") {
    // What was in force before did not become bad by standing beside it.
    const brought = plan.revisions.filter(
      (ref) => !before.some((old) => old.document_id === ref.document_id && old.revision === ref.revision),
    );
    await quarantine(
      tx,
      apply.server_id,
      apply.id,
      brought,
      ending.code ?? "apply.undone",
      verdict === "transient",
      by,
    );
  }
  return last;
}

async function moveTo(
  tx: Transaction,
  apply: ApplyRow,
  ending: Ending,
  evidence: Evidence | null,
  by: Actor,
): Promise<ApplyRow> {
  const why = { code: ending.code, message: ending.message };
  const mayHaveChanged = apply.state === "APPLYING" && ending.state === "FAILED" && ending.effect !== "none";
  const direct = mayMove(apply.state, ending.state) && !mayHaveChanged;
  const from = direct ? apply : await move(tx, apply, { to: "ROLLBACKING", phase: "reverting", ...why }, by);
  const last = evidence === null || evidence.lastStep === "" ? {} : { lastStep: evidence.lastStep };
  return move(
    tx,
    from,
    {
      to: ending.state,
      ...(ending.effect === null ? {} : { effect: ending.effect }),
      serverIs: ending.serverIs,
      ...why,
      ...last,
    },
    by,
  );
}
