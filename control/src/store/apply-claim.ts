/**
 * Who works on an apply.
 *
 *   K1. One statement claims: it takes the row and its server locked, so two instances never claim the same one.
 *   K2. Every claim raises the server's fence. A lease only saves work; the fence is what keeps a zombie out (PROTOCOL, finding 7).
 *   K3. Work follows the connection: an instance claims for servers that are connected to it.
 */
import type { ApplyId, InstanceId, ServerId } from "@holdfast/core/base/id.ts";
import type { Actor } from "./actor.ts";
import { writeApplyEvent } from "./apply-event.ts";
import type { Queryable } from "./database.ts";
import { sql, type Statement } from "./sql.ts";
import type { ApplyRow } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

/** A lease is renewed several times before it ends; a dead instance's work waits no longer than this. */
export const LEASE_MS = 10_000;

/**
 * Claims the next apply of these servers: first one that is open and has no holder, then the oldest READY. Undefined when there is none.
 * `store.server_busy` means that another instance was faster: just ask again.
 */
export function claimNext(
  tx: Transaction,
  instance: InstanceId,
  connectedHere: readonly ServerId[],
  by: Actor,
): Promise<ApplyRow | undefined> {
  return claim(
    tx,
    by,
    sql`
    with candidate as (
      select a.id, a.server_id, a.state, a.lease_owner
      from applies a join servers s on s.id = a.server_id join rollouts r on r.id = a.rollout_id
      where a.server_id = any(${connectedHere}::uuid[])
        and ((a.state in ('APPLYING', 'ROLLBACKING') and (a.lease_owner is null or a.lease_until < now()))
             or (a.state = 'READY' and s.locked_code is null and s.enrolment = 'enrolled' and (s.paused_until is null or s.paused_until < now())
                 and r.state = 'RUNNING'
                 and not exists (select from applies o where o.server_id = a.server_id and o.state in ('APPLYING', 'ROLLBACKING'))))
      order by a.state = 'READY', a.requested_at, a.id
      limit 1
      for update of a, s skip locked
    ), fenced as (
      update servers s set fence = s.fence + 1 from candidate c where s.id = c.server_id returning s.id, s.fence
    )
    update applies a
    set state = case a.state when 'READY' then 'APPLYING' else a.state end, phase = coalesce(a.phase, 'dispatched'), fence = f.fence,
        lease_owner = ${instance}, lease_until = now() + make_interval(secs => ${LEASE_MS}::float8 / 1000),
        started_at = coalesce(a.started_at, now()), next_check_at = now(), version = a.version + 1
    from candidate c join fenced f on f.id = c.server_id
    where a.id = c.id
    returning a.*, c.state as from_state, c.lease_owner as from_owner`,
  );
}

/** Claims this one open apply, whatever is connected where, for example to force it closed. Undefined while another instance holds it. */
export function claimOne(
  tx: Transaction,
  instance: InstanceId,
  apply: ApplyId,
  by: Actor,
): Promise<ApplyRow | undefined> {
  return claim(
    tx,
    by,
    sql`
    with candidate as (
      select a.id, a.server_id, a.state, a.lease_owner
      from applies a join servers s on s.id = a.server_id
      where a.id = ${apply} and a.state in ('APPLYING', 'ROLLBACKING') and (a.lease_owner is null or a.lease_until < now())
      for update of a, s skip locked
    ), fenced as (
      update servers s set fence = s.fence + 1 from candidate c where s.id = c.server_id returning s.id, s.fence
    )
    update applies a
    set fence = f.fence, lease_owner = ${instance}, lease_until = now() + make_interval(secs => ${LEASE_MS}::float8 / 1000),
        next_check_at = now(), version = a.version + 1
    from candidate c join fenced f on f.id = c.server_id
    where a.id = c.id
    returning a.*, c.state as from_state, c.lease_owner as from_owner`,
  );
}

/** The code of the event of a claim whose holder before had lost its lease. */
export const LEASE_LOST = "apply.lease_lost";

async function claim(tx: Transaction, by: Actor, statement: Statement): Promise<ApplyRow | undefined> {
  const claimed = await tx.maybe<
    ApplyRow & { readonly from_state: ApplyRow["state"]; readonly from_owner: string | null }
  >(statement);
  if (claimed === undefined) return undefined;
  const { from_state, from_owner, ...row } = claimed;
  // Who lets go leaves no owner: one that is still there was killed, cut off or asleep until its lease was over.
  const said = from_owner === null ? row : { ...row, code: LEASE_LOST };
  await writeApplyEvent(tx, said, from_state, by, "apply.claimed");
  return row;
}

/** Keeps what this instance holds, as long as its fence is the newest. False: it has been taken over, stop working on it. */
export async function renewLease(
  database: Queryable,
  apply: Pick<ApplyRow, "id" | "fence">,
  instance: InstanceId,
): Promise<boolean> {
  const touched = await database.run(sql`
    update applies set lease_until = now() + make_interval(secs => ${LEASE_MS}::float8 / 1000)
    where id = ${apply.id} and fence = ${apply.fence} and lease_owner = ${instance}`);
  return touched === 1;
}

export type LeaseHolder =
  /** Everything of an instance: it is going down in order. */
  | { readonly instance: InstanceId }
  /** What an instance holds of these servers: it has nobody there who works on it. */
  | { readonly instance: InstanceId; readonly servers: readonly ServerId[] };

/** Lets go, so that another instance may claim at once. */
export async function releaseLeases(tx: Transaction, holder: LeaseHolder): Promise<number> {
  const servers = "servers" in holder ? holder.servers : null;
  const released = await tx.rows<{ server_id: ServerId }>(sql`
    update applies set lease_owner = null, lease_until = null, version = version + 1
    where lease_owner = ${holder.instance} and (${servers}::uuid[] is null or server_id = any(${servers}::uuid[]))
    returning server_id`);
  for (const { server_id } of released) tx.notify("holdfast_work", { server_id });
  return released.length;
}
