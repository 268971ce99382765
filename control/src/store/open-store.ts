import { join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { Config } from "../config.ts";
import { roleOf, type ConnectionTarget } from "../postgres/connection-target.ts";
import { APP_ROLE, OWNER_ROLE, startEmbedded, SUPERUSER } from "../postgres/embedded.ts";
import type { PostgresFailureCode } from "../postgres/failure.ts";
import { Database } from "./database.ts";
import { migrate, type MigrationFailureCode } from "./migrate.ts";
import { checkAppRole, makeDatabase, type RoleRefusal } from "./roles.ts";
import { asStoreFailure, StoreFailure, type StoreFailureCode } from "./store-failure.ts";

/** The database of a running control plane: migrated, checked, spoken to as the application's role only. */
export interface Store {
  readonly database: Database;
  /** For `listen()`, which needs a session of its own. */
  readonly target: ConnectionTarget;
  /** What this start has migrated. */
  readonly migrated: readonly string[];
  /** Ends the sessions, and the embedded PostgreSQL after them. */
  close(): Promise<void>;
}

export interface StoreRefusal {
  readonly code: PostgresFailureCode | MigrationFailureCode | RoleRefusal["code"] | StoreFailureCode;
  readonly message: string;
}

export type StoreLog = (level: "info" | "warn", message: string) => void;

const DATABASE_NAME = "holdfast";

/** Starts or reaches the database, brings it to this code's schema and refuses to go on with a role that is too strong. */
export async function openStore(
  config: Pick<Config, "database" | "dataDirectory">,
  log: StoreLog,
): Promise<Result<Store, StoreRefusal>> {
  if (config.database.kind === "url") {
    const { url, ownerUrl } = config.database;
    return openAt(
      { kind: "url", url },
      ownerUrl === null ? null : { kind: "url", url: ownerUrl },
      log,
      async () => undefined,
    );
  }
  const embedded = await startEmbedded({
    home: join(config.dataDirectory, "database"),
    log: (line) => log("info", line),
  });
  if (!embedded.ok) return embedded;
  const postgres = embedded.value;
  try {
    await makeDatabase(postgres.target(SUPERUSER, "postgres"), DATABASE_NAME, OWNER_ROLE, APP_ROLE);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  return openAt(postgres.target(APP_ROLE, DATABASE_NAME), postgres.target(OWNER_ROLE, DATABASE_NAME), log, () =>
    postgres.stop(),
  );
}

async function openAt(
  app: ConnectionTarget,
  owner: ConnectionTarget | null,
  log: StoreLog,
  stop: () => Promise<void>,
): Promise<Result<Store, StoreRefusal>> {
  const database = new Database(app, (error) => log("warn", `a database session has ended: ${error.message}`));
  const close = async (): Promise<void> => {
    await database.close();
    await stop();
  };
  try {
    const migrated = owner === null ? ok([]) : await migrate(owner, roleOf(app));
    const checked = migrated.ok ? await checkAppRole(database) : migrated;
    if (migrated.ok && checked.ok) return ok({ database, target: app, migrated: migrated.value, close });
    await close();
    return migrated.ok ? (checked as Result<never, RoleRefusal>) : migrated;
  } catch (error) {
    await close();
    const failure = asStoreFailure(error);
    if (failure instanceof StoreFailure)
      return err({ code: failure.code, message: `${failure.message}: ${causeOf(failure)}` });
    throw error;
  }
}

function causeOf(failure: StoreFailure): string {
  return failure.cause instanceof Error ? failure.cause.message : "no cause known";
}
