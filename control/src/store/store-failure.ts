import pg from "pg";

/**
 * What may go wrong with the store without anybody having made a mistake, and whether the same call may be made again as it is.
 * `false` says that the caller must look at the rows first.
 */
export const STORE_FAILURES = {
  /** The row is not as the caller last saw it: another instance, an operator, or a newer fence was there first. Read it again. */
  "store.lost_race": { retryable: false },
  /** The server has another apply under way. */
  "store.server_busy": { retryable: false },
  /** core's transition table does not have this step. */
  "store.illegal_transition": { retryable: false },
  /** A server gave another verdict on a transaction than the one that is recorded. */
  "store.verdict_changed": { retryable: false },
  /** The author approves their own change, or the content is no longer the approved one. */
  "store.approval_refused": { retryable: false },
  /** A document has moved since the change was begun; the details name who moved it. */
  "store.base_moved": { retryable: false },
  /** A row that must be unique exists already. */
  "store.duplicate": { retryable: false },
  "store.not_found": { retryable: false },
  /** The row's own state forbids this: a used token, a change that is not a draft. */
  "store.wrong_state": { retryable: false },
  /** The connection was lost while COMMIT was on its way: it may have happened. Read the rows by their id, never run it again blindly. */
  "store.commit_unknown": { retryable: false },
  /** COMMIT was answered with ROLLBACK: a statement had failed before. Nothing was written. */
  "store.rolled_back": { retryable: false },
  /** Two transactions stood in each other's way several times in a row. Nothing was written. */
  "store.contended": { retryable: true },
  /** The database does not answer. Nothing was written. */
  "store.unavailable": { retryable: true },
} as const satisfies Record<string, { readonly retryable: boolean }>;
export type StoreFailureCode = keyof typeof STORE_FAILURES;

/** Thrown inside a transaction, because it must end the transaction; `transaction()` hands it to its caller as a value. */
export class StoreFailure extends Error {
  readonly code: StoreFailureCode;
  /** Ids and names for the message that a person reads. */
  readonly details: Readonly<Record<string, string | number>>;

  constructor(
    code: StoreFailureCode,
    message: string,
    details: Readonly<Record<string, string | number>> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "StoreFailure";
    this.code = code;
    this.details = details;
  }
}

/** PostgreSQL's word for a failure, as ours. What is not expected in operation stays what it is: a bug. */
export function asStoreFailure(error: unknown): unknown {
  if (error instanceof StoreFailure) return error;
  if (!(error instanceof pg.DatabaseError)) {
    return isConnectionLoss(error)
      ? new StoreFailure("store.unavailable", "the database does not answer", {}, error)
      : error;
  }
  const sqlState = error.code ?? "";
  if (sqlState === "23505") {
    return error.constraint === "one_open_apply"
      ? new StoreFailure("store.server_busy", "another change is under way on this server", {}, error)
      : new StoreFailure(
          "store.duplicate",
          error.detail ?? error.message,
          { constraint: error.constraint ?? "" },
          error,
        );
  }
  const raised = RAISED[sqlState];
  if (raised !== undefined) return new StoreFailure(raised, error.message, {}, error);
  if (CONTENDED.has(sqlState)) return new StoreFailure("store.contended", error.message, {}, error);
  if (isFatal(error) || sqlState.startsWith("08") || sqlState.startsWith("53")) {
    return new StoreFailure("store.unavailable", error.message, {}, error);
  }
  return error;
}

/** What the schema's own triggers say. HF002, HF003, HF004 and HF006 are bugs and stay exceptions. */
const RAISED: Readonly<Partial<Record<string, StoreFailureCode>>> = {
  HF001: "store.illegal_transition",
  HF005: "store.verdict_changed",
  HF007: "store.approval_refused",
};

/** serialization_failure, deadlock_detected, lock_not_available: the whole transaction may simply be run again. */
const CONTENDED: ReadonlySet<string> = new Set(["40001", "40P01", "55P03"]);

/** The server ends the session, for example because it is being stopped: no answer to a COMMIT is to be trusted then. */
export function isFatal(error: pg.DatabaseError): boolean {
  return error.severity === "FATAL" || error.severity === "PANIC";
}

/** The driver's own errors carry the system's code, or only words. What comes after the last connection was given up finds no database either. */
function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const systemCode = (error as NodeJS.ErrnoException).code;
  if (systemCode !== undefined) return /^(E[A-Z]+|57P\d\d)$/.test(systemCode);
  return /^(Connection terminated|Cannot use a pool after calling end|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout)/.test(
    error.message,
  );
}
