import {
  hasDebian15,
  withDatabase,
  withDebian15,
  withEmptyDatabase,
  type TestDatabase,
} from "@holdfast/testkit/database.ts";
import { storedHouse } from "@holdfast/testkit/stored-house.ts";
import { expect, test } from "vitest";
import { Database } from "./database.ts";
import { checkAppRole } from "./roles.ts";
import { sql } from "./sql.ts";

const APPEND_ONLY = ["audit_log", "audit_receipts", "audit_epochs", "apply_events", "revisions"] as const;
const REFUSED_TO_APP = [
  ...APPEND_ONLY.flatMap((table) => [`delete from ${table}`, `truncate ${table}`, `drop table ${table}`]),
  "update audit_log set actor = 'x'",
  "update apply_events set actor = 'x'",
  "update revisions set comment = 'x'",
  "delete from applies",
  "delete from host_transactions",
  "truncate applies cascade",
  "update apply_transitions set to_state = 'APPLIED'",
  "insert into apply_transitions values ('FAILED', 'APPLIED')",
  "delete from schema_migrations",
  "alter table audit_log disable trigger all",
  "drop trigger audit_log_append_only on audit_log",
  "create or replace function refuse_change() returns trigger language plpgsql as $$ begin return new; end $$",
  "create table holdfast.mine (x int)",
  "create temporary table mine (x int)",
  "create schema mine",
  "set session_replication_role = replica",
  "set role holdfast_owner",
  "create role mine",
  "alter role holdfast_app superuser",
  "alter database template_holdfast owner to holdfast_app",
  "copy audit_log to '/tmp/audit'",
  "select pg_read_file('/etc/passwd')",
] as const;

async function accepted({ app }: TestDatabase): Promise<string[]> {
  await storedHouse(app);
  const went: string[] = [];
  for (const text of REFUSED_TO_APP) {
    try {
      await app.run({ text, values: [] });
      went.push(text);
    } catch (error) {
      // insufficient_privilege is the answer; anything else would be a refusal by accident.
      const code = (error as { code?: string }).code;
      if (code !== "42501") went.push(`${text}: ${code}`);
    }
  }
  return went;
}

test("S34: the application's role cannot touch the proof or the schema", async () => {
  expect(await withDatabase(accepted)).toEqual([]);
});

test.skipIf(!hasDebian15)("the same on PostgreSQL 15", async () => {
  expect(await withDebian15(accepted)).toEqual([]);
});

test("a start as a role that is too strong, or on a database without the schema, is refused", async () => {
  await withDatabase(async ({ app, owner }) => {
    expect(await checkAppRole(app)).toEqual({ ok: true, value: null });
    expect(await checkAppRole(owner)).toMatchObject({ ok: false, error: { code: "database.app_role_too_strong" } });
    await owner.run(sql`insert into schema_migrations (number, name, sha256) values (9999, '9999_later.sql', '')`);
    expect(await checkAppRole(app)).toMatchObject({ ok: false, error: { code: "database.other_schema" } });
  });
  await withEmptyDatabase(async ({ appTarget }) => {
    const database = new Database(appTarget, () => undefined, 1);
    try {
      expect(await checkAppRole(database)).toMatchObject({ ok: false, error: { code: "database.not_migrated" } });
    } finally {
      await database.close();
    }
  });
});
