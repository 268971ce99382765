import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import pg from "pg";
import type { ConnectionTarget } from "../postgres/connection-target.ts";
import { ask, clientConfig, type Queryable } from "./database.ts";
import { readMigrations } from "./migrate.ts";
import { sql } from "./sql.ts";

/** Makes a database and its three roles, as superuser. What is there already is left alone. */
export async function makeDatabase(
  superuser: ConnectionTarget,
  name: string,
  owner: string,
  app: string,
  signer: string,
): Promise<void> {
  const client = new pg.Client(clientConfig(superuser));
  // Whoever waits for an answer hears of a lost connection there.
  client.on("error", () => undefined);
  await client.connect();
  try {
    for (const role of [owner, app, signer]) {
      const { rowCount } = await ask(client, sql`select from pg_roles where rolname = ${role}`);
      if (rowCount === 0) await ask(client, { text: `create role ${pg.escapeIdentifier(role)} login`, values: [] });
    }
    const database = pg.escapeIdentifier(name);
    const { rowCount } = await ask(client, sql`select from pg_database where datname = ${name}`);
    if (rowCount === 0)
      await ask(client, { text: `create database ${database} owner ${pg.escapeIdentifier(owner)}`, values: [] });
    await ask(client, { text: `revoke all on database ${database} from public`, values: [] });
    for (const role of [app, signer])
      await ask(client, { text: `grant connect on database ${database} to ${pg.escapeIdentifier(role)}`, values: [] });
  } finally {
    await client.end();
  }
}

export interface RoleRefusal {
  readonly code: "database.app_role_too_strong" | "database.not_migrated" | "database.other_schema";
  readonly message: string;
}

/** Refuses to run on a database without this code's schema, or as a role that could change the proof. Asked at every start. */
export async function checkAppRole(database: Queryable): Promise<Result<null, RoleRefusal>> {
  const { exists } = await database.one<{ exists: boolean }>(
    sql`
    select coalesce(has_schema_privilege((select oid from pg_namespace where nspname = 'holdfast'), 'usage'), false) as exists`,
  );
  if (!exists) {
    return err({
      code: "database.not_migrated",
      message:
        "the database has no Holdfast schema, or this role may not see it: set HOLDFAST_DATABASE_OWNER_URL so that it can be made",
    });
  }
  const { applied } = await database.one<{ applied: number }>(sql`select count(*) as applied from schema_migrations`);
  const known = readMigrations().length;
  if (applied !== known) {
    return err({
      code: "database.other_schema",
      message: `the database has ${applied} migrations, this Holdfast has ${known}: ${applied < known ? "set HOLDFAST_DATABASE_OWNER_URL so that they can be made" : "start the version that made them"}`,
    });
  }
  const { role, too_strong } = await database.one<{ role: string; too_strong: boolean }>(sql`
    select current_user as role,
           (select rolsuper from pg_roles where rolname = current_user)
           or has_schema_privilege('holdfast', 'create')
           or has_table_privilege('holdfast.audit_log', 'update, delete, truncate')
           or has_table_privilege('holdfast.audit_checkpoints', 'update, delete, truncate')
           or has_table_privilege('holdfast.apply_events', 'update, delete, truncate')
           or has_table_privilege('holdfast.revisions', 'update, delete, truncate') as too_strong`);
  if (!too_strong) return ok(null);
  return err({
    code: "database.app_role_too_strong",
    message: `the role ${role} of DATABASE_URL could change the audit log or the schema: give the application a role of its own and the owner's URL as HOLDFAST_DATABASE_OWNER_URL`,
  });
}
