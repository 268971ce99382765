import { setTimeout as sleep } from "node:timers/promises";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
/**
 * A database transaction, with three rules that PostgreSQL does not enforce by itself:
 *
 *   T1. A COMMIT counts only when it is answered with COMMIT. An aborted transaction answers ROLLBACK, without an error.
 *   T2. When the answer to COMMIT is lost, nobody knows: `store.commit_unknown`, and the caller reads the rows again.
 *   T3. The world outside waits: no message to a server inside (assertNotInTransaction), so a body may run again after a deadlock.
 */
import pg from "pg";
import { appendAudit, type AuditEntry } from "./audit.ts";
import { ask, oneOf, type Database, type Queryable } from "./database.ts";
import { sql, type Statement } from "./sql.ts";
import { asStoreFailure, isFatal, StoreFailure } from "./store-failure.ts";
import { assertNotInTransaction, inTransactionScope } from "./transaction-scope.ts";

export const WORK_CHANNEL = "holdfast_work";
export const EVENTS_CHANNEL = "holdfast_events";
/** Somebody asked something of an agent, or it was answered. */
export const QUESTIONS_CHANNEL = "holdfast_questions";
export type Channel = typeof WORK_CHANNEL | typeof EVENTS_CHANNEL | typeof QUESTIONS_CHANNEL;

export interface Transaction extends Queryable {
  /**
   * Says what was done, for the audit log. The entries are chained and written last, just before COMMIT: the chain is one queue for all,
   * and whoever held it while waiting for a row could wait for ever.
   */
  audit(entry: AuditEntry): void;
  /** Wakes whoever listens, when and only when the transaction commits. Payloads are small: ids, never contents. */
  notify(channel: Channel, payload: Readonly<Record<string, string>>): void;
}

/** Runs of one body before contention becomes the caller's business. */
const ATTEMPTS = 4;
/** The pause before the second run; it grows with each. */
const PAUSE_MS = 20;

/** Runs `body` in one transaction. Expected failures come back as values, with nothing written unless the code is `store.commit_unknown`. */
export async function transaction<T>(
  database: Database,
  body: (tx: Transaction) => Promise<T>,
): Promise<Result<T, StoreFailure>> {
  assertNotInTransaction("a second transaction");
  for (let attempt = 1; ; attempt++) {
    try {
      return ok(await runOnce(database, body));
    } catch (error) {
      const failure = asStoreFailure(error);
      if (!(failure instanceof StoreFailure)) throw error;
      if (failure.code !== "store.contended" || attempt === ATTEMPTS) return err(failure);
      await sleep(PAUSE_MS * attempt);
    }
  }
}

async function runOnce<T>(database: Database, body: (tx: Transaction) => Promise<T>): Promise<T> {
  const session = await database.session();
  let isUsable = true;
  try {
    await ask(session, sql`begin`);
    const tx = new OpenTransaction(session);
    const value = await inTransactionScope(() => body(tx));
    await tx.writeNotifications();
    await tx.writeAudit();
    await commit(session);
    return value;
  } catch (error) {
    const failure = asStoreFailure(error);
    if (failure instanceof StoreFailure && failure.code === "store.rolled_back") throw failure;
    isUsable = await rollback(session);
    throw failure;
  } finally {
    // A session whose state nobody knows is closed, never given to the next.
    session.release(!isUsable);
  }
}

async function commit(session: pg.PoolClient): Promise<void> {
  let answer: pg.QueryResult;
  try {
    answer = await session.query("commit");
  } catch (error) {
    // An ordinary error at COMMIT (a deferred constraint, a serialization failure) is an answer: nothing was written.
    if (error instanceof pg.DatabaseError && !isFatal(error)) throw error;
    throw new StoreFailure(
      "store.commit_unknown",
      "the connection was lost while the transaction was being committed",
      {},
      error,
    );
  }
  if (answer.command !== "COMMIT") {
    throw new StoreFailure(
      "store.rolled_back",
      `COMMIT was answered with ${answer.command}: a statement had failed before it`,
    );
  }
}

async function rollback(session: pg.PoolClient): Promise<boolean> {
  try {
    await session.query("rollback");
    return true;
  } catch {
    return false;
  }
}

class OpenTransaction implements Transaction {
  readonly #session: pg.PoolClient;
  readonly #audit: AuditEntry[] = [];
  readonly #notifications: { readonly channel: Channel; readonly payload: string }[] = [];

  constructor(session: pg.PoolClient) {
    this.#session = session;
  }

  async rows<Row>(statement: Statement): Promise<readonly Row[]> {
    return (await ask(this.#session, statement)).rows as Row[];
  }

  async maybe<Row>(statement: Statement): Promise<Row | undefined> {
    return (await this.rows<Row>(statement))[0];
  }

  async one<Row>(statement: Statement): Promise<Row> {
    return oneOf(await this.rows<Row>(statement));
  }

  async run(statement: Statement): Promise<number> {
    return (await ask(this.#session, statement)).rowCount ?? 0;
  }

  audit(entry: AuditEntry): void {
    this.#audit.push(entry);
  }

  async writeAudit(): Promise<void> {
    if (this.#audit.length > 0) await appendAudit(this, this.#audit);
  }

  notify(channel: Channel, payload: Readonly<Record<string, string>>): void {
    this.#notifications.push({ channel, payload: JSON.stringify(payload) });
  }

  async writeNotifications(): Promise<void> {
    if (this.#notifications.length === 0) return;
    const channels = this.#notifications.map(({ channel }) => channel);
    const payloads = this.#notifications.map(({ payload }) => payload);
    await this.run(sql`
      select pg_notify(channel, payload) from unnest(${channels}::text[], ${payloads}::text[]) as told (channel, payload)`);
  }
}
