import { isOpen } from "@holdfast/core/apply/state.ts";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { InstanceId, RequestId } from "@holdfast/core/base/id.ts";
import type { Transaction as TransactionMessage } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { checkReceipt } from "../authority/receipt.ts";
import type { AgentSession } from "../gateway/agent-session.ts";
import { agentActor } from "../store/actor.ts";
import { getApply } from "../store/applies.ts";
import type { Database } from "../store/database.ts";
import { listKeys } from "../store/enrolment.ts";
import { getHostTransaction, recordOutcome } from "../store/host-transactions.ts";
import type { Outcome } from "../store/tables.ts";
import { transaction } from "../store/transaction.ts";
import { phaseOfWire } from "./answer.ts";

export type LateOutcome =
  /** Durably ours: the server's outbox may forget it. */
  | "acknowledge"
  /** An open apply's: whoever claims it ends it with this word. */
  | "leave_to_saga"
  /** Its receipt proves nothing. */
  | "not_believed";

/**
 * An outcome that no runner waits for: of an apply that was closed without the server's word, of one whose acknowledgement got lost, or of a
 * transaction that this database has never had (a restored backup). It is kept as evidence and changes no state: the server is locked in
 * those cases, and a person decides.
 */
export async function takeLateOutcome(
  database: Database,
  session: AgentSession,
  message: TransactionMessage,
  instance: InstanceId,
): Promise<LateOutcome> {
  const phase = phaseOfWire(message.phase);
  const requestId = message.requestId as RequestId;
  if (!isOutcome(phase)) return "not_believed";
  const keys = (await listKeys(database, session.serverId))
    .filter((key) => key.state !== "revoked")
    .map((key) => key.receipt_public_key);
  if (checkReceipt(message.receipt, keys, { serverId: session.serverId, requestId, outcome: phase }) !== "valid")
    return "not_believed";
  const by = agentActor(session.serverId, session.remoteAddress, instance);
  const taken = await transaction(database, async (tx): Promise<LateOutcome> => {
    const sent = await getHostTransaction(tx, requestId);
    const apply = sent === undefined ? undefined : await getApply(tx, sent.apply_id);
    if (apply !== undefined && isOpen(apply.state) && apply.request_id === requestId) return "leave_to_saga";
    if (sent?.outcome === phase) return "acknowledge";
    const receipt: Json = {
      body: message.receipt?.body ?? "",
      signature: Buffer.from(message.receipt?.signature ?? []).toString("base64"),
    };
    if (sent !== undefined) await recordOutcome(tx, requestId, { outcome: phase, code: message.code || null, receipt });
    tx.audit({
      ...by,
      action: sent === undefined ? "transaction.unknown_outcome" : "transaction.late_outcome",
      object: apply === undefined ? `server/${session.serverId}` : `apply/${apply.id}`,
      serverId: session.serverId,
      requestId,
      new: { outcome: phase, code: message.code, receipt },
      resultCode: message.code || "ok",
    });
    return "acknowledge";
  });
  return taken.ok ? taken.value : "leave_to_saga";
}

function isOutcome(phase: string | null): phase is Outcome {
  return phase === "finalized" || phase === "reverted" || phase === "revert_failed" || phase === "refused";
}
