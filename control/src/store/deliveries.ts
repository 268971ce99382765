import { ALERT_EVENTS, type AlertEvent, type Notification } from "@holdfast/core/alert/notification.ts";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { AlertId, ServerId } from "@holdfast/core/base/id.ts";
import type { NamedAlert } from "./alerts.ts";
import type { Queryable } from "./database.ts";
import { newId } from "./new-id.ts";
import { json, sql } from "./sql.ts";
import type { DeliveryRow } from "./tables.ts";

export interface Untold extends NamedAlert {
  readonly event: AlertEvent;
}

/**
 * What a channel has not been told: of what stands that it began, and of what it was told of that somebody is at it or that it is over. An
 * alert that came and went between two looks is told to nobody.
 */
export function untold(database: Queryable, channel: string, kinds: readonly string[]): Promise<readonly Untold[]> {
  return database.rows<Untold>(sql`
    with happened as (
      select a.*, e.event
      from alerts a cross join (values ('opened'), ('acknowledged'), ('resolved')) as e (event)
      where a.kind = any(${kinds}) and (a.state <> 'resolved' or a.resolved_at > now() - interval '1 day')
        and case e.event when 'opened' then a.state <> 'resolved' when 'acknowledged' then a.acknowledged_at is not null else a.state = 'resolved' end
        and (e.event = 'opened' or exists (select from deliveries d where d.alert_id = a.id and d.event = 'opened' and d.channel = ${channel}))
    )
    select h.*, s.name as server_name, u.name as acknowledged_name
    from happened h left join servers s on s.id = h.server_id left join users u on u.id = h.acknowledged_by
    where not exists (select from deliveries d where d.alert_id = h.id and d.event = h.event and d.channel = ${channel})
    order by h.id, array_position(${ALERT_EVENTS}::text[], h.event) limit 100`);
}

/** Writes down what is to be told, once. */
export async function queueDelivery(
  database: Queryable,
  alert: AlertId,
  event: AlertEvent,
  channel: string,
  payload: Notification,
): Promise<void> {
  const id: string = newId();
  await database.run(sql`
    insert into deliveries (id, alert_id, event, channel, payload)
    values (${id}, ${alert}, ${event}, ${channel}, ${json(payload as unknown as Json)})
    on conflict (alert_id, event, channel) do nothing`);
}

/**
 * Takes one that is due to this channel and counts the try; the next one is that much later. What happened first to an alert is told
 * first: nothing of it overtakes. An alert's events have an order; ids of two instances, or of one millisecond, have none.
 */
export function takeDelivery(
  database: Queryable,
  channel: string,
  firstPauseMs: number,
  longestPauseMs: number,
): Promise<DeliveryRow | undefined> {
  return database.maybe<DeliveryRow>(sql`
    update deliveries set tries = tries + 1,
      next_try_at = now() + make_interval(secs => least(${firstPauseMs}::float8 * 2 ^ least(tries, 20), ${longestPauseMs}::float8) / 1000)
    where id = (
      select d.id from deliveries d
      where d.state = 'waiting' and d.next_try_at <= now() and d.channel = ${channel}
        and not exists (select from deliveries b where b.alert_id = d.alert_id and b.channel = d.channel and b.state = 'waiting'
                          and array_position(${ALERT_EVENTS}::text[], b.event) < array_position(${ALERT_EVENTS}::text[], d.event))
      order by d.next_try_at, d.alert_id limit 1 for update skip locked)
    returning *`);
}

export interface Tried {
  readonly state: DeliveryRow["state"];
  readonly status: number | null;
  readonly error: string | null;
}

export async function recordTry(database: Queryable, id: string, tried: Tried): Promise<void> {
  await database.run(sql`
    update deliveries set state = ${tried.state}, last_status = ${tried.status}, last_error = ${tried.error},
      finished_at = case when ${tried.state} = 'waiting' then null else now() end
    where id = ${id} and state = 'waiting'`);
}

export interface ListedDelivery extends DeliveryRow {
  readonly server_id: ServerId | null;
}

/** Newest first; `before` is the cursor. */
export function listDeliveries(
  database: Queryable,
  visible: readonly ServerId[] | null,
  before: string | null,
  limit: number,
): Promise<readonly ListedDelivery[]> {
  return database.rows<ListedDelivery>(sql`
    select d.*, a.server_id from deliveries d join alerts a on a.id = d.alert_id
    where (${visible}::uuid[] is null or a.server_id is null or a.server_id = any(${visible})) and (${before}::uuid is null or d.id < ${before})
    order by d.id desc limit ${limit}`);
}

export interface CountedDeliveries {
  readonly state: string;
  readonly count: number;
}

export function countDeliveries(database: Queryable): Promise<readonly CountedDeliveries[]> {
  return database.rows<CountedDeliveries>(
    sql`select state, count(*) as count from deliveries group by state order by state`,
  );
}
