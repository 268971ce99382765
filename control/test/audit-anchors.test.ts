/** S35, S36: what whoever owns the database cannot take back, because servers keep it. */
import { rm } from "node:fs/promises";
import type { SimulatedAgent } from "@holdfast/testkit/simulated-agent/agent.ts";
import { expect, test } from "vitest";
import { look } from "../src/alerts/look.ts";
import { recordAlerts } from "../src/alerts/record.ts";
import { headOfReceipt } from "../src/audit/anchor.ts";
import { anchoring } from "../src/audit/anchoring.ts";
import { headSigner } from "../src/audit/checkpoint.ts";
import { signEpoch } from "../src/audit/epoch.ts";
import { listReceipts } from "../src/audit/store/standings.ts";
import { systemActor } from "../src/store/actor.ts";
import { listStanding } from "../src/store/alerts.ts";
import { auditHash, type ChainEntry } from "../src/store/audit-chain.ts";
import { Database } from "../src/store/database.ts";
import { listKeys } from "../src/store/enrolment.ts";
import { sql } from "../src/store/sql.ts";
import type { AuditStandingRow } from "../src/store/tables.ts";
import { transaction } from "../src/store/transaction.ts";
import { type ApiHouse, EVERYTHING, withApi } from "./api-house.ts";

/** The first test of a file starts PostgreSQL. */
const WITH_START_MS = 60_000;

interface Anchored {
  readonly api: ApiHouse;
  readonly kim: string;
  readonly agent: SimulatedAgent;
  /** Signs what is new in the log, and looks at the server as each minute does. */
  handOut(agent?: SimulatedAgent): Promise<void>;
  write(count: number): Promise<void>;
  tamper(text: string): Promise<void>;
  verify(): Promise<Awaited<ReturnType<typeof verifyOf>>>;
  standing(): Promise<readonly Pick<AuditStandingRow, "standing" | "epoch" | "entries" | "code">[]>;
  alerts(): Promise<readonly string[]>;
}

const verifyOf = (api: ApiHouse, token: string) => api.done(token, "verifyAudit");

async function withAnchored(body: (anchored: Anchored) => Promise<void>): Promise<void> {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "web-1", { role: "web" });
    const superuser = new Database(api.test.superuserTarget, () => undefined, 1);
    const by = systemActor("test", api.house.instanceId);
    let written = 0;
    const { witness, instanceId, log } = api.house;
    const anchors = anchoring({ database: api.test.app, witness, instanceId, nowMs: () => Date.now(), log });
    try {
      const anchored: Anchored = {
        api,
        kim,
        agent,
        async handOut(one = agent) {
          await api.house.witness.checkpoint();
          const session = await api.until(async () => api.sessions.of(one.identity.serverId), "the server's session");
          await anchors.look([session]);
        },
        async write(count) {
          for (let index = 0; index < count; index += 1) {
            const object = `thing/${(written += 1)}`;
            const done = await transaction(api.test.app, async (tx) =>
              tx.audit({ ...by, action: "thing.done", object, resultCode: "ok" }),
            );
            if (!done.ok) throw done.error;
          }
        },
        async tamper(text) {
          await superuser.run(sql`set session_replication_role = replica`);
          for (const one of text.split(";")) await superuser.run({ text: one, values: [] });
        },
        verify: () => verifyOf(api, kim),
        standing: () => api.test.app.rows(sql`select standing, epoch, entries, code from audit_standings`),
        async alerts() {
          await recordAlerts(api.test.app, await look(api.test.app), by, api.house.log);
          return (await listStanding(api.test.app)).map(({ kind }) => kind).filter((kind) => kind.startsWith("audit"));
        },
      };
      await body(anchored);
    } finally {
      await superuser.close();
    }
  });
}

/** The end of the log, every head beside it, every receipt, and what was known of the servers; the file of the instance goes with its disk. */
async function cut({ api, tamper }: Anchored, from: number): Promise<void> {
  await tamper(
    `delete from holdfast.audit_log where id >= ${from}; delete from holdfast.audit_checkpoints where entries >= ${from};` +
      " delete from holdfast.audit_receipts; delete from holdfast.audit_standings",
  );
  await rm(api.headsFile, { force: true });
  expect(await api.house.witness.verify()).toMatchObject({ intact: true, entries: from - 1 });
}

