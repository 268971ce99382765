import { ALERTS, type AlertKind, runbookOf } from "@holdfast/core/alert/kind.ts";
import type { Alert } from "@holdfast/core/api/alert.ts";
import type { RouteName } from "@holdfast/core/api/route.ts";
import { refuse } from "./answer.ts";
import type { MockCall, MockHandler } from "./call.ts";
import type { MockState } from "./state.ts";

/** Who said that they are at it, of each world; kept as long as the world is. */
const ACKNOWLEDGED = new WeakMap<MockState, Map<string, Acknowledgement>>();

interface Acknowledgement {
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}

function acknowledgedIn(state: MockState): Map<string, Acknowledgement> {
  const known = ACKNOWLEDGED.get(state) ?? new Map<string, Acknowledgement>();
  ACKNOWLEDGED.set(state, known);
  return known;
}

/** What stands is found in the servers at the moment of asking, as the real one finds it in its rows. */
function standing({ state, nowMs }: MockCall): readonly Alert[] {
  const known = acknowledgedIn(state);
  const at = new Date(nowMs - 600_000).toISOString();
  return state.servers.slice(0, 200).flatMap((server): Alert[] => {
    const kind: AlertKind | null =
      server.locked === null
        ? server.floor.length > 0
          ? "floor-lost"
          : server.drift.length > 0
            ? "drift"
            : server.enrolment === "enrolled" && !server.connected
              ? "agent-lost"
              : null
        : "rollback-failed";
    if (kind === null) return [];
    const id = `alert-${server.id}`;
    const ack = known.get(id);
    const { severity, title, byItself } = ALERTS[kind];
    return [
      {
        id,
        kind,
        severity,
        title,
        byItself,
        state: ack === undefined ? "open" : "acknowledged",
        message: MESSAGES[kind](server.name),
        subject: `server/${server.id}`,
        server: server.name,
        applyId: null,
        action: null,
        runbook: runbookOf(kind),
        openedAt: server.lastSeenAt ?? at,
        acknowledgedAt: ack?.at ?? null,
        acknowledgedBy: ack?.by ?? null,
        acknowledgement: ack?.reason ?? null,
        resolvedAt: null,
        acknowledge: ack === undefined ? null : `${ack.by} is at it.`,
      },
    ];
  });
}

const MESSAGES: Readonly<
  Record<"floor-lost" | "drift" | "agent-lost" | "rollback-failed", (server: string) => string>
> = {
  "floor-lost": (server) =>
    `${server} lost what lets management in, outside of any change: firewall: table: expected the table inet holdfast, found no table inet holdfast; it was put back 3 times and lost again, so the server leaves it as it is.`,
  drift: (server) => `${server} is not what was confirmed.`,
  "agent-lost": (server) => `The agent of ${server} is not connected. What is in force there stays in force.`,
  "rollback-failed": (server) =>
    `${server} could not be put back to what it was. It is locked until somebody has looked.`,
};

function alertOf(call: MockCall): Alert {
  const found = standing(call).find(({ id }) => id === call.params["id"]);
  return found ?? refuse("resource.not_found", "There is no alert with this id, or you may not see it.");
}

export const ALERT_HANDLERS = {
  listAlerts: (call) => ({ status: 200, body: { items: standing(call), nextCursor: null } }),
  listDeliveries: ({ state }) => ({ status: 200, body: { items: state.deliveries, nextCursor: null } }),
  getAlert: (call) => ({ status: 200, body: alertOf(call) }),
  acknowledgeAlert: (call) => {
    const alert = alertOf(call);
    if (alert.acknowledge !== null) return refuse("alert.not_now", alert.acknowledge);
    const reason = call.body["reason"];
    acknowledgedIn(call.state).set(alert.id, {
      by: call.user.name,
      at: new Date(call.nowMs).toISOString(),
      reason: typeof reason === "string" ? reason : "",
    });
    return { status: 200, body: alertOf(call) };
  },
} as const satisfies Partial<Record<RouteName, MockHandler>>;
