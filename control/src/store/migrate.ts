/**
 * Brings a database to this code's schema, as the owner role.
 *
 *   M1. Any number of control planes may start at once: one migrates, the others wait and find it done.
 *   M2. All or nothing: every pending file, the transition table and the grants are one transaction.
 *   M3. A file that was applied is history: one that differs from what was applied is refused, and so is a database that is ahead of the code.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { TRANSITIONS } from "@holdfast/core/apply/state.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import pg from "pg";
import { roleOf, type ConnectionTarget } from "../postgres/connection-target.ts";
import { ask, clientConfig } from "./database.ts";
import { sql } from "./sql.ts";

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly text: string;
}

export type MigrationFailureCode =
  | "migration.database_newer"
  | "migration.edited"
  | "migration.same_role"
  | "migration.not_committed";

export interface MigrationFailure {
  readonly code: MigrationFailureCode;
  readonly message: string;
}

/** The number has no meaning beside being ours. */
const MIGRATION_LOCK = 4_866_002;
/** A migration may rewrite a table. Starters that wait for it wait as long. */
const MIGRATE_WITHIN_MS = 600_000;

const HERE = new URL("./migrations/", import.meta.url);
const GRANTS = new URL("./grants.sql", import.meta.url);

/** The files `NNNN_name.sql`, in order. Work that goes on side by side takes numbers apart: a gap is a number that was never used. */
export function readMigrations(directory: URL = HERE): readonly Migration[] {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith(".sql"))
    .sort();
  let before = 0;
  return names.map((name) => {
    const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1]);
    if (!(number > before))
      throw new Error(
        `migration ${name}: expected a name like ${String(before + 1).padStart(4, "0")}_what_it_does.sql`,
      );
    before = number;
    return { number, name, text: readFileSync(new URL(name, directory), "utf8") };
  });
}

/** Migrates, and gives `appRole` what the application needs and no more; the same for the signer's role, where it has one. */
export async function migrate(
  owner: ConnectionTarget,
  appRole: string,
  migrations: readonly Migration[] = readMigrations(),
  signerRole: string | null = null,
): Promise<Result<readonly string[], MigrationFailure>> {
  if (roleOf(owner) === appRole) {
    return err({
      code: "migration.same_role",
      message: `the owner of the database and the application are the same role, ${appRole}, which could then change the audit log: use two roles (docs/database.md)`,
    });
  }
  const client = new pg.Client({
    ...clientConfig(owner),
    application_name: "holdfast-migrate",
    statement_timeout: MIGRATE_WITHIN_MS,
    lock_timeout: MIGRATE_WITHIN_MS,
  });
  // Whoever waits for an answer hears of a lost connection there.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await migrateOver(client, appRole, migrations, signerRole);
  } finally {
    await client.end();
  }
}

async function migrateOver(
  client: pg.Client,
  appRole: string,
  migrations: readonly Migration[],
  signerRole: string | null,
): Promise<Result<readonly string[], MigrationFailure>> {
  await ask(client, sql`begin`);
  await ask(client, sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
  await ask(client, sql`create schema if not exists holdfast`);
  await ask(
    client,
    sql`
    create table if not exists holdfast.schema_migrations (
      number      int primary key,
      name        text not null,
      sha256      text not null,
      applied_at  timestamptz not null default now()
    )`,
  );
  const { rows } = await ask(client, sql`select number, name, sha256 from schema_migrations order by number`);
  const applied = rows as { readonly number: number; readonly name: string; readonly sha256: string }[];

  const refusal = compare(applied, migrations);
  if (refusal !== null) {
    await ask(client, sql`rollback`);
    return err(refusal);
  }
  const pending = migrations.slice(applied.length);
  for (const { number, name, text } of pending) {
    await ask(client, { text, values: [] });
    await ask(
      client,
      sql`insert into schema_migrations (number, name, sha256) values (${number}, ${name}, ${sha256(text)})`,
    );
  }
  await writeTransitions(client);
  await ask(
    client,
    sql`select set_config('holdfast.app_role', ${appRole}, true), set_config('holdfast.signer_role', ${signerRole ?? ""}, true)`,
  );
  await ask(client, { text: readFileSync(GRANTS, "utf8"), values: [] });
  const { command } = await client.query("commit");
  if (command !== "COMMIT")
    return err({
      code: "migration.not_committed",
      message: `the migration was answered with ${command}: nothing was changed`,
    });
  return ok(pending.map(({ name }) => name));
}

function compare(
  applied: readonly { readonly name: string; readonly sha256: string }[],
  migrations: readonly Migration[],
): MigrationFailure | null {
  const ahead = applied[migrations.length];
  if (ahead !== undefined) {
    return {
      code: "migration.database_newer",
      message: `the database has been migrated by a newer Holdfast (${ahead.name}), which this one does not know: start that version, or restore the backup made before it`,
    };
  }
  for (const [index, row] of applied.entries()) {
    const file = migrations[index];
    if (file !== undefined && (file.name !== row.name || sha256(file.text) !== row.sha256)) {
      return {
        code: "migration.edited",
        message: `migration ${row.name} was applied with another content than ${file.name} has: restore the file; a change of the schema is a new file`,
      };
    }
  }
  return null;
}

/** core's table, so that the trigger's law and the code's cannot differ. */
async function writeTransitions(client: pg.Client): Promise<void> {
  const from: string[] = [];
  const to: string[] = [];
  for (const [state, transitions] of Object.entries(TRANSITIONS)) {
    for (const transition of transitions) {
      from.push(state);
      to.push(transition.to);
    }
  }
  await ask(client, sql`delete from apply_transitions`);
  await ask(
    client,
    sql`insert into apply_transitions (from_state, to_state) select * from unnest(${from}::text[], ${to}::text[])`,
  );
}

function sha256(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}