async function doctorsWord({ api, kim }: Anchored) {
  const row = (await api.done(kim, "doctor")).rows.find(({ id }) => id === "audit-heads");
  return { holds: row?.holds, evidence: row?.evidence };
}

test(
  "S35: a connected server keeps the newest head, and its receipt is written down and verifies",
  { timeout: WITH_START_MS },
  async () => {
    await withAnchored(async (anchored) => {
      const { agent, api, verify } = anchored;
      await anchored.handOut();
      const { serverId } = agent.identity;
      expect(agent.heads.kept).toMatchObject({ serverId, newest: { epoch: 1 }, ended: [] });
      const [receipt] = await listReceipts(api.test.app, serverId as never, 1);
      if (receipt === undefined) throw new Error("no receipt was written down");
      const keys = (await listKeys(api.test.app, serverId as never)).map((key) => key.receipt_public_key);
      expect(headOfReceipt(receipt, serverId, keys)).toMatchObject({ entries: receipt.entries, epoch: 1 });
      expect(headOfReceipt({ ...receipt, body: receipt.body.replace(":1,", ":2,") }, serverId, keys)).toBeNull();
      expect(headOfReceipt(receipt, "019b2f00-0000-7000-8000-000000000001", keys)).toBeNull();
      await expect(api.test.app.run(sql`delete from audit_receipts`)).rejects.toMatchObject({ code: "42501" });
      await expect(api.test.app.run(sql`update audit_receipts set epoch = 2`)).rejects.toMatchObject({ code: "42501" });
      const { entries } = agent.heads.kept?.newest ?? { entries: 0 };
      await anchored.write(3);
      await anchored.handOut();
      expect(agent.heads.kept?.newest.entries).toBe(entries + 3);
      expect(await verify()).toMatchObject({
        intact: true,
        epoch: 1,
        nextEpoch: null,
        onServers: { counts: { holds: 1 }, unasked: 0, notable: [] },
      });
      expect(await anchored.alerts()).toEqual([]);
      expect(await doctorsWord(anchored)).toEqual({
        holds: true,
        evidence: "1 of 1 servers keep a head, epoch 1, asked just now; each is found in the log",
      });
    });
  },
);

test("S36: a tail that was cut off together with its heads and receipts is found, and the server that knows it is named", async () => {
  await withAnchored(async (anchored) => {
    const { agent, api, kim, verify } = anchored;
    await anchored.write(30);
    await anchored.handOut();
    const entries = agent.heads.kept?.newest.entries ?? 0;
    await cut(anchored, entries - 28);
    const found = await verify();
    expect(found).toMatchObject({ intact: false, reason: "cut_off", firstBroken: entries - 28, nextEpoch: 2 });
    expect(found.onServers).toMatchObject({
      counts: { ahead: 1, holds: 0 },
      notable: [{ server: "web-1", standing: "ahead", from: "server", entries }],
    });
    expect(await doctorsWord(anchored)).toEqual({
      holds: false,
      evidence: `web-1 is ahead (entry ${entries}), of 1 servers in epoch 1`,
    });
    // Nobody asked: the next look finds it, tells of it, and the server is not made to forget.
    await anchored.handOut();
    expect(await anchored.standing()).toMatchObject([{ standing: "ahead", entries }]);
    expect(agent.heads.kept?.newest.entries).toBe(entries);
    expect(await anchored.alerts()).toEqual(["audit-heads"]);
    const told = { query: { action: "audit.head_compared", server: "web-1" } };
    expect((await api.done(kim, "listAudit", told)).items).toMatchObject([{ resultCode: "audit.head_ahead" }]);
    // Once: it is the same at every look.
    await anchored.handOut();
    expect((await api.done(kim, "listAudit", told)).items.length).toBe(1);
  });
});

