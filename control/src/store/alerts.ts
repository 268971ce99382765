import type { Condition } from "@holdfast/core/alert/detect.ts";
import type { AlertState } from "@holdfast/core/alert/kind.ts";
import type { AlertId, ServerId, UserId } from "@holdfast/core/base/id.ts";
import type { Actor } from "./actor.ts";
import type { Queryable } from "./database.ts";
import { newId } from "./new-id.ts";
import { sql } from "./sql.ts";
import { StoreFailure } from "./store-failure.ts";
import type { AlertRow } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

/** All that are not resolved, newest first. */
export function listStanding(database: Queryable): Promise<readonly AlertRow[]> {
  return database.rows<AlertRow>(sql`select * from alerts where state <> 'resolved' order by id desc`);
}

export interface AlertFilter {
  readonly states: readonly AlertState[];
  /** Null: every server. Alerts that are about no server are for everybody who may view anything. */
  readonly visible: readonly ServerId[] | null;
  readonly before: AlertId | null;
  readonly limit: number;
}

export interface NamedAlert extends AlertRow {
  readonly server_name: string | null;
  readonly acknowledged_name: string | null;
}

/** Newest first; `before` is the cursor. */
export function listAlerts(database: Queryable, filter: AlertFilter): Promise<readonly NamedAlert[]> {
  return database.rows<NamedAlert>(sql`
    select a.*, s.name as server_name, u.name as acknowledged_name
    from alerts a left join servers s on s.id = a.server_id left join users u on u.id = a.acknowledged_by
    where a.state = any(${filter.states}) and (${filter.visible}::uuid[] is null or a.server_id is null or a.server_id = any(${filter.visible}))
      and (${filter.before}::uuid is null or a.id < ${filter.before})
    order by a.id desc limit ${filter.limit}`);
}

export function getAlert(database: Queryable, id: AlertId): Promise<NamedAlert | undefined> {
  return database.maybe<NamedAlert>(sql`
    select a.*, s.name as server_name, u.name as acknowledged_name
    from alerts a left join servers s on s.id = a.server_id left join users u on u.id = a.acknowledged_by where a.id = ${id}`);
}

/** Opens it, unless somebody else has a moment before: then undefined. */
export async function openAlert(tx: Transaction, condition: Condition, by: Actor): Promise<AlertRow | undefined> {
  const id: AlertId = newId();
  const row = await tx.maybe<AlertRow>(sql`
    insert into alerts (id, kind, subject, server_id, apply_id, message)
    values (${id}, ${condition.kind}, ${condition.subject}, ${condition.serverId}, ${condition.applyId}, ${condition.message})
    on conflict (kind, subject) where state <> 'resolved' do nothing
    returning *`);
  if (row !== undefined) await said(tx, row, "alert.opened", { kind: row.kind, message: row.message }, by);
  return row;
}

/** What was done by itself in the transaction that opened it. */
export async function noteAction(tx: Transaction, id: AlertId, action: string): Promise<void> {
  await tx.run(sql`update alerts set action = ${action} where id = ${id}`);
}

/** The same trouble in the words of now. Nobody is told: the numbers in a sentence are no news. */
export async function rewordAlert(tx: Transaction, id: string, message: string): Promise<void> {
  await tx.run(sql`update alerts set message = ${message} where id = ${id} and state <> 'resolved'`);
}

export async function resolveAlert(tx: Transaction, id: string, by: Actor): Promise<AlertRow | undefined> {
  const row = await tx.maybe<AlertRow>(sql`
    update alerts set state = 'resolved', resolved_at = now() where id = ${id} and state <> 'resolved' returning *`);
  if (row !== undefined) await said(tx, row, "alert.resolved", { kind: row.kind }, by);
  return row;
}

/** A person is at it. `store.wrong_state` when it is resolved, or when somebody was there before. */
export async function acknowledgeAlert(
  tx: Transaction,
  id: AlertId,
  user: UserId,
  reason: string,
  by: Actor,
): Promise<AlertRow> {
  const row = await tx.maybe<AlertRow>(sql`
    update alerts set state = 'acknowledged', acknowledged_at = now(), acknowledged_by = ${user}, acknowledgement = ${reason}
    where id = ${id} and state = 'open' returning *`);
  if (row === undefined) throw new StoreFailure("store.wrong_state", "the alert is not open", { alert_id: id });
  await said(tx, row, "alert.acknowledged", { kind: row.kind, reason }, by);
  return row;
}

/** Forgets what was resolved so long ago, with what was told of it, a thousand at once; the audit log has it for ever. */
export async function forgetAlerts(tx: Transaction, keepSeconds: number): Promise<void> {
  await tx.run(sql`
    delete from alerts where id in (
      select id from alerts where state = 'resolved' and resolved_at < now() - make_interval(secs => ${keepSeconds}::float8) order by resolved_at limit 1000)`);
}

export interface CountedAlerts {
  readonly kind: string;
  readonly state: string;
  readonly count: number;
}

export function countStanding(database: Queryable): Promise<readonly CountedAlerts[]> {
  return database.rows<CountedAlerts>(sql`
    select kind, state, count(*) as count from alerts where state <> 'resolved' group by kind, state order by kind, state`);
}

async function said(
  tx: Transaction,
  row: AlertRow,
  action: string,
  now: Readonly<Record<string, string | null>>,
  by: Actor,
): Promise<void> {
  tx.audit({
    ...by,
    action,
    object: `alert/${row.id}`,
    ...(row.server_id === null ? {} : { serverId: row.server_id }),
    new: { subject: row.subject, ...now },
    resultCode: "ok",
  });
  tx.notify("holdfast_events", {
    kind: "alert",
    action,
    alert_id: row.id,
    ...(row.server_id === null ? {} : { server_id: row.server_id }),
  });
}
