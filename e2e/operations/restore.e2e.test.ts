/**
 * A backup is taken, the house goes on, the control plane's machine is lost, and the older state is put back: the agents are ahead of it.
 * docs/operations/backup-and-restore.md
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { APP_ROLE, OWNER_ROLE } from "@holdfast/control/postgres/embedded.ts";
import { sql } from "@holdfast/control/store/sql.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { must } from "@holdfast/testkit/servers/child.ts";
import { ASK_API_EVERY_MS, until } from "@holdfast/testkit/until.ts";
import { expect, test } from "vitest";
import { z } from "zod";
import { Stage } from "../fault-matrix/stage.ts";
import { endOf } from "../one-apply.ts";

/** What of the data directory belongs to a backup beside the database; the guide says the same. */
const KEYS = ["authority", "signer", "secrets.key"] as const;
const TEST_MS = 300_000;
const statusSchema = z.looseObject({ maxFence: z.int(), generation: z.int(), open: z.unknown() });

function writeSecret(house: House, name: string): Promise<unknown> {
  const body = { value: `not-a-secret-of-anybody-${name}` };
  return house.operator.call("putSecret", { params: { name }, body, ifMatch: '"0"', answer: z.unknown() });
}

/** Sessions are back, and what the agents know has been read. */
async function isLocked(stage: Stage): Promise<void> {
  await until(
    "the server to be known as ahead of the database",
    async () => (await stage.lock()) === "server.ahead_of_database",
    60_000,
    ASK_API_EVERY_MS,
  );
}

/** Applies are refused until somebody has looked and unlocked, and the next one is an ordinary one above all fences of before. */
async function appliesAfterUnlocking(house: House, stage: Stage): Promise<void> {
  const status = statusSchema.parse(await stage.server.agent.status());
  const known = await house.database.one<{ fence: number; generation: number }>(
    sql`select fence, generation from servers where name = ${stage.server.name}`,
  );
  expect(known.fence).toBeGreaterThanOrEqual(status.maxFence);
  expect(known.generation).toBe(status.generation);
  const refused = await stage.plan();
  expect(refused.plans.flatMap(({ findings }) => findings.map(({ code }) => code))).toContain("plan.server_locked");
  await expect(stage.apply(refused)).rejects.toThrow(/locked|cannot be planned/);
  await stage.rest();
  const begun = await stage.begin();
  const row = await endOf(house, begun.applyId);
  expect(row, row.message ?? "").toMatchObject({ state: "APPLIED", server_is: "as_requested" });
  expect(row.fence).toBeGreaterThan(status.maxFence);
  expect(await stage.server.ownTable()).not.toBe(stage.tableBefore);
  expect(await stage.visit()).toBe("open");
}

test(
  "pg_dump of a running house, the machine lost with a server on trial, pg_restore and the keys",
  { timeout: TEST_MS },
  async () => {
    const backup = mkdtempSync(join(tmpdir(), "holdfast-backup-"));
    try {
      await using house = await House.open({ database: "debian", servers: [{ name: "web-1", kind: "systemd" }] });
      const stage = Stage.of(house);
      const proof = sql`select (select count(*) from pg_policies) as policies, (select count(*) from pg_trigger where not tgisinternal) as triggers`;
      const before = await house.database.one(proof);
      // With the first secret the key comes that all are wrapped with.
      await writeSecret(house, "before");
      await house.database.dump(join(backup, "holdfast.dump"));
      for (const name of KEYS) cpSync(join(house.dataOf(0), name), join(backup, name), { recursive: true });

      const forgotten = await stage.begin();
      expect(await endOf(house, forgotten.applyId)).toMatchObject({ state: "APPLIED" });
      const confirmed = await stage.server.ownTable();
      await stage.at("on_trial", () => house.killControl());
      rmSync(house.dataOf(0), { recursive: true });
      // The server needs nobody for it: it is as it was before the change that was on trial, with the one that no backup knows.
      await until("the server to undo by itself", async () => (await stage.server.ownTable()) === confirmed, 60_000);

      await house.database.restoreDump(join(backup, "holdfast.dump"));
      expect(await house.database.one(proof)).toEqual(before);
      await expect(house.database.psql(APP_ROLE, "delete from holdfast.audit_log")).rejects.toThrow(
        "permission denied",
      );
      await expect(house.database.psql(OWNER_ROLE, "delete from holdfast.audit_log")).rejects.toThrow("append-only");
      // Without its keys it is another house, and says so before anybody connects.
      await expect(house.startControl()).rejects.toThrow("authority.other_keys");
      rmSync(house.dataOf(0), { recursive: true });
      mkdirSync(house.dataOf(0), { mode: 0o700 });
      for (const name of KEYS) cpSync(join(backup, name), join(house.dataOf(0), name), { recursive: true });
      await house.makeWhole();
      // Its key opens what it sealed before: another one would make no secret either.
      await writeSecret(house, "after");
      expect(house.controlOutput()).not.toContain("secret.key_missing");
      // The rows of the forgotten change and of the one on trial are not there, and nobody makes them up.
      expect(await house.database.rows(sql`select from applies where id = ${forgotten.applyId}`)).toEqual([]);
      await isLocked(stage);
      await appliesAfterUnlocking(house, stage);
    } finally {
      rmSync(backup, { recursive: true, force: true });
    }
  },
);

test(
  "the embedded database: the whole data directory, copied while the control plane stands still",
  { timeout: TEST_MS },
  async () => {
    await using house = await House.open({ servers: [{ name: "web-1", kind: "plain" }] });
    const stage = Stage.of(house);
    const data = house.dataOf(0);
    await house.stopControl();
    await must(["cp", "--archive", data, `${data}.backup`]);
    await house.makeWhole();
    const forgotten = await stage.begin();
    expect(await endOf(house, forgotten.applyId)).toMatchObject({ state: "APPLIED" });
    await house.stopControl();
    rmSync(data, { recursive: true });
    await must(["mv", `${data}.backup`, data]);
    await house.makeWhole();
    await isLocked(stage);
    await appliesAfterUnlocking(house, stage);
  },
);