test("S36: a log that was put back to an older day and has grown past what servers keep is found all the same", async () => {
  await withAnchored(async (anchored) => {
    const { agent } = anchored;
    await anchored.write(3);
    await anchored.handOut();
    const entries = agent.heads.kept?.newest.entries ?? 0;
    await cut(anchored, entries - 1);
    await anchored.write(20);
    expect(await anchored.verify()).toMatchObject({
      intact: false,
      reason: "rewritten",
      firstBroken: entries,
      onServers: { counts: { forked: 1 }, notable: [{ server: "web-1", standing: "forked" }] },
    });
    await anchored.handOut();
    expect(agent.heads.kept?.newest.entries).toBe(entries);
    expect(await anchored.alerts()).toEqual(["audit-heads"]);
  });
});

test("S36: so is a log whose every hash is right and whose entries are others", async () => {
  await withAnchored(async (anchored) => {
    const { api, tamper } = anchored;
    await anchored.write(3);
    await anchored.handOut();
    const rows = await api.test.app.rows<ChainEntry>(sql`select * from audit_log order by id`);
    let before = rows[0]?.prev_hash ?? "";
    for (const row of rows) {
      const actor = row.id === 2 ? "nobody" : row.actor;
      const prev_hash = before;
      before = auditHash({ ...row, actor, prev_hash });
      await tamper(
        `update holdfast.audit_log set actor = '${actor}', prev_hash = '${prev_hash}', hash = '${before}' where id = ${row.id}`,
      );
    }
    await tamper("delete from holdfast.audit_checkpoints");
    await rm(api.headsFile, { force: true });
    expect(await anchored.verify()).toMatchObject({
      intact: false,
      reason: "rewritten",
      onServers: { counts: { forked: 1 } },
    });
  });
});

test("a backup that was put back on purpose: an epoch is begun, told of, and servers take its heads; nobody else can begin one", async () => {
  await withAnchored(async (anchored) => {
    const { agent, api, kim } = anchored;
    const begin = (epoch: number, token = kim) =>
      api.ask(token, "beginAuditEpoch", { body: { epoch, reason: "the disk died" } });
    await anchored.handOut();
    expect((await begin(2)).json).toMatchObject({ status: 409, code: "audit.nothing_to_accept" });
    await anchored.write(30);
    await anchored.handOut();
    const entries = agent.heads.kept?.newest.entries ?? 0;
    await cut(anchored, entries - 28);

    // Whoever has the database and no key of the house begins nothing, and is found.
    const forged = signEpoch(headSigner(Buffer.alloc(32, 7)), {
      epoch: 2,
      entries: 1,
      head: "0".repeat(64),
      at: new Date().toISOString(),
      begunBy: "user/nobody",
      reason: "x",
    });
    await anchored.tamper(
      `insert into holdfast.audit_epochs values (2, 1, '${forged.head}', '${forged.at}', 'user/nobody', 'x', '\\x${forged.signature.toString("hex")}')`,
    );
    expect(await anchored.verify()).toMatchObject({ intact: false, reason: "forged_checkpoint", epoch: 1 });
    expect((await begin(2)).json).toMatchObject({ status: 409, code: "audit.chain_broken" });
    await anchored.tamper("delete from holdfast.audit_epochs");

    const aud = await api.account("aud", ["audit", "view", "apply"]);
    expect((await begin(2, aud)).json).toMatchObject({ code: "access.permission_missing" });
    expect((await begin(3)).json).toMatchObject({ status: 409, code: "audit.other_epoch" });
    expect((await begin(2)).status).toBe(200);
    expect((await begin(2)).json).toMatchObject({ status: 409 });
    const told = (await api.done(kim, "listAudit", { query: { action: "audit.epoch_begun" } })).items;
    expect(told).toMatchObject([
      {
        actor: "kim",
        object: "audit/epoch/2",
        new: { epoch: 2, reason: "the disk died" },
        old: { epoch: 1, servers: 1, heads: [{ server: "web-1", standing: "ahead", kept: { entries } }] },
      },
    ]);
    expect(await anchored.verify()).toMatchObject({ intact: true, epoch: 2, nextEpoch: null });
    expect(await anchored.alerts()).toEqual(["audit-epoch"]);
    await anchored.handOut();
    // The server has not forgotten what it knew.
    expect(agent.heads.kept).toMatchObject({ newest: { epoch: 2 }, ended: [{ epoch: 1, entries }] });
    expect(await anchored.standing()).toMatchObject([{ standing: "holds", epoch: 2 }]);

    // From here on the new log is held to the same: also a cut that takes the epoch away.
    await anchored.write(2);
    await anchored.handOut();
    const { entries: later = 0 } = agent.heads.kept?.newest ?? {};
    await cut(anchored, later);
    expect(await anchored.verify()).toMatchObject({ intact: false, reason: "cut_off", nextEpoch: 3 });
    await anchored.tamper("delete from holdfast.audit_epochs");
    expect(await anchored.verify()).toMatchObject({ intact: false, epoch: 1, nextEpoch: 3 });
  });
});

