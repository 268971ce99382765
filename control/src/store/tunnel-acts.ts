import type { RequestId, ServerId, UserId } from "@holdfast/core/base/id.ts";
import type { TunnelAct } from "@holdfast/core/plan/tunnel-act.ts";
import type { Actor } from "./actor.ts";
import { sql } from "./sql.ts";
import { StoreFailure } from "./store-failure.ts";
import type { TunnelActOutcome, TunnelActRow } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

export interface NewTunnelAct extends TunnelAct {
  readonly id: RequestId;
  readonly serverId: ServerId;
  readonly acknowledged: readonly string[];
  readonly requestedBy: UserId;
}

/**
 * Writes the intent and raises the server's fence for it: a command that comes late is refused there by whatever was claimed since.
 * `store.server_busy` while another act on the server is under way. The server's row is held, so that no apply is claimed at the same moment.
 */
export async function insertTunnelAct(tx: Transaction, act: NewTunnelAct, by: Actor): Promise<TunnelActRow> {
  const open = await tx.maybe<TunnelActRow>(
    sql`select * from tunnel_acts where server_id = ${act.serverId} and ended_at is null`,
  );
  if (open !== undefined)
    throw new StoreFailure("store.server_busy", "another act on a tunnel of this server is under way", {
      server_id: act.serverId,
    });
  const row = await tx.one<TunnelActRow>(sql`
    with fenced as (update servers set fence = fence + 1 where id = ${act.serverId} returning fence)
    insert into tunnel_acts (id, server_id, tunnel, act, of, acknowledged, fence, requested_by)
    select ${act.id}, ${act.serverId}, ${act.tunnel}, ${act.verb}, ${act.of}, ${act.acknowledged}::text[], fence, ${act.requestedBy} from fenced
    returning *`);
  said(tx, row, "tunnel.act_begun", "ok", by);
  return row;
}

/** Once: whoever comes second changes nothing. */
export async function endTunnelAct(
  tx: Transaction,
  id: RequestId,
  outcome: TunnelActOutcome,
  code: string | null,
  by: Actor,
): Promise<boolean> {
  const row = await tx.maybe<TunnelActRow>(sql`
    update tunnel_acts set outcome = ${outcome}, code = ${code}, ended_at = now() where id = ${id} and ended_at is null returning *`);
  if (row === undefined) return false;
  said(tx, row, "tunnel.act_ended", code ?? "ok", by);
  return true;
}

/** Whoever began these has gone without an end: what came of them is not known. */
export function listForgottenActs(tx: Transaction, olderThanSeconds: number): Promise<readonly TunnelActRow[]> {
  return tx.rows<TunnelActRow>(sql`
    select * from tunnel_acts where ended_at is null and requested_at < now() - make_interval(secs => ${olderThanSeconds}::float8)
    for update skip locked`);
}

function said(tx: Transaction, row: TunnelActRow, action: string, resultCode: string, by: Actor): void {
  const { tunnel, act, of, acknowledged, outcome } = row;
  tx.audit({
    ...by,
    action,
    object: `tunnel-act/${row.id}`,
    serverId: row.server_id,
    requestId: row.id,
    new: { tunnel, act, of, acknowledged, ...(outcome === null ? {} : { outcome }) },
    resultCode,
  });
}
