import { holdsEverywhere } from "@holdfast/core/access/grant.ts";
import { ALERT_STATES, type AlertState, ALERTS, runbookOf } from "@holdfast/core/alert/kind.ts";
import type { alertSchema, AlertList, deliverySchema } from "@holdfast/core/api/alert.ts";
import { type AlertId, isUuid } from "@holdfast/core/base/id.ts";
import type { z } from "zod";
import { listPasskeys, settleCounterBack } from "../../account/store/passkeys.ts";
import type { House } from "../../house.ts";
import { reachById, seenHouse, visibleServers } from "../../planning/places.ts";
import { acknowledgeAlert, getAlert, listAlerts, type NamedAlert } from "../../store/alerts.ts";
import { listDeliveries } from "../../store/deliveries.ts";
import type { DeliveryRow } from "../../store/tables.ts";
import { transaction } from "../../store/transaction.ts";
import type { Caller } from "../caller.ts";
import { keyOf, pageOf } from "../cursor.ts";
import type { Handlers } from "../handler.ts";
import { alertId } from "../ids.ts";
import { notFound, refuse } from "../refused.ts";
import { iso } from "../view/apply-view.ts";

type AlertRoutes = "listAlerts" | "getAlert" | "acknowledgeAlert" | "listDeliveries";

const WHAT = "alert with this id";

const STATES_OF = {
  standing: ["open", "acknowledged"],
  open: ["open"],
  acknowledged: ["acknowledged"],
  resolved: ["resolved"],
  all: ALERT_STATES,
} as const satisfies Record<AlertList, readonly AlertState[]>;

export function alertHandlers(house: House): Pick<Handlers, AlertRoutes> {
  const { database } = house;

  /** The alert, if the caller may see what it is about. What is about no server is about everybody's house. */
  const find = async (caller: Caller, permission: "view" | "apply", text: string): Promise<NamedAlert> => {
    const alert = (await getAlert(database, alertId(text))) ?? notFound(WHAT);
    if (alert.server_id !== null) await reachById(house, caller, permission, alert.server_id, WHAT);
    else if (permission === "apply" && !holdsEverywhere(caller.grants, "apply"))
      refuse(
        "access.out_of_scope",
        "This alert is about the whole house; it takes the permission apply on every server.",
      );
    return alert;
  };

  return {
    async listAlerts({ caller, query }) {
      const before = keyOf(query.cursor, isUuid) as AlertId | null;
      const visible = await visibleServers(house, caller);
      const seen = await seenHouse(house, caller);
      const rows = await listAlerts(seen.database, {
        states: STATES_OF[query.state],
        visible,
        before,
        limit: query.limit + 1,
      });
      return { value: pageOf(rows, query.limit, (row) => row.id, alertView) };
    },

    async getAlert({ caller, params }) {
      return { value: alertView(await find(caller, "view", params.id)) };
    },

    async listDeliveries({ caller, query }) {
      const before = keyOf(query.cursor, isUuid);
      const seen = await seenHouse(house, caller);
      const rows = await listDeliveries(seen.database, await visibleServers(house, caller), before, query.limit + 1);
      return { value: pageOf(rows, query.limit, (row) => row.id, deliveryView) };
    },

    async acknowledgeAlert({ caller, params, body }) {
      const { id, kind, subject } = await find(caller, "apply", params.id);
      const done = await transaction(database, async (tx) => {
        const passkey = kind === "passkey-copied" ? subject.replace(/^passkey\//, "") : null;
        // Whoever is signed in as them may be the one with the copy.
        if (passkey !== null && (await listPasskeys(tx, caller.userId)).some((own) => own.id === passkey))
          refuse("alert.own_passkey", "This alert is about a passkey of your own.");
        await acknowledgeAlert(tx, id, caller.userId, body.reason, caller.actor);
        if (passkey !== null) await settleCounterBack(tx, passkey, caller.actor);
      });
      const alert = (await getAlert(database, id)) ?? notFound(WHAT);
      if (!done.ok && done.error.code === "store.wrong_state")
        refuse("alert.not_now", whyNot(alert) ?? "The alert has moved.");
      if (!done.ok) throw done.error;
      return { value: alertView(alert) };
    },
  };
}

function whyNot({ state, acknowledged_name }: NamedAlert): string | null {
  if (state === "open") return null;
  return state === "resolved" ? "It is resolved." : `${acknowledged_name ?? "Somebody"} is at it.`;
}

function alertView(row: NamedAlert): z.input<typeof alertSchema> {
  const { severity, title, byItself } = ALERTS[row.kind];
  return {
    id: row.id,
    kind: row.kind,
    severity,
    state: row.state,
    title,
    message: row.message,
    subject: row.subject,
    server: row.server_name,
    applyId: row.apply_id,
    byItself,
    action: row.action,
    runbook: runbookOf(row.kind),
    openedAt: row.opened_at.toISOString(),
    acknowledgedAt: iso(row.acknowledged_at),
    acknowledgedBy: row.acknowledged_name,
    acknowledgement: row.acknowledgement,
    resolvedAt: iso(row.resolved_at),
    acknowledge: whyNot(row),
  };
}

function deliveryView(row: DeliveryRow): z.input<typeof deliverySchema> {
  return {
    id: row.id,
    alertId: row.alert_id,
    event: row.event,
    channel: row.channel,
    state: row.state,
    tries: row.tries,
    nextTryAt: row.state === "waiting" ? row.next_try_at.toISOString() : null,
    lastStatus: row.last_status,
    lastError: row.last_error,
    createdAt: row.created_at.toISOString(),
    finishedAt: iso(row.finished_at),
  };
}