test("an epoch makes the instance's own file accuse nobody, and heads are signed again", async () => {
  await withAnchored(async (anchored) => {
    const { agent, api, kim } = anchored;
    await anchored.write(5);
    await anchored.handOut();
    const entries = agent.heads.kept?.newest.entries ?? 0;
    await anchored.tamper(
      `delete from holdfast.audit_log where id >= ${entries - 3}; delete from holdfast.audit_checkpoints where entries >= ${entries - 3}`,
    );
    expect(await api.house.witness.checkpoint()).toMatchObject({ intact: false, reason: "cut_off" });
    const { nextEpoch } = await anchored.verify();
    await api.done(kim, "beginAuditEpoch", { body: { epoch: nextEpoch, reason: "the disk died" } });
    expect(await api.house.witness.checkpoint()).toMatchObject({ intact: true, epoch: 2 });
    await anchored.write(2);
    expect(await api.house.witness.checkpoint()).toMatchObject({ intact: true, epoch: 2 });
    expect(await anchored.verify()).toMatchObject({ intact: true });
  });
});

test("a server that lies accuses itself alone; an older agent is shown as one, and nothing waits for it", async () => {
  await withAnchored(async (anchored) => {
    const { agent, api, kim } = anchored;
    await anchored.handOut();
    agent.heads.lie = 2 ** 63;
    expect(await anchored.verify()).toMatchObject({
      intact: true,
      nextEpoch: null,
      onServers: { counts: { unproven: 1 }, notable: [{ server: "web-1", standing: "unproven" }] },
    });
    await anchored.write(1);
    await anchored.handOut();
    expect(await anchored.alerts()).toEqual([]);
    const told = await api.done(kim, "listAudit", { query: { action: "audit.head_compared" } });
    expect(told.items).toMatchObject([{ resultCode: "audit.head_unproven", server: "web-1" }]);
    agent.heads.lie = null;

    const old = await api.server(kim, "db-1", { role: "db" });
    old.heads.isSupported = false;
    old.cut();
    await api.until(
      async () => (api.sessions.of(old.identity.serverId)?.keepsAuditHeads === false ? true : undefined),
      "the older agent's session",
    );
    await anchored.handOut(old);
    expect(await anchored.verify()).toMatchObject({
      intact: true,
      onServers: { counts: { unsupported: 1, holds: 1 }, unasked: 0, notable: [{ server: "db-1" }] },
    });

    // It cannot be asked: what it signed last is what is held against the log.
    await anchored.handOut();
    agent.stop();
    await api.until(
      async () => ((await api.done(kim, "getServer", { params: { name: "web-1" } })).connected ? undefined : true),
      "web-1 to be away",
    );
    expect(await anchored.verify()).toMatchObject({ onServers: { counts: { holds: 1, unsupported: 1 }, unasked: 1 } });
    const { entries = 0 } = (await listReceipts(api.test.app, agent.identity.serverId as never, 1))[0] ?? {};
    await anchored.tamper(
      `delete from holdfast.audit_log where id >= ${entries}; delete from holdfast.audit_checkpoints where entries >= ${entries}`,
    );
    await rm(api.headsFile, { force: true });
    expect(await anchored.verify()).toMatchObject({
      intact: false,
      onServers: { notable: [{ server: "web-1", standing: "ahead", from: "receipt" }, { server: "db-1" }] },
    });

    // Whoever audits a part of the house is not told which other servers there are.
    const some = await api.account("some", [{ permission: "audit", scope: { role: "db" }, domains: null }]);
    expect((await verifyOf(api, some)).onServers.notable.map(({ server }) => server)).toEqual([null, "db-1"]);
  });
});
