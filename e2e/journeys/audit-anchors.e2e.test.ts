/**
 * S35, S36 on real servers: whoever has the database whole and the disk of the control plane cuts the audit log, or puts an older one back; the
 * servers know it. Then a person accepts what is there, and the servers go on from it without forgetting.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { auditVerifySchema, epochBegunSchema } from "@holdfast/core/api/account.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

let house: House;
let close: () => Promise<void> = () => Promise.resolve();
beforeAll(async () => {
  house = await House.open({
    servers: [
      { name: "db-1", kind: "plain" },
      { name: "web-1", kind: "systemd" },
    ],
    furnished: false,
  });
  close = () => house.close();
}, 240_000);
afterAll(() => close(), 60_000);

/** A head is signed at most a minute after an entry, and handed out at most a minute after that. */
const HANDED_OUT_MS = 170_000;
const TEST_MS = 400_000;

const headSchema = z.object({ epoch: z.int(), entries: z.int(), head: z.string() });
const statusSchema = z.looseObject({
  auditHead: z.object({ signerKey: z.string(), newest: headSchema, ended: z.array(headSchema) }).nullable(),
});

async function keptBy(name: string): Promise<z.infer<typeof statusSchema>["auditHead"]> {
  return statusSchema.parse(await house.server(name).agent.status()).auditHead;
}

async function allKeep(what: string, enough: (head: z.infer<typeof headSchema>) => boolean): Promise<void> {
  await until(
    what,
    async () => {
      const kept = await Promise.all(house.servers.map(({ name }) => keptBy(name)));
      return kept.every((one) => one !== null && enough(one.newest));
    },
    HANDED_OUT_MS,
    1_000,
  );
}

const verify = () => house.operator.call("verifyAudit", { answer: auditVerifySchema });

/** As superuser, without triggers; and the file of heads goes, as with the disk of the control plane. */
async function tamper(...statements: readonly string[]): Promise<void> {
  const session = await house.database.session();
  try {
    await session.query("begin");
    await session.query("set local session_replication_role = replica");
    await session.query("lock table holdfast.audit_log, holdfast.audit_standings in exclusive mode");
    for (const statement of statements) await session.query(statement);
    await session.query("commit");
  } finally {
    session.release(true);
  }
  rmSync(join(house.dataOf(0), "audit-heads.jsonl"), { force: true });
}

const PROOF = ["audit_log", "audit_checkpoints", "audit_receipts", "audit_standings", "audit_epochs"] as const;

test("a cut tail, an older log put back, and a person who accepts it", { timeout: TEST_MS }, async () => {
  await allKeep("every server to keep a head", ({ entries }) => entries > 0);
  const first = await verify();
  expect(first).toMatchObject({ intact: true, onServers: { counts: { holds: 2 }, unasked: 0, notable: [] } });
  const receipts = await house.database.rows<{ name: string }>({
    text: "select s.name from holdfast.audit_receipts r join holdfast.servers s on s.id = r.server_id group by 1 order by 1",
    values: [],
  });
  expect(receipts.map(({ name }) => name)).toEqual(["db-1", "web-1"]);
  // What somebody at the server reads is what the log holds.
  const known = await keptBy("web-1");
  const kept = `${known?.newest.entries ?? 0}:${known?.newest.head ?? ""}`;
  const told = await house.server("web-1").agent.run("status");
  expect(told.stdout).toContain(`holdfast audit verify --kept ${kept}`);
  expect(await house.operator.call("verifyAudit", { query: { kept }, answer: auditVerifySchema })).toMatchObject({
    intact: true,
  });
  // An older copy, as a backup of the night before holds it.
  const early = Math.min(
    ...(await Promise.all(house.servers.map(async ({ name }) => (await keptBy(name))?.newest.entries ?? 0))),
  );

  await tamper(
    ...PROOF.map((table) => `create table holdfast.kept_${table} as select * from holdfast.${table}`),
    `delete from holdfast.audit_log where id >= ${early - 1}`,
    `delete from holdfast.audit_checkpoints where entries >= ${early - 1}`,
    "delete from holdfast.audit_receipts",
    "delete from holdfast.audit_standings",
  );
  const cut = await verify();
  expect(cut).toMatchObject({ intact: false, reason: "cut_off", firstBroken: early - 1, nextEpoch: 2 });
  expect(cut.onServers.notable.map(({ server, standing }) => [server, standing])).toEqual([
    ["db-1", "ahead"],
    ["web-1", "ahead"],
  ]);

  // Put back to what it was, it is whole again: nothing was lost but time.
  await tamper(
    ...PROOF.flatMap((table) => [
      `delete from holdfast.${table}`,
      `insert into holdfast.${table} select * from holdfast.kept_${table}`,
    ]),
  );
  expect(await verify()).toMatchObject({ intact: true, onServers: { counts: { holds: 2 } } });

  // An older day: the first half of it, which goes on being written.
  const half = Math.floor(early / 2);
  await tamper(
    `delete from holdfast.audit_log where id > ${half}`,
    `delete from holdfast.audit_checkpoints where entries > ${half}`,
    "delete from holdfast.audit_receipts",
    "delete from holdfast.audit_standings",
  );
  for (let index = 0; index < early; index += 1) await house.operator.expectServer(`later-${index}`, { role: "later" });
  const older = await verify();
  expect(older).toMatchObject({ intact: false, reason: "rewritten", nextEpoch: 2 });
  expect(older.onServers.notable.map(({ server, standing }) => [server, standing])).toEqual([
    ["db-1", "forked"],
    ["web-1", "forked"],
  ]);
  // Killed and started again, and dialling anew, they are handed nothing that would make them forget.
  for (const server of house.servers) server.kill("guard");
  const before = await Promise.all(house.servers.map(({ name }) => keptBy(name)));

  const reason = "the disk died, the backup of the night was put back";
  expect(
    await house.operator.call("beginAuditEpoch", { body: { epoch: 2, reason }, answer: epochBegunSchema }),
  ).toMatchObject({ epoch: 2 });
  await allKeep("every server to keep a head of the new epoch", ({ epoch }) => epoch === 2);
  const after = await Promise.all(house.servers.map(({ name }) => keptBy(name)));
  expect(after.map((one) => one?.ended)).toEqual(before.map((one) => (one === null ? [] : [one.newest])));
  expect((await house.server("db-1").agent.run("status")).stdout).toContain("Epoch 1 ended here with");
  expect(await verify()).toMatchObject({ intact: true, epoch: 2, onServers: { counts: { holds: 2 } } });
});
