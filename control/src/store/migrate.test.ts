import { TRANSITIONS } from "@holdfast/core/apply/state.ts";
import { DEBIAN_15, hasDebian15, withDatabase, withEmptyDatabase } from "@holdfast/testkit/database.ts";
import { expect, test } from "vitest";
import { roleOf } from "../postgres/connection-target.ts";
import { Database } from "./database.ts";
import { migrate, readMigrations, type Migration } from "./migrate.ts";
import { sql } from "./sql.ts";

const STARTERS = 20;

async function startAtOnce(binaries = ""): Promise<void> {
  await withEmptyDatabase(async ({ ownerTarget, appTarget }) => {
    const results = await Promise.all(Array.from({ length: STARTERS }, () => migrate(ownerTarget, roleOf(appTarget))));
    const names = readMigrations().map(({ name }) => name);
    const migrated = results.map((result) => (result.ok ? result.value : result.error));
    expect(migrated.filter((list) => "length" in list && list.length > 0)).toEqual([names]);
    expect(migrated.filter((list) => "length" in list && list.length === 0)).toHaveLength(STARTERS - 1);
  }, binaries);
}

test("of twenty control planes that start at once, one migrates and all go on", async () => {
  await startAtOnce();
});

test.skipIf(!hasDebian15)("the same on PostgreSQL 15", async () => {
  await startAtOnce(DEBIAN_15);
});

const NUMBER = (readMigrations().at(-1)?.number ?? 0) + 1;
const NEXT: Migration = {
  number: NUMBER,
  name: `${String(NUMBER).padStart(4, "0")}_next.sql`,
  text: "create table next (id int primary key)",
};

test("a newer database, an edited file and a single role are refused, with nothing changed", async () => {
  await withEmptyDatabase(async ({ ownerTarget, appTarget }) => {
    const app = roleOf(appTarget);
    const known = readMigrations();
    expect(await migrate(ownerTarget, app, [...known, NEXT])).toEqual({
      ok: true,
      value: [...known, NEXT].map(({ name }) => name),
    });
    expect(await migrate(ownerTarget, app, known)).toMatchObject({
      ok: false,
      error: { code: "migration.database_newer" },
    });
    const edited = [...known, { ...NEXT, text: "create table other (id int)" }];
    expect(await migrate(ownerTarget, app, edited)).toMatchObject({ ok: false, error: { code: "migration.edited" } });
    expect(await migrate(ownerTarget, roleOf(ownerTarget))).toMatchObject({
      ok: false,
      error: { code: "migration.same_role" },
    });
  });
});

const EVERYTHING = ["view", "edit", "apply", "approve", "audit", "admin", "watch"];

test.each([
  ["look at packets", "0028_watch.sql", "watch", EVERYTHING.slice(0, 6)],
  ["use tools", "0030_probe.sql", "probe", EVERYTHING],
])(
  "who held every permission there was, everywhere, may %s after the upgrade; nobody else is given it",
  async (_, file, given, all) => {
    // The migration's own statement: what it runs on are grants from before.
    const text = readMigrations().find(({ name }) => name === file)?.text ?? "";
    const give = /insert into holdfast\.grants[^;]+/.exec(text)?.[0] ?? "";
    await withDatabase(async ({ owner }) => {
      const hold = async (
        name: string,
        permissions: readonly string[],
        scope: string,
        domains: readonly string[] | null,
      ) => {
        const { id } = await owner.one<{ id: string }>(
          sql`insert into users (id, name) values (gen_random_uuid(), ${name}) returning id`,
        );
        await owner.run(sql`
        insert into grants (user_id, permission, scope, domains)
        select ${id}, permission, ${scope}::jsonb, ${domains}::text[] from unnest(${permissions}::text[]) as permission`);
      };
      await hold("kim", all, '{"all": true}', null);
      await hold("all-but-one", all.slice(1), '{"all": true}', null);
      await hold("some-servers", all, '{"role": "web"}', null);
      await hold("one-domain", all, '{"all": true}', ["vpn"]);
      await owner.run({ text: give, values: [] });
      expect(
        await owner.rows(sql`
        select u.name, g.scope, g.domains from grants g join users u on u.id = g.user_id where g.permission = ${given}`),
      ).toEqual([{ name: "kim", scope: { all: true }, domains: null }]);
    });
  },
);

test("a migration that fails leaves nothing behind", async () => {
  await withEmptyDatabase(async ({ ownerTarget, appTarget }) => {
    const broken: Migration = { ...NEXT, text: "create table half (id int); select 1 / 0" };
    await expect(migrate(ownerTarget, roleOf(appTarget), [...readMigrations(), broken])).rejects.toThrow(
      "division by zero",
    );
    const owner = new Database(ownerTarget, () => undefined, 1);
    try {
      expect(await owner.rows(sql`select nspname from pg_namespace where nspname = 'holdfast'`)).toEqual([]);
    } finally {
      await owner.close();
    }
  });
});

test("the transition table is core's, also after somebody has edited it", async () => {
  const law = Object.entries(TRANSITIONS).flatMap(([from, steps]) => steps.map(({ to }) => `${from} ${to}`));
  await withDatabase(async ({ owner, ownerTarget, appTarget }) => {
    await owner.run(sql`insert into apply_transitions (from_state, to_state) values ('FAILED', 'APPLIED')`);
    expect(await migrate(ownerTarget, roleOf(appTarget))).toEqual({ ok: true, value: [] });
    const rows = await owner.rows<{ step: string }>(
      sql`select from_state || ' ' || to_state as step from apply_transitions`,
    );
    expect(rows.map(({ step }) => step).sort()).toEqual(law.sort());
  });
});
