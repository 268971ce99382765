/**
 * How long the control plane keeps what it writes; null: for ever. It deletes by this table and the console shows it, so that neither says
 * what the other does not do.
 */
export const RETENTION_SECONDS = {
  /** A client that repeats a request after a week has lost its own memory of it. */
  requestKeys: 7 * 24 * 3_600,
  /** Nobody waits for the answer of a question for so long. */
  questions: 600,
  /** Whoever asks after a year how it was asks the audit log. */
  resolvedAlerts: 365 * 24 * 3_600,
  /** What was asked of servers, what they did, and what was undone. */
  applies: null,
  /** Changes, and every revision of every document. */
  changes: null,
  auditLog: null,
} as const satisfies Readonly<Record<string, number | null>>;

export type Kept = keyof typeof RETENTION_SECONDS;
