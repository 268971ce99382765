import type { ConnectionTarget } from "../src/postgres/connection-target.ts";
import { Database } from "../src/store/database.ts";
import type { Statement } from "../src/store/sql.ts";
import { StoreFailure } from "../src/store/store-failure.ts";

/**
 * The database as an instance sees it that is killed just before one of its transactions. From then on nothing of that instance reaches the
 * database, as nothing of a dead process does.
 */
export class MortalDatabase extends Database {
  onDeath: () => void = () => undefined;
  /** Until this resolves, transactions of this instance do not begin: the process sleeps. */
  gate: Promise<void> = Promise.resolve();
  #left = Number.POSITIVE_INFINITY;
  #isDead = false;
  #commitToLose = -1;

  constructor(target: ConnectionTarget) {
    super(target, () => undefined, 4);
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Dies before its n-th transaction from now, counted from 0. */
  dieAfter(transactions: number): void {
    this.#left = transactions;
  }

  /** The connection breaks in its n-th transaction from now, counted from 0, after COMMIT was obeyed and before it was answered. */
  loseCommitOf(transaction: number): void {
    this.#commitToLose = transaction;
  }

  die(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.onDeath();
  }

  override async session(): ReturnType<Database["session"]> {
    await this.gate;
    if (this.#left <= 0) this.die();
    this.#left -= 1;
    this.#assertAlive();
    const session = await super.session();
    if (this.#commitToLose-- === 0) loseNextCommit(session);
    return session;
  }

  override async rows<Row>(statement: Statement): Promise<readonly Row[]> {
    this.#assertAlive();
    return super.rows<Row>(statement);
  }

  override async run(statement: Statement): Promise<number> {
    this.#assertAlive();
    return super.run(statement);
  }

  #assertAlive(): void {
    if (this.#isDead) throw new StoreFailure("store.unavailable", "this instance is dead");
  }
}

function loseNextCommit(session: Awaited<ReturnType<Database["session"]>>): void {
  const query = session.query.bind(session) as (...given: readonly unknown[]) => Promise<unknown>;
  const losing = async (...given: readonly unknown[]): Promise<unknown> => {
    const answer = await query(...given);
    if (given[0] !== "commit") return answer;
    session.query = query as typeof session.query;
    throw new Error("Connection terminated unexpectedly");
  };
  session.query = losing as typeof session.query;
}
