import { type Alert, alertSchema, deliverySchema } from "@holdfast/core/api/alert.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { readAll } from "../read-all.ts";
import { act, verb } from "../verb.ts";
import { painter, plain } from "../view/style.ts";
import { table } from "../view/table.ts";
import { relative } from "../view/time.ts";

interface ListFlags {
  readonly all: boolean;
  readonly json: boolean;
}

const list = buildCommand<ListFlags, [], Context>({
  docs: {
    brief: "What somebody should look at now, newest first",
    fullDescription:
      "An alert opens when its condition holds and resolves by itself when that has gone.\n\nExample: holdfast alert list",
  },
  parameters: {
    flags: {
      all: { kind: "boolean", brief: "Also what is resolved", default: false },
      json: { kind: "boolean", brief: "For machines: the answer as one JSON document", default: false },
    },
  },
  async func(flags) {
    const query = { state: flags.all ? "all" : "standing" };
    const items = await readAll(openClient(this), "listAlerts", alertSchema, { query });
    this.process.stdout.write(flags.json ? `${JSON.stringify(items)}\n` : printAlerts(this, items));
  },
});

const show = verb({
  brief: "One alert: what is so, what is done by itself, which page says what to do",
  example: "alert show 0199…",
  operands: ["alert"],
  run: async (client, [id = ""]) => {
    const value = await client.call("getAlert", { params: { id }, answer: alertSchema });
    return { value, text: (context) => printAlert(context, value) };
  },
});

const ack = act({
  brief: "Say that you are at it; it resolves by itself when what it says has gone",
  example: "alert ack 0199… 'on my way to the rack'",
  operands: ["alert", "reason"],
  send: (client, [id = "", reason]) =>
    client.call("acknowledgeAlert", { params: { id }, body: { reason }, answer: z.unknown() }),
  done: () => "Acknowledged. It stays until what it says has gone.",
});

const deliveries = verb({
  brief: "What channels were told of alerts, newest first, and what they answered",
  example: "alert deliveries",
  run: async (client) => {
    const value = await readAll(client, "listDeliveries", deliverySchema);
    return {
      value,
      text: (context) =>
        table(
          context,
          ["channel", "event", "state", "tries", "answer", "when", "alert"],
          value.map((item) => [
            item.channel,
            item.event,
            item.state,
            String(item.tries),
            plain([item.lastStatus ?? "", item.lastError ?? ""].join(" ").trim()),
            relative(item.createdAt, context.now()),
            item.alertId,
          ]),
          "Nobody was told of anything: HOLDFAST_NOTIFY_FILE names whom to tell.",
        ),
    };
  },
});

export const alertRoutes = buildRouteMap({
  routes: { list, show, ack, deliveries },
  docs: { brief: "Alerts: what somebody should look at now" },
});

function printAlerts(context: Context, items: readonly Alert[]): string {
  return table(
    context,
    ["alert", "severity", "state", "kind", "since", "what"],
    items.map((item) => [
      item.id,
      severity(context, item),
      item.state,
      item.kind,
      relative(item.openedAt, context.now()),
      plain(item.message),
    ]),
    "Nothing stands.",
  );
}

function printAlert(context: Context, alert: Alert): string {
  const lines = [
    `${severity(context, alert)}  ${alert.title}`,
    plain(alert.message),
    `  ${alert.state} since ${relative(alert.openedAt, context.now())}${alert.resolvedAt === null ? "" : `, resolved ${relative(alert.resolvedAt, context.now())}`}`,
  ];
  if (alert.acknowledgedBy !== null)
    lines.push(
      `  ${plain(alert.acknowledgedBy)} is at it since ${relative(alert.acknowledgedAt, context.now())}: ${plain(alert.acknowledgement ?? "")}`,
    );
  lines.push(`  By itself: ${alert.byItself ?? "nothing; it takes a person"}`);
  if (alert.action !== null) lines.push(`  Done when it began: ${plain(alert.action)}`);
  if (alert.server !== null) lines.push(`  Server: holdfast server show ${alert.server}`);
  if (alert.applyId !== null) lines.push(`  Apply: holdfast change story ${alert.applyId}`);
  lines.push(`  What to do: ${alert.runbook}`);
  return `${lines.join("\n")}\n`;
}

function severity(context: Context, { severity: word, state }: Alert): string {
  return painter(context)(state === "resolved" ? "gray" : word === "critical" ? "red" : "yellow", word);
}
