import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEBIAN_15, hasDebian15, withDatabase, withEmptyDatabase } from "@holdfast/testkit/database.ts";
import { storedHouse } from "@holdfast/testkit/stored-house.ts";
import { expect, test, vi } from "vitest";
import type { ConnectionTarget } from "../postgres/connection-target.ts";
import { readMigrations } from "./migrate.ts";
import { openStore } from "./open-store.ts";
import { checkAppRole } from "./roles.ts";

vi.setConfig({ testTimeout: 60_000 });

const NAMES = readMigrations().map(({ name }) => name);
const quiet = (): void => undefined;

/** As an operator would write it in DATABASE_URL. */
function urlOf(target: ConnectionTarget): string {
  if (target.kind === "url") return target.url;
  return `postgresql://${target.user}@${encodeURIComponent(target.directory)}/${target.database}`;
}

const SIGNER = { kind: "own", databaseUrl: null, role: null, approvalsAtLeast: null } as const;

test("the embedded database is made at the first start and found at the second", async () => {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-store-"));
  try {
    // The database user must be able to enter it.
    chmodSync(directory, 0o711);
    for (const migrated of [NAMES, []]) {
      const store = await openStore(
        { database: { kind: "embedded" }, dataDirectory: directory, signer: SIGNER },
        quiet,
      );
      if (!store.ok) throw new Error(store.error.message);
      try {
        expect(store.value.migrated).toEqual(migrated);
        expect(await checkAppRole(store.value.database)).toEqual({ ok: true, value: null });
        if (migrated.length > 0) await storedHouse(store.value.database);
      } finally {
        await store.value.close();
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

const INSTALLATIONS = ["", ...(hasDebian15 ? [DEBIAN_15] : [])];

test.each(INSTALLATIONS)(
  "another database is migrated as its owner and used as the application %s",
  async (binaries) => {
    await withEmptyDatabase(async ({ ownerTarget, appTarget }) => {
      const at = (ownerUrl: string | null) =>
        openStore(
          { database: { kind: "url", url: urlOf(appTarget), ownerUrl }, dataDirectory: "/nowhere", signer: SIGNER },
          quiet,
        );
      expect(await at(null), "nobody has made the schema").toMatchObject({
        ok: false,
        error: { code: "database.not_migrated" },
      });
      expect(await at(urlOf(appTarget)), "one role for both").toMatchObject({
        ok: false,
        error: { code: "migration.same_role" },
      });
      for (const ownerUrl of [urlOf(ownerTarget), null]) {
        const store = await at(ownerUrl);
        if (!store.ok) throw new Error(store.error.message);
        expect(store.value.migrated).toEqual(ownerUrl === null ? [] : NAMES);
        if (ownerUrl === null) await storedHouse(store.value.database);
        await store.value.close();
      }
    }, binaries);
  },
);

test("a role that is too strong, and a database that does not answer, are refused with words", async () => {
  await withDatabase(async ({ ownerTarget }) => {
    const strong = await openStore(
      { database: { kind: "url", url: urlOf(ownerTarget), ownerUrl: null }, dataDirectory: "/nowhere", signer: SIGNER },
      quiet,
    );
    expect(strong).toMatchObject({ ok: false, error: { code: "database.app_role_too_strong" } });
  });
  const away = "postgresql://app@%2Fnowhere/holdfast";
  expect(
    await openStore(
      { database: { kind: "url", url: away, ownerUrl: null }, dataDirectory: "/nowhere", signer: SIGNER },
      quiet,
    ),
  ).toMatchObject({
    ok: false,
    error: { code: "store.unavailable" },
  });
});
