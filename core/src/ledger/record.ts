import { z } from "zod";
import { canonicalJson, type Json } from "../base/canonical-json.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { LedgerKind } from "./kind.ts";

/**
 * What stands in one record. Times are milliseconds of CLOCK_BOOTTIME and hold only together with `bootId`; `atMs` is the wall clock and is
 * for people only.
 *
 * Beside the records of a transaction (kind.ts) the ledger holds the server's own:
 *   carried       the folded state, first record of every segment but the first: older segments may then go
 *   fence_raised  a command with a higher fence was seen that left no other record
 *   locked        no applies until somebody has looked
 *   released      somebody has
 *   acknowledged  the control plane has recorded these outcomes
 */
export const SERVER_RECORD_KINDS = ["carried", "fence_raised", "locked", "released", "acknowledged"] as const;
export type ServerRecordKind = (typeof SERVER_RECORD_KINDS)[number];

const text = z.string();
const count = z.int().nonnegative();

const finding = z.strictObject({
  severity: z.enum(["error", "danger", "warning", "note"]),
  code: text,
  path: text,
  message: text,
  remedy: text,
});

const details = {
  prepared: z.strictObject({
    applyId: text,
    changeId: text,
    actor: text,
    transactionKind: z.enum(["forward", "rollback"]),
    configDigest: text,
    planDigest: text,
    baseGeneration: count,
    /** SHA-256 of the manifest of the transaction's folder: config, plan and snapshots. */
    manifestDigest: text,
    /** Sum of the steps' budgets and the verification's. */
    budgetMs: count,
    windowMs: count,
    reconnectMs: count,
    /** In the order in which they are changed; undone in reverse. */
    domains: z.array(text).readonly(),
  }),
  armed: z.strictObject({ nonceSha256: text, deadlineMs: count }),
  step_begin: z.strictObject({ stepId: text, title: text, domain: text, digest: text }),
  step_done: z.strictObject({ stepId: text, liveDigest: text }),
  on_trial: z.strictObject({
    /** By domain: what was read back, and must be read back again at Confirm. */
    liveDigests: z.record(text, text),
    deadlineMs: count,
    /** No new session by then: undo. */
    reconnectByMs: count,
    /** Nanoseconds of CLOCK_MONOTONIC, decimal: sessions are compared with it, and the boot clock's 10 ms would be too coarse. */
    monotonicNs: text,
  }),
  confirmed: z.strictObject({ generation: count, configDigest: text }),
  finalized: z.strictObject({ generation: count, liveDigest: text }),
  reverting: z.strictObject({ code: text, message: text }),
  reverted: z.strictObject({ code: text, message: text, liveDigest: text, changed: z.boolean() }),
  revert_failed: z.strictObject({ code: text, message: text, attempt: count, domains: z.array(text).readonly() }),
  refused: z.strictObject({ code: text, message: text, findings: z.array(finding).readonly() }),
} as const satisfies Record<LedgerKind, z.ZodType>;

const entry = z.strictObject({ kind: text, atMs: z.int(), detail: text });

/** What the ledger knows of one transaction; see fold.ts for how it comes about. */
const transactionState = z.strictObject({
  requestId: text,
  last: z.enum(Object.keys(details) as [LedgerKind, ...LedgerKind[]]),
  /** The highest fence that a record of it carried. */
  fence: count,
  bootId: text,
  prepared: details.prepared.nullable(),
  armed: details.armed.nullable(),
  onTrial: details.on_trial.nullable(),
  confirmed: details.confirmed.nullable(),
  lastStep: z.strictObject({ stepId: text, title: text, domain: text, digest: text, done: z.boolean() }).nullable(),
  /** Domains with a step begun, in the order of their first. */
  begun: z.array(text).readonly(),
  /** Why it was refused or is undone. */
  why: z.strictObject({ code: text, message: text }).nullable(),
  findings: z.array(finding).readonly(),
  /** Live digest read back at the end. */
  liveDigest: text,
  changed: z.boolean(),
  revertAttempts: count,
  released: z.boolean(),
  acknowledged: z.boolean(),
  /** Of the last record: for the receipt. */
  head: text,
  atMs: z.int(),
  generation: count,
  entries: z.array(entry).readonly(),
});
export type TransactionState = z.infer<typeof transactionState>;

const ledgerState = z.strictObject({
  nextSequence: count,
  maxFence: count,
  generation: count,
  confirmed: z.strictObject({ requestId: text, configDigest: text }).nullable(),
  lock: z.strictObject({ code: text, reason: text }).nullable(),
  /** The greatest request id that was forgotten: ids are UUIDv7, so what sorts up to it and is not known is stale. Empty: none yet. */
  forgottenUpTo: text,
  /** Hash of the last record. */
  head: text,
  /** Oldest first. */
  transactions: z.array(transactionState).readonly(),
});
export type LedgerState = z.infer<typeof ledgerState>;

const serverDetails = {
  carried: z.strictObject({ state: ledgerState, damage: text }),
  fence_raised: z.strictObject({}),
  locked: z.strictObject({ code: text, reason: text }),
  released: z.strictObject({ reason: text, actor: text }),
  acknowledged: z.strictObject({ requestIds: z.array(text).readonly() }),
} as const satisfies Record<ServerRecordKind, z.ZodType>;

type DetailOf<Kind extends LedgerKind> = z.infer<(typeof details)[Kind]>;
type ServerDetailOf<Kind extends ServerRecordKind> = z.infer<(typeof serverDetails)[Kind]>;

export type PreparedDetail = DetailOf<"prepared">;
export type OnTrialDetail = DetailOf<"on_trial">;

/** What a caller wants written; sequence, clocks and chain are the ledger's. */
export type TransactionDraft = {
  readonly [Kind in LedgerKind]: {
    readonly kind: Kind;
    readonly requestId: string;
    readonly fence: number;
    readonly detail: DetailOf<Kind>;
  };
}[LedgerKind];
export type ServerDraft = {
  readonly [Kind in ServerRecordKind]: {
    readonly kind: Kind;
    readonly requestId: "";
    readonly fence: number;
    readonly detail: ServerDetailOf<Kind>;
  };
}[ServerRecordKind];
export type RecordDraft = TransactionDraft | ServerDraft;

export interface RecordStamp {
  readonly sequence: number;
  readonly bootId: string;
  readonly boottimeMs: number;
  readonly atMs: number;
}
export type LedgerRecord = RecordDraft & RecordStamp;

const stamped = { requestId: text, fence: count, sequence: count, bootId: text, boottimeMs: count, atMs: z.int() };
const schema = z.discriminatedUnion(
  "kind",
  [...Object.entries(details), ...Object.entries(serverDetails)].map(([kind, detail]) =>
    z.strictObject({ kind: z.literal(kind), detail, ...stamped }),
  ) as unknown as [z.ZodObject, ...z.ZodObject[]],
);

export function isServerRecord(record: RecordDraft): record is ServerDraft {
  return (SERVER_RECORD_KINDS as readonly string[]).includes(record.kind);
}

/** The record's one text, in ASCII: what is beyond is written as \u escapes. */
export function recordBody(record: LedgerRecord): string {
  return canonicalJson(record as unknown as Json).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A body back to its record. An error means that what stands there was not written by this ledger. */
export function parseRecord(body: string): Result<LedgerRecord, string> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return err("not JSON");
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? ok(parsed.data as unknown as LedgerRecord) : err(z.prettifyError(parsed.error));
}
