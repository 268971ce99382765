import type { ApplyId, ChangeId, RolloutId, ServerId } from "@holdfast/core/base/id.ts";
import type { Actor } from "../../store/actor.ts";
import { moveAssignments } from "../../store/assignments.ts";
import { sql } from "../../store/sql.ts";
import type { RevisionRef } from "../../store/tables.ts";
import type { Transaction } from "../../store/transaction.ts";

/**
 * A server whose config is what these revisions say already takes them over without anything being done on it. Their assignment then names
 * the rollout that said so, since no apply did.
 */
export async function adoptRevisions(
  tx: Transaction,
  server: ServerId,
  change: ChangeId,
  rollout: RolloutId,
  refs: readonly RevisionRef[],
  by: Actor,
): Promise<void> {
  await moveAssignments(tx, server, rollout as string as ApplyId, refs);
  tx.audit({
    ...by,
    action: "server.revisions_adopted",
    object: `server/${server}`,
    serverId: server,
    new: { change_id: change, revisions: refs.map((ref) => ({ ...ref })) },
    resultCode: "ok",
  });
  tx.notify("holdfast_events", { kind: "server", action: "server.revisions_adopted", server_id: server });
}

/** A rollout that had nothing to send is done as it begins. */
export async function finishRollout(tx: Transaction, rollout: RolloutId): Promise<void> {
  await tx.run(
    sql`update rollouts set state = 'DONE', finished_at = now(), version = version + 1 where id = ${rollout} and state = 'RUNNING'`,
  );
}
