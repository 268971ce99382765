import { existsSync, readFileSync, realpathSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { binariesIn, type PostgresBinaries } from "@holdfast/control/postgres/binaries.ts";
import type { ConnectionTarget } from "@holdfast/control/postgres/connection-target.ts";
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
import { DEBIAN_15 } from "../database.ts";
import { must } from "../servers/child.ts";
import { kill } from "../servers/process-table.ts";

const NAME = "holdfast";

/** `own`: the control plane's embedded one. `shared`: one that outlives every control plane. `debian`: the same with Debian's PostgreSQL and its tools. */
export type DatabaseKind = "own" | "shared" | "debian";

/**
 * The house's PostgreSQL as a test sees it: asks anything, kills it, takes backups. Must be closed.
 */
export class HouseDatabase {
  readonly #home: string;
  readonly #kind: DatabaseKind;
  #shared: EmbeddedPostgres | null;
  #client: Database | undefined;

  private constructor(home: string, kind: DatabaseKind, shared: EmbeddedPostgres | null) {
    this.#home = home;
    this.#kind = kind;
    this.#shared = shared;
  }

  static async open(kind: DatabaseKind, dataDirectory: string): Promise<HouseDatabase> {
    // A shared one is nobody's data directory: a control plane may lose its own, and the database is still there.
    const home = kind === "debian" ? `${dataDirectory}-database` : join(dataDirectory, "database");
    if (kind === "own") return new HouseDatabase(home, kind, null);
    const shared = await startShared(home, kind);
    await makeDatabase(shared.target(SUPERUSER, "postgres"), NAME, OWNER_ROLE, APP_ROLE, SIGNER_ROLE);
    return new HouseDatabase(home, kind, shared);
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

  /** `pg_dump` into this file, while everybody works. Debian's only: the embedded PostgreSQL comes without it. */
  async dump(file: string): Promise<void> {
    await this.#tool("pg_dump", ["--format=custom", `--file=${file}`, NAME]);
  }

  /** The database is gone, and made again from the dump: an empty one, its roles, `pg_restore`. */
  async restoreDump(file: string): Promise<void> {
    await this.#client?.close();
    this.#client = undefined;
    await this.#tool("dropdb", ["--force", NAME]);
    await makeDatabase(this.#target("postgres"), NAME, OWNER_ROLE, APP_ROLE, SIGNER_ROLE);
    await this.#tool("pg_restore", ["--exit-on-error", `--dbname=${NAME}`, file]);
  }

  /** What `psql` says to somebody who signs in as this role; rejects when it refuses. */
  psql(role: string, statement: string): Promise<string> {
    return this.#tool("psql", ["--no-psqlrc", "--tuples-only", "--no-align", `--command=${statement}`, NAME], role);
  }

  #tool(program: string, words: readonly string[], role = SUPERUSER): Promise<string> {
    if (this.#kind !== "debian") throw new Error(`there is no ${program} for this PostgreSQL`);
    return must([join(DEBIAN_15, program), `--host=${this.#socketDirectory()}`, `--username=${role}`, ...words]);
  }

  #target(database: string): ConnectionTarget {
    return { kind: "socket", directory: this.#socketDirectory(), user: SUPERUSER, database };
  }

  async #whileStopped(act: (cluster: string) => Promise<unknown>): Promise<void> {
    if (this.#shared === null) throw new Error("only a shared database can be stopped alone");
    await this.#client?.close();
    this.#client = undefined;
    await this.#shared.stop();
    await act(join(realpathSync(this.#home), "cluster"));
    this.#shared = await startShared(this.#home, this.#kind);
  }

  async close(): Promise<void> {
    await this.#client?.close();
    await this.#shared?.stop();
  }

  #open(): Database {
    this.#client ??= new Database(
      this.#target(NAME),
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

async function startShared(home: string, kind: DatabaseKind): Promise<EmbeddedPostgres> {
  const binaries = kind === "debian" ? { binaries: debianBinaries() } : {};
  const started = await startEmbedded({ home, log: () => undefined, ...binaries });
  if (!started.ok) throw new Error(started.error.message);
  return started.value;
}

function debianBinaries(): PostgresBinaries {
  const found = binariesIn(DEBIAN_15);
  if (!found.ok) throw new Error(found.error.message);
  return found.value;
}
