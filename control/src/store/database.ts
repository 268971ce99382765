import type { ServerId } from "@holdfast/core/base/id.ts";
import pg from "pg";
import type { ConnectionTarget } from "../postgres/connection-target.ts";
import { sql, type Statement } from "./sql.ts";
import { asStoreFailure, StoreFailure } from "./store-failure.ts";
import { assertNotInTransaction } from "./transaction-scope.ts";

/** What the store's functions ask: the database itself, or a transaction on it. */
export interface Queryable {
  /** All rows. The row type is the caller's word, held to the schema by the tests of each store file. */
  rows<Row>(statement: Statement): Promise<readonly Row[]>;
  /** The first row, or undefined. */
  maybe<Row>(statement: Statement): Promise<Row | undefined>;
  /** The one row; StoreFailure `store.not_found` without it. */
  one<Row>(statement: Statement): Promise<Row>;
  /** How many rows were touched. */
  run(statement: Statement): Promise<number>;
}

/** Sessions at once. Transactions are short, and a control plane has one queue of work; more would only queue in the database. */
const SESSIONS = 12;
/** A statement of ours that takes this long is wrong, and would hold locks. */
const STATEMENT_TIMEOUT_MS = 15_000;
/** A transaction that waits for its own process this long has lost it. Longer than any pause of a healthy one. */
const IDLE_TRANSACTION_TIMEOUT_MS = 15_000;
/** Waiting longer for a lock than this is contention that the caller should hear of. */
const LOCK_TIMEOUT_MS = 8_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** `read_only`: the database refuses every write of these sessions, whatever their role may do. */
export type SessionMode = "read_write" | "read_only";

/** The pool of sessions. Reads go straight through it; writes go through `transaction()`. */
export class Database implements Queryable {
  readonly #pool: pg.Pool;

  constructor(
    target: ConnectionTarget,
    onSessionError: (error: Error) => void,
    sessions: number = SESSIONS,
    mode: SessionMode = "read_write",
  ) {
    this.#pool = new pg.Pool({
      ...clientConfig(target, mode),
      max: sessions,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      idleTimeoutMillis: 60_000,
    });
    this.#pool.on("error", onSessionError);
    // A session that breaks while nobody asks it anything must not end the process; whoever asks it next hears of it.
    this.#pool.on("connect", (client) => client.on("error", onSessionError));
  }

  /** A session of its own, to be released by the caller. For `transaction()`, and for a lock that is held over several of them. */
  async session(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw asStoreFailure(error);
    }
  }

  async rows<Row>(statement: Statement): Promise<readonly Row[]> {
    assertNotInTransaction("a query past the transaction");
    return (await askAlone(this.#pool, statement)).rows as Row[];
  }

  async maybe<Row>(statement: Statement): Promise<Row | undefined> {
    return (await this.rows<Row>(statement))[0];
  }

  async one<Row>(statement: Statement): Promise<Row> {
    return oneOf(await this.rows<Row>(statement));
  }

  async run(statement: Statement): Promise<number> {
    assertNotInTransaction("a query past the transaction");
    return (await askAlone(this.#pool, statement)).rowCount ?? 0;
  }

  /** Sessions of the pool, and requests that wait for one. */
  sessions(): { readonly busy: number; readonly idle: number; readonly waiting: number } {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  /**
   * The same rows as somebody sees them who may see only these servers: row security cuts every statement to them, whatever the statement
   * itself asks. Only for showing; what decides or composes must see the whole house.
   */
  seenBy(servers: readonly ServerId[]): Queryable {
    return new Sight(this, `{${servers.join(",")}}`);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

class Sight implements Queryable {
  readonly #database: Database;
  readonly #visible: string;

  constructor(database: Database, visible: string) {
    this.#database = database;
    this.#visible = visible;
  }

  async rows<Row>(statement: Statement): Promise<readonly Row[]> {
    return (await this.#ask(statement)).rows as Row[];
  }

  async maybe<Row>(statement: Statement): Promise<Row | undefined> {
    return (await this.rows<Row>(statement))[0];
  }

  async one<Row>(statement: Statement): Promise<Row> {
    return oneOf(await this.rows<Row>(statement));
  }

  async run(statement: Statement): Promise<number> {
    return (await this.#ask(statement)).rowCount ?? 0;
  }

  async #ask(statement: Statement): Promise<pg.QueryResult> {
    assertNotInTransaction("a query past the transaction");
    const session = await this.#database.session();
    try {
      await ask(session, sql`select set_config('holdfast.visible', ${this.#visible}, false)`);
      return await askAlone(session, statement);
    } finally {
      const isWhole = await ask(session, sql`select set_config('holdfast.visible', '', false)`).then(
        () => true,
        () => false,
      );
      // One that could not be given its whole sight back is closed: the next who gets it may be the control plane itself.
      session.release(!isWhole);
    }
  }
}

/** How every session of ours begins, whatever the server's defaults are. */
export function clientConfig(target: ConnectionTarget, mode: SessionMode = "read_write"): pg.ClientConfig {
  const common: pg.ClientConfig = {
    application_name: "holdfast",
    keepAlive: true,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    // A commit that was answered must survive a power cut, whatever the server's default is.
    options: `-c search_path=holdfast -c synchronous_commit=on -c timezone=UTC${mode === "read_only" ? " -c default_transaction_read_only=on" : ""}`,
    types: TYPES,
  };
  return target.kind === "socket"
    ? { ...common, host: target.directory, port: 5432, user: target.user, database: target.database, ssl: false }
    : { ...common, connectionString: target.url };
}

/** Asks and gives failures our words. */
export async function ask(session: pg.Pool | pg.PoolClient | pg.Client, statement: Statement): Promise<pg.QueryResult> {
  const { text, values, name } = statement;
  try {
    // Prepared once for each session: PostgreSQL need not parse and plan the same text again.
    return await session.query({
      text,
      values: [...values],
      ...(name === undefined ? {} : { name: `${name}.${shapes}` }),
    });
  } catch (error) {
    if (!isOutdated(error)) throw asStoreFailure(error);
    shapes += 1;
    throw new StoreFailure("store.contended", "a table has changed since this statement was prepared", {}, error);
  }
}

/** Outside a transaction nothing else is lost with a statement that was prepared for tables as they were. */
async function askAlone(session: pg.Pool | pg.PoolClient, statement: Statement): Promise<pg.QueryResult> {
  const before = shapes;
  try {
    return await ask(session, statement);
  } catch (error) {
    if (shapes === before || !(error instanceof StoreFailure) || error.code !== "store.contended") throw error;
    return ask(session, statement);
  }
}

/** Goes up when a newer version has migrated the tables meanwhile: what was prepared before has another name, and is prepared anew. */
let shapes = 0;

/** feature_not_supported is many things; this one has no code of its own (plancache.c). */
function isOutdated(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "0A000" && /cached plan/.test(error.message);
}

export function oneOf<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new StoreFailure("store.not_found", "there is no such row");
  return row;
}

const BIGINT = 20;

const TYPES = new pg.TypeOverrides();
/** bigint as a number: fences, generations and positions stay below 2^53, and one that does not must never be rounded. */
TYPES.setTypeParser(BIGINT, (text: string) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`the database holds a number beyond 2^53: ${text}`);
  return value;
});
