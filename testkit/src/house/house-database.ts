import { existsSync, readFileSync, realpathSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  APP_ROLE,
  type EmbeddedPostgres,
  OWNER_ROLE,
  SIGNER_ROLE,
  startEmbedded,
  SUPERUSER,
} from "@holdfast/control/postgres/embedded.ts";
import { Database } from "@holdfast/control/store/database.ts";
import { makeDatabase } from "@holdfast/control/store/roles.ts";
import type { Statement } from "@holdfast/control/store/sql.ts";
import { must } from "../servers/child.ts";
import { kill } from "../servers/process-table.ts";

const NAME = "holdfast";

/**
 * The house's PostgreSQL as a test sees it: asks anything, kills it. `own`: the control plane's embedded one, which it starts itself.
 * `shared`: one that outlives every control plane, for houses with several. Must be closed.
 */
export class HouseDatabase {
  readonly #home: string;
  #shared: EmbeddedPostgres | null;
  #client: Database | undefined;

  private constructor(home: string, shared: EmbeddedPostgres | null) {
    this.#home = home;
    this.#shared = shared;
  }

  static async open(kind: "own" | "shared", dataDirectory: string): Promise<HouseDatabase> {
    const home = join(dataDirectory, "database");
    if (kind === "own") return new HouseDatabase(home, null);
    const shared = await startShared(home);
    await makeDatabase(shared.target(SUPERUSER, "postgres"), NAME, OWNER_ROLE, APP_ROLE, SIGNER_ROLE);
    return new HouseDatabase(home, shared);
  }

  /** What a control plane is told of it. */
  get environment(): Readonly<Record<string, string>> {
    if (this.#shared === null) return {};
    const url = (role: string): string =>
      `postgresql://${role}@localhost/${NAME}?host=${encodeURIComponent(this.#socketDirectory())}`;
    return {
      DATABASE_URL: url(APP_ROLE),
      HOLDFAST_DATABASE_OWNER_URL: url(OWNER_ROLE),
      HOLDFAST_SIGNER_DATABASE_URL: url(SIGNER_ROLE),
    };
  }

  rows<Row>(statement: Statement): Promise<readonly Row[]> {
    return this.#open().rows<Row>(statement);
  }

  async one<Row>(statement: Statement): Promise<Row> {
    const [row] = await this.rows<Row>(statement);
    if (row === undefined) throw new Error(`no row: ${statement.text}`);
    return row;
  }

  /** A session of its own that the caller ends, to hold a lock with. */
  session(): ReturnType<Database["session"]> {
    return this.#open().session();
  }

  /** SIGKILL of the postmaster; whoever started it starts it again. */
  kill(): void {
    const pidFile = join(realpathSync(this.#home), "cluster/postmaster.pid");
    if (!existsSync(pidFile)) throw new Error(`PostgreSQL does not run: there is no ${pidFile}`);
    kill(Number(readFileSync(pidFile, "utf8").split("\n")[0]), "SIGKILL");
  }

  /** Keeps what it holds now, as a backup of the night before would. Shared databases only; it is away for a moment. */
  async backUp(): Promise<void> {
    // cp keeps the owner: PostgreSQL runs as a user of its own.
    await this.#whileStopped((cluster) => must(["cp", "--archive", cluster, `${cluster}.backup`]));
  }

  /** Goes back to the backup: what was committed since is gone. */
  async restore(): Promise<void> {
    await this.#whileStopped(async (cluster) => {
      rmSync(cluster, { recursive: true });
      renameSync(`${cluster}.backup`, cluster);
    });
  }

  async #whileStopped(act: (cluster: string) => Promise<unknown>): Promise<void> {
    if (this.#shared === null) throw new Error("only a shared database can be stopped alone");
    await this.#client?.close();
    this.#client = undefined;
    await this.#shared.stop();
    await act(join(realpathSync(this.#home), "cluster"));
    this.#shared = await startShared(this.#home);
  }

  async close(): Promise<void> {
    await this.#client?.close();
    await this.#shared?.stop();
  }

  #open(): Database {
    this.#client ??= new Database(
      { kind: "socket", directory: this.#socketDirectory(), user: SUPERUSER, database: NAME },
      // A test that kills the database has its sessions broken; the next question makes a new one.
      () => undefined,
      4,
    );
    return this.#client;
  }

  #socketDirectory(): string {
    return join(realpathSync(this.#home), "socket");
  }
}

async function startShared(home: string): Promise<EmbeddedPostgres> {
  const started = await startEmbedded({ home, log: () => undefined });
  if (!started.ok) throw new Error(started.error.message);
  return started.value;
}
