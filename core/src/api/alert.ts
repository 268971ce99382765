import { z } from "zod";
import { ALERT_KINDS, ALERT_SEVERITIES, ALERT_STATES } from "../alert/kind.ts";
import { ALERT_EVENTS } from "../alert/notification.ts";

export const alertSchema = z.object({
  id: z.string(),
  kind: z.enum(ALERT_KINDS),
  severity: z.enum(ALERT_SEVERITIES),
  state: z.enum(ALERT_STATES),
  title: z.string().describe("Of the kind"),
  message: z.string().describe("Of this one: what is so, with names and numbers, as of the last look"),
  subject: z
    .string()
    .describe(
      "apply/ID, server/ID, change/ID, passkey/ID, instance/ID or house: at most one alert of a kind and subject is not resolved",
    ),
  server: z.string().nullable(),
  applyId: z.string().nullable(),
  byItself: z
    .string()
    .nullable()
    .describe("What the house does about it without being asked; null where only a person can know"),
  action: z.string().nullable().describe("What it did when this one began, beyond what it always does"),
  runbook: z.string().describe("The page that says what it means, what to look at and what to do"),
  openedAt: z.string(),
  acknowledgedAt: z.string().nullable(),
  acknowledgedBy: z.string().nullable(),
  acknowledgement: z.string().nullable(),
  resolvedAt: z.string().nullable(),
  acknowledge: z.string().nullable().describe("Null: it can be acknowledged; otherwise why not"),
});
export type Alert = z.infer<typeof alertSchema>;

export const deliverySchema = z.object({
  id: z.string().describe("Sent as Holdfast-Delivery: a receiver that has seen it has nothing to do"),
  alertId: z.string(),
  event: z.enum(ALERT_EVENTS),
  channel: z.string(),
  state: z.enum(["waiting", "delivered", "given_up"]),
  tries: z.int(),
  nextTryAt: z.string().nullable(),
  lastStatus: z.int().nullable(),
  lastError: z.string().nullable(),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
});
export type Delivery = z.infer<typeof deliverySchema>;

/** `standing`: all that are not resolved. */
export const ALERT_LISTS = ["standing", ...ALERT_STATES, "all"] as const;
export type AlertList = (typeof ALERT_LISTS)[number];

export const acknowledgeSchema = z
  .object({
    reason: z
      .string()
      .max(4000)
      .default("")
      .describe("For those who come after: who looks at it, and how far they are"),
  })
  .default({ reason: "" });
