/** Tells channels of alerts. It reads what happened from the rows and has a loop of its own: no engine, no request and no alert waits for it. */
import { ALERT_KINDS, ALERTS, type AlertSeverity } from "@holdfast/core/alert/kind.ts";
import { type AlertEvent, notification } from "@holdfast/core/alert/notification.ts";
import type { Logger } from "pino";
import type { Database } from "../store/database.ts";
import { queueDelivery, recordTry, takeDelivery, type Untold, untold } from "../store/deliveries.ts";
import type { Channel } from "./channels.ts";
import { mail } from "./mail.ts";
import { post } from "./post.ts";

/**
 * 15, 30, 60 … seconds, then every ten minutes: a receiver that is restarted hears of it soon, one that is gone is not hammered. The first
 * must be longer than a try takes, or another instance would send the same meanwhile.
 */
const FIRST_PAUSE_MS = 15_000;
const LONGEST_PAUSE_MS = 10 * 60_000;
/** With these pauses about a day. */
export const TRIES_MOST = 150;
/** Sent at one look; the rest at the next, and so where one did not get through: every other would wait as long for nothing. */
const AT_A_LOOK = 50;

export interface TellOptions {
  readonly database: Database;
  readonly channel: Channel;
  readonly console: string;
  readonly log: Logger;
  readonly nowMs: () => number;
  /** Aborted when this instance stops: nobody waits for a receiver then. */
  readonly signal: AbortSignal;
  /** How long a receiver may take; the usual when not said. */
  readonly withinMs?: number;
}

export async function tell(options: TellOptions): Promise<void> {
  const { database, channel, console, log, signal, nowMs, withinMs } = options;
  for (const alert of await untold(database, channel.name, kindsFor(channel.least)))
    await queueDelivery(database, alert.id, alert.event, channel.name, notificationOf(alert, console));
  for (let sent = 0; sent < AT_A_LOOK && !signal.aborted; sent++) {
    const due = await takeDelivery(database, channel.name, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    if (due === undefined) return;
    const told =
      channel.kind === "mail"
        ? await mail(channel, due.id, due.payload, nowMs(), signal, withinMs)
        : await post(channel, due.id, due.payload, nowMs(), signal, withinMs);
    // Whether it got through is not known: it is sent again with its id, by which the receiver knows it.
    if (!told.ok && signal.aborted) return;
    const isOver = due.tries >= TRIES_MOST;
    await recordTry(database, due.id, {
      state: told.ok ? "delivered" : isOver ? "given_up" : "waiting",
      status: told.status,
      error: told.ok ? (told.but ?? null) : told.error,
    });
    const about = { alert_id: due.alert_id, delivery_id: due.id, channel: due.channel, status: told.status };
    if (told.ok) log.info({ ...about, result_code: "notify.delivered" }, "a channel was told of an alert");
    else if (isOver)
      log.error({ ...about, reason: told.error, result_code: "notify.given_up" }, "a channel is not tried any more");
    else
      log.warn(
        { ...about, reason: told.error, tries: due.tries, result_code: "notify.refused" },
        "a channel will be tried again",
      );
    if (!told.ok) return;
  }
}

function kindsFor(least: AlertSeverity): readonly string[] {
  return ALERT_KINDS.filter((kind) => least === "warning" || ALERTS[kind].severity === "critical");
}

const TIME_OF = {
  opened: (alert) => alert.opened_at,
  acknowledged: (alert) => alert.acknowledged_at ?? alert.opened_at,
  resolved: (alert) => alert.resolved_at ?? alert.opened_at,
} as const satisfies Record<AlertEvent, (alert: Untold) => Date>;

function notificationOf(alert: Untold, console: string) {
  const isAcknowledgement = alert.event === "acknowledged";
  return notification({
    event: alert.event,
    alert: alert.id,
    kind: alert.kind,
    message: alert.message,
    subject: alert.subject,
    server: alert.server_name,
    applyId: alert.apply_id,
    action: alert.action,
    at: TIME_OF[alert.event](alert).toISOString(),
    by: isAcknowledgement ? alert.acknowledged_name : null,
    reason: isAcknowledgement ? alert.acknowledgement : null,
    console,
  });
}
