/** What is wrong with the audit log becomes an alert, and goes when everybody has seen it whole. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InstanceId } from "@holdfast/core/base/id.ts";
import { type TestDatabase, withDatabase } from "@holdfast/testkit/database.ts";
import { type StoredHouse, storedHouse } from "@holdfast/testkit/stored-house.ts";
import pino from "pino";
import { expect, test } from "vitest";
import { look } from "../src/alerts/look.ts";
import { recordAlerts } from "../src/alerts/record.ts";
import { anchorFile } from "../src/audit/anchor-file.ts";
import { headSigner } from "../src/audit/checkpoint.ts";
import { auditWitness } from "../src/audit/witness.ts";
import { AgentSessions } from "../src/gateway/agent-sessions.ts";
import { buryInstance } from "../src/instance/instance.ts";
import { auditCheckpoints } from "../src/reconcilers/audit-checkpoints.ts";
import { listStanding } from "../src/store/alerts.ts";
import { auditHash, type ChainEntry, GENESIS } from "../src/store/audit-chain.ts";
import { Database } from "../src/store/database.ts";
import { reportInstance } from "../src/store/instances.ts";
import { newId } from "../src/store/new-id.ts";

const silent = pino({ level: "silent" });
const NEVER = new AbortController().signal;

async function lookOnce({ database, by }: Pick<StoredHouse, "database" | "by">): Promise<void> {
  await recordAlerts(database, await look(database), by, silent);
}

async function standing(database: Database): Promise<readonly string[]> {
  return (await listStanding(database)).map(({ kind }) => kind);
}

async function asAttacker(one: TestDatabase, text: string): Promise<void> {
  const attacker = new Database(one.superuserTarget, () => undefined, 1);
  try {
    await attacker.run({ text: `set session_replication_role = replica; ${text}`, values: [] });
  } finally {
    await attacker.close();
  }
}

/** An instance of a house whose key and file it shares with those after it, as after a restart. */
async function auditedHouse(
  body: (
    one: TestDatabase,
    house: StoredHouse,
    start: () => Promise<{ look(): Promise<void>; leave(): Promise<void> }>,
  ) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-alerts-"));
  const seed = randomBytes(32);
  try {
    await withDatabase(async (one) => {
      const house = await storedHouse(one.app);
      await house.server("web-1");
      await body(one, house, async () => {
        const instanceId: InstanceId = newId();
        await reportInstance(one.app, instanceId, "cp");
        const file = anchorFile(join(folder, "heads"));
        const signer = headSigner(seed);
        const witness = auditWitness({ database: one.app, signer, file, nowMs: () => Date.now(), log: silent });
        const context = { database: one.app, instanceId, sessions: new AgentSessions(), log: silent, signal: NEVER };
        return {
          async look() {
            await auditCheckpoints(witness).run(context);
            await lookOnce(house);
          },
          leave: () => buryInstance(one.app, instanceId),
        };
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const NOT_OURS = "insert into holdfast.audit_checkpoints values (1, repeat('0', 64), now(), '\\x00')";
/** What is left is a whole, shorter chain. */
const CUT = "delete from holdfast.audit_log where id = (select max(id) from holdfast.audit_log)";
/** Also whole: every hash is right, the first entry is another one. */
async function anew(one: TestDatabase): Promise<void> {
  await asAttacker(one, "update holdfast.audit_log set actor = 'nobody' where id = 1");
  const rows = await one.app.rows<ChainEntry>({ text: "select * from audit_log order by id", values: [] });
  let before = GENESIS;
  for (const row of rows) {
    const prev_hash = before;
    before = auditHash({ ...row, prev_hash });
    await asAttacker(
      one,
      `update holdfast.audit_log set prev_hash = '${prev_hash}', hash = '${before}' where id = ${row.id}`,
    );
  }
}

test.each([
  ["edited", (one) => asAttacker(one, "update holdfast.audit_log set actor = 'nobody' where id = 2"), "(content)"],
  ["cut off", (one) => asAttacker(one, CUT), "cut off"],
  ["written anew", anew, "written anew"],
  ["given a head that somebody else signed", (one) => asAttacker(one, NOT_OURS), "has not signed"],
] satisfies readonly (readonly [string, (one: TestDatabase) => Promise<void>, string])[])(
  "an audit log that was %s opens an alert, which a restart does not end while it is so",
  async (_what, tamper, words) => {
    await auditedHouse(async (one, house, start) => {
      const first = await start();
      await first.look();
      expect(await standing(one.app)).toEqual([]);
      await tamper(one);
      await first.look();
      expect(await listStanding(one.app)).toMatchObject([{ kind: "audit-broken" }]);
      expect((await listStanding(one.app))[0]?.message).toContain(words);
      const opened = (await listStanding(one.app))[0]?.id;

      // It has not looked yet: that nothing was found is no news.
      await first.leave();
      await lookOnce(house);
      const second = await start();
      await lookOnce(house);
      expect(await listStanding(one.app)).toMatchObject([{ id: opened }]);
      await second.look();
      expect(await listStanding(one.app)).toMatchObject([{ id: opened }]);
    });
  },
);

test("an audit log that is as it was written again resolves its alert, once every instance has seen it so", async () => {
  await auditedHouse(async (one, house, start) => {
    const first = await start();
    await first.look();
    await asAttacker(one, "update holdfast.audit_log set actor = actor || 'x' where id = 2");
    await first.look();
    await asAttacker(one, "update holdfast.audit_log set actor = left(actor, -1) where id = 2");
    await first.leave();
    const [second, third] = [await start(), await start()];
    await second.look();
    expect(await standing(one.app)).toEqual(["audit-broken"]);
    await third.look();
    expect(await standing(one.app)).toEqual([]);
    await lookOnce(house);
    expect(await standing(one.app)).toEqual([]);
  });
});
