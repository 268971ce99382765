/**
 * What the control plane calls somebody for, as data. One row for each kind: the detector, the runbook, the metrics, the command line and the
 * console all ask this table, and a kind without a row, a detector or a page does not compile or does not pass.
 *
 *   W1. An alert is about one subject; of one kind and subject at most one is not resolved.
 *   W2. It opens when its condition holds and resolves when the condition has gone. Nobody closes by hand what is still so:
 *       `acknowledged` says only that a person is at it. Where what is so is that nobody has looked yet, acknowledging is the look.
 *   W3. What the house does by itself about it only stops or takes back, never starts: the row says what, or null.
 */
export const ALERT_KINDS = [
  "apply-stuck",
  "concurrent-applies",
  "failure-rate",
  "rollback-failed",
  "in-doubt",
  "floor-lost",
  "drift",
  "agent-lost",
  "certificate-expiring",
  "glass-broken",
  "passkey-copied",
  "key-due",
  "audit-broken",
  "audit-heads",
  "audit-epoch",
  "disk-low",
  "database-trouble",
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

export const ALERT_STATES = ["open", "acknowledged", "resolved"] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** `critical`: somebody is called, also at night. `warning`: somebody looks at it today. */
export const ALERT_SEVERITIES = ["critical", "warning"] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

export interface AlertRule {
  readonly severity: AlertSeverity;
  /** What one alert of this kind is about. */
  readonly about: "apply" | "server" | "change" | "passkey" | "secret" | "instance" | "house";
  readonly title: string;
  /** The dotted code of the log line that says it has begun. */
  readonly code: string;
  /** What the house does about it without being asked; null where only a person can know. */
  readonly byItself: string | null;
}

export const ALERTS = {
  "apply-stuck": {
    severity: "critical",
    about: "apply",
    title: "An apply takes longer than its whole window",
    code: "alert.apply_stuck",
    byItself: "A minute after the window the undo is decided, and sent as soon as the server can be reached",
  },
  "concurrent-applies": {
    severity: "warning",
    about: "server",
    title: "A second apply was refused while another one was under way",
    code: "alert.concurrent_applies",
    byItself: "The second one was refused; nothing of it was sent",
  },
  "failure-rate": {
    severity: "critical",
    about: "house",
    title: "Applies fail far more often than they usually do here",
    code: "alert.failure_rate",
    byItself: "Running rollouts were paused once: what is on trial ends, nothing new is started",
  },
  "rollback-failed": {
    severity: "critical",
    about: "server",
    title: "A server could not be put back",
    code: "alert.rollback_failed",
    byItself: "The server is locked for applies and its rollout is halted",
  },
  "in-doubt": {
    severity: "critical",
    about: "apply",
    title: "Nobody can say what became of an apply",
    code: "alert.in_doubt",
    byItself: "The server is asked as soon as it can be reached; on the server the automatic undo runs without us",
  },
  "floor-lost": {
    severity: "critical",
    about: "server",
    title: "What lets management in was lost outside of a change",
    code: "alert.floor_lost",
    byItself:
      "Where its floor says whenLost: repair, the server puts back what was confirmed, three times in an hour at most, and never during a change",
  },
  drift: {
    severity: "warning",
    about: "server",
    title: "A server is not what was confirmed",
    code: "alert.drift",
    byItself: "A change that would overwrite it without saying so is refused",
  },
  "agent-lost": {
    severity: "critical",
    about: "server",
    title: "The agent of a server is away",
    code: "agent.lost",
    byItself: null,
  },
  "certificate-expiring": {
    severity: "critical",
    about: "server",
    title: "An agent has not renewed its certificate",
    code: "agent.certificate_expiring",
    byItself: "An apply whose trial would outlast the certificate is not sent",
  },
  "glass-broken": {
    severity: "critical",
    about: "change",
    title: "A change was applied before its approvals",
    code: "alert.glass_broken",
    byItself: null,
  },
  "passkey-copied": {
    severity: "critical",
    about: "passkey",
    title: "A passkey may have been copied",
    code: "alert.passkey_copied",
    byItself: "What was shown with the old counter was refused",
  },
  "key-due": {
    severity: "warning",
    about: "secret",
    title: "The key of a tunnel is older than its document allows",
    code: "alert.key_due",
    byItself: null,
  },
  "audit-broken": {
    severity: "critical",
    about: "house",
    title: "The audit log is not what was written",
    code: "alert.audit_broken",
    byItself: null,
  },
  "audit-heads": {
    severity: "critical",
    about: "house",
    title: "Servers know more of the audit log than the database, or another one",
    code: "alert.audit_heads",
    byItself: "These servers are handed no other head: what they keep is the proof",
  },
  "audit-epoch": {
    severity: "critical",
    about: "house",
    title: "Somebody accepted an audit log that is not the one that servers kept a head of",
    code: "alert.audit_epoch",
    byItself: null,
  },
  "disk-low": {
    severity: "critical",
    about: "instance",
    title: "The disk of a control plane is nearly full",
    code: "alert.disk_low",
    byItself: null,
  },
  "database-trouble": {
    severity: "critical",
    about: "house",
    title: "The database is in trouble",
    code: "alert.database_trouble",
    byItself: "What cannot be written down is not done: no message leaves before its row is committed",
  },
} as const satisfies Record<AlertKind, AlertRule>;

/** Where the page stands that says what it means, what to look at and what to do. */
export function runbookOf(kind: AlertKind): string {
  return `docs/runbooks/${kind}.md`;
}
