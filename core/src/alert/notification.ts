import { ALERTS, type AlertKind, type AlertSeverity, runbookOf } from "./kind.ts";

export const ALERT_EVENTS = ["opened", "acknowledged", "resolved"] as const;
export type AlertEvent = (typeof ALERT_EVENTS)[number];

/** What a channel is told: facts and words, no secrets and no contents of documents. Every member is always there. */
export interface Notification {
  readonly event: AlertEvent;
  readonly alert: string;
  readonly kind: AlertKind;
  readonly severity: AlertSeverity;
  readonly title: string;
  readonly message: string;
  readonly subject: string;
  readonly server: string | null;
  readonly applyId: string | null;
  readonly action: string | null;
  readonly runbook: string;
  readonly at: string;
  /** Of an acknowledgement: who, and what they said. */
  readonly by: string | null;
  readonly reason: string | null;
  /** The console. */
  readonly console: string;
}

export type Notified = Omit<Notification, "severity" | "title" | "runbook">;

export function notification(about: Notified): Notification {
  const { severity, title } = ALERTS[about.kind];
  return { ...about, severity, title, runbook: runbookOf(about.kind) };
}

const WORDS = { opened: "", acknowledged: "Somebody is at it: ", resolved: "Resolved: " } as const satisfies Record<
  AlertEvent,
  string
>;

export interface MailText {
  readonly subject: string;
  /** Plain text: what a name says can be neither a link nor a picture. */
  readonly text: string;
}

/** The same as a letter. Its subject says enough for whoever reads it on a locked screen at night. */
export function mailText(about: Notification): MailText {
  const where = about.server === null ? "" : `${about.server}: `;
  const lines = [
    about.message,
    "",
    ...(about.by === null ? [] : [`${about.by}: ${about.reason ?? ""}`, ""]),
    ...(about.action === null ? [] : [about.action, ""]),
    `Since when: ${about.at}`,
    `What to do: ${about.runbook}`,
    `Console: ${about.console}`,
  ];
  return {
    subject: oneLine(`[Holdfast] ${WORDS[about.event]}${where}${about.title} (${about.severity})`),
    text: `${lines.join("\n")}\n`,
  };
}

function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").slice(0, SUBJECT_MOST);
}

/** Characters. Longer subjects are cut by those who show them. */
const SUBJECT_MOST = 200;

/** The same as one text for chat rooms. Slack's three characters are escaped, so that a name cannot make a link or call a channel. */
export function chatText(about: Notification): string {
  const escape = (text: string): string =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const lines = [
    `*${WORDS[about.event]}${escape(about.title)}* (${about.severity})`,
    escape(about.message),
    ...(about.by === null ? [] : [`${escape(about.by)}: ${escape(about.reason ?? "")}`]),
    ...(about.action === null ? [] : [escape(about.action)]),
    `${escape(about.runbook)} · ${escape(about.console)}`,
  ];
  return lines.join("\n");
}
