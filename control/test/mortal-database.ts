import type pg from "pg";
import type { ConnectionTarget } from "../src/postgres/connection-target.ts";
import { Database } from "../src/store/database.ts";
import type { Statement } from "../src/store/sql.ts";
import { StoreFailure } from "../src/store/store-failure.ts";

/** The statement that claims an apply for an instance. */
const CLAIM = /\bwith candidate\b[^]*\blease_owner = /;

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
  #losesClaim = false;

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

  /** The connection breaks in the next transaction that claims an apply, after COMMIT was obeyed and before it was answered. */
  loseCommitOfClaim(): void {
    this.#losesClaim = true;
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
    return this.#losesClaim ? this.#losingClaim(session) : session;
  }

  override async rows<Row>(statement: Statement): Promise<readonly Row[]> {
    this.#assertAlive();
    return super.rows<Row>(statement);
  }

  override async run(statement: Statement): Promise<number> {
    this.#assertAlive();
    return super.run(statement);
  }

  #losingClaim(session: pg.PoolClient): pg.PoolClient {
    const query = session.query.bind(session) as (...given: readonly unknown[]) => Promise<pg.QueryResult>;
    let hasClaimed = false;
    const losing = async (...given: readonly unknown[]): Promise<pg.QueryResult> => {
      const answer = await query(...given);
      const [asked] = given;
      if (typeof asked === "object" && asked !== null && "text" in asked)
        hasClaimed ||= CLAIM.test(String(asked.text)) && answer.rowCount === 1;
      if (asked !== "commit") return answer;
      session.query = query as typeof session.query;
      if (!hasClaimed || !this.#losesClaim) return answer;
      this.#losesClaim = false;
      throw new Error("Connection terminated unexpectedly");
    };
    session.query = losing as typeof session.query;
    return session;
  }

  #assertAlive(): void {
    if (this.#isDead) throw new StoreFailure("store.unavailable", "this instance is dead");
  }
}
