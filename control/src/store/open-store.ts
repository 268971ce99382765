import { join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { Config } from "../config.ts";
import { roleOf, type ConnectionTarget } from "../postgres/connection-target.ts";
import { APP_ROLE, OWNER_ROLE, SIGNER_ROLE, startEmbedded, SUPERUSER } from "../postgres/embedded.ts";
import type { PostgresFailureCode } from "../postgres/failure.ts";
import { Database } from "./database.ts";
import { migrate, type MigrationFailureCode, readMigrations } from "./migrate.ts";
import { checkAppRole, makeDatabase, type RoleRefusal } from "./roles.ts";
import { asStoreFailure, StoreFailure, type StoreFailureCode } from "./store-failure.ts";

/** The database of a running control plane: migrated, checked, spoken to as the application's role only. */
export interface Store {
  readonly database: Database;
  /** For `listen()`, which needs a session of its own. */
  readonly target: ConnectionTarget;
  /** As whom a signer that is started here reads. */
  readonly signerTarget: ConnectionTarget;
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
  config: Pick<Config, "database" | "dataDirectory" | "signer">,
  log: StoreLog,
): Promise<Result<Store, StoreRefusal>> {
  if (config.database.kind === "url") {
    const { url, ownerUrl } = config.database;
    const signerUrl = config.signer.kind === "own" ? config.signer.databaseUrl : null;
    return openAt(
      {
        app: { kind: "url", url },
        owner: ownerUrl === null ? null : { kind: "url", url: ownerUrl },
        // Without a role of its own it reads as the application, in sessions that cannot write.
        signer: { kind: "url", url: signerUrl ?? url },
        signerRole: config.signer.role,
      },
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
    await makeDatabase(postgres.target(SUPERUSER, "postgres"), DATABASE_NAME, OWNER_ROLE, APP_ROLE, SIGNER_ROLE);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  const as = (role: string): ConnectionTarget => postgres.target(role, DATABASE_NAME);
  return openAt(
    { app: as(APP_ROLE), owner: as(OWNER_ROLE), signer: as(SIGNER_ROLE), signerRole: SIGNER_ROLE },
    log,
    () => postgres.stop(),
  );
}

interface Targets {
  readonly app: ConnectionTarget;
  readonly owner: ConnectionTarget | null;
  readonly signer: ConnectionTarget;
  readonly signerRole: string | null;
}

async function openAt(
  { app, owner, signer, signerRole }: Targets,
  log: StoreLog,
  stop: () => Promise<void>,
): Promise<Result<Store, StoreRefusal>> {
  const database = new Database(app, (error) => log("warn", `a database session has ended: ${error.message}`));
  const close = async (): Promise<void> => {
    await database.close();
    await stop();
  };
  try {
    const migrated = owner === null ? ok([]) : await migrate(owner, roleOf(app), readMigrations(), signerRole);
    const checked = migrated.ok ? await checkAppRole(database) : migrated;
    if (migrated.ok && checked.ok)
      return ok({ database, target: app, signerTarget: signer, migrated: migrated.value, close });
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
