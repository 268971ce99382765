import type { ApplyId, InstanceId } from "@holdfast/core/base/id.ts";
import { systemActor } from "../store/actor.ts";
import { lockApply } from "../store/applies.ts";
import { claimOne } from "../store/apply-claim.ts";
import type { Database } from "../store/database.ts";
import { getHostTransaction } from "../store/host-transactions.ts";
import { getPlan } from "../store/plans.ts";
import { transaction } from "../store/transaction.ts";
import { forcedEnding } from "./ending.ts";
import { recordEnding } from "./record-ending.ts";
import { listForced } from "./store/forced.ts";
import { viewOf } from "./view-of-rows.ts";

/**
 * Closes what a person wants closed and whose server nobody holds: FAILED(unknown), the server locked, its fence raised so that nothing sent
 * before counts any more. What a living instance holds, its own runner closes.
 */
export async function closeForced(database: Database, instance: InstanceId): Promise<number> {
  let closed = 0;
  for (const id of await listForced(database)) {
    if (await closeOne(database, instance, id)) closed += 1;
  }
  return closed;
}

async function closeOne(database: Database, instance: InstanceId, id: ApplyId): Promise<boolean> {
  const by = systemActor("saga", instance);
  const result = await transaction(database, async (tx) => {
    const claimed = await claimOne(tx, instance, id, by);
    if (claimed === undefined || claimed.request_id === null) return false;
    const sent = await getHostTransaction(tx, claimed.request_id);
    const plan = sent === undefined ? undefined : await getPlan(tx, sent.plan_id);
    if (sent === undefined || plan === undefined) return false;
    const view = viewOf(claimed, sent, plan, {
      answer: null,
      unsigned: null,
      // Nothing is sent: the server is not asked.
      certificateEndsMs: Number.POSITIVE_INFINITY,
      trial: null,
      baseline: null,
    });
    await recordEnding(tx, await lockApply(tx, id), sent, plan, forcedEnding(view), null, by);
    return true;
  });
  return result.ok && result.value;
}
