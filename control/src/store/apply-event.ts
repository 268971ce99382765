import type { Actor } from "./actor.ts";
import { sql } from "./sql.ts";
import type { ApplyRow } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

/**
 * Writes down what has just become of an apply: its event, and where the state has changed its audit entry, in the same transaction
 * (I12), and tells whoever watches. `action` names what happened where the state did not change.
 */
export async function writeApplyEvent(
  tx: Transaction,
  apply: ApplyRow,
  from: ApplyRow["state"] | null,
  by: Actor,
  action: string,
): Promise<void> {
  await tx.run(sql`
    insert into apply_events (apply_id, version, request_id, from_state, to_state, phase, effect, code, message, actor, instance_id)
    values (${apply.id}, ${apply.version}, ${apply.request_id}, ${from}, ${apply.state}, ${apply.phase}, ${apply.effect}, ${apply.code}, ${apply.message},
            ${by.actor}, ${by.instanceId})`);
  if (apply.state !== from) {
    tx.audit({
      ...by,
      action: `apply.${apply.state.toLowerCase()}`,
      object: `apply/${apply.id}`,
      serverId: apply.server_id,
      ...(apply.request_id === null ? {} : { requestId: apply.request_id }),
      old: from === null ? null : { state: from },
      new: {
        state: apply.state,
        effect: apply.effect,
        server_is: apply.server_is,
        change_id: apply.change_id,
        plan_id: apply.plan_id,
        fence: apply.fence,
        version: apply.version,
      },
      resultCode: apply.code ?? "ok",
    });
  }
  tx.notify("holdfast_events", {
    kind: "apply",
    action,
    apply_id: apply.id,
    change_id: apply.change_id,
    rollout_id: apply.rollout_id,
    server_id: apply.server_id,
    state: apply.state,
    phase: apply.phase ?? "",
  });
}
