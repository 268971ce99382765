import { withDatabase, type TestDatabase } from "@holdfast/testkit/database.ts";
import pg from "pg";
import { expect, test } from "vitest";
import { appendAudit, listAudit, verifyAuditChain, type AuditEntry } from "./audit.ts";
import { clientConfig } from "./database.ts";
import { transaction } from "./transaction.ts";

const entry = (object: string): AuditEntry => ({
  actor: "user/1",
  source: "192.0.2.1",
  action: "test.done",
  object,
  old: { port: 22, list: ["b", "a"] },
  new: { port: 443, text: "한국어 \u{1F512}" },
  resultCode: "ok",
});

async function write(database: TestDatabase, count: number): Promise<void> {
  for (let index = 1; index <= count; index++) {
    const written = await transaction(database.app, async (tx) => tx.audit(entry(`thing/${index}`)));
    expect(written.ok).toBe(true);
  }
}

/** As superuser and past the triggers: what only somebody who has taken the machine over can do. */
async function tamper({ superuserTarget }: TestDatabase, statement: string): Promise<void> {
  const client = new pg.Client(clientConfig(superuserTarget));
  await client.connect();
  try {
    await client.query("set session_replication_role = replica");
    await client.query(statement);
  } finally {
    await client.end();
  }
}

test("writers at once make one chain", async () => {
  await withDatabase(async (database) => {
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        transaction(database.app, async (tx) => {
          tx.audit(entry(`a/${index}`));
          tx.audit(entry(`b/${index}`));
        }),
      ),
    );
    expect(await verifyAuditChain(database.app)).toMatchObject({ intact: true, entries: 80 });
    const entries = await listAudit(database.app, { actor: "user/1", limit: 1_000 });
    expect(entries.map(({ id }) => id)).toEqual(Array.from({ length: 80 }, (_, index) => 80 - index));
  });
});

test("S38: an entry goes with its transaction", async () => {
  await withDatabase(async (database) => {
    await write(database, 1);
    const failed = transaction(database.app, async (tx) => {
      tx.audit(entry("never"));
      throw new Error("a bug");
    });
    await expect(failed).rejects.toThrow("a bug");
    await write(database, 1);
    expect(await verifyAuditChain(database.app)).toMatchObject({ intact: true, entries: 2 });
  });
});

test("text that the database cannot hold is kept readable, and verifies", async () => {
  await withDatabase(async (database) => {
    const hostile = { ...entry("thing/\0"), source: "\uD800", new: { "a\0b": ["\uDFFF", 1, true, null] } };
    const written = await transaction(database.app, async (tx) => tx.audit(hostile));
    expect(written.ok).toBe(true);
    expect(await verifyAuditChain(database.app)).toMatchObject({ intact: true, entries: 1 });
  });
});

const TAMPERINGS = [
  ["an edited actor", "update audit_log set actor = 'user/2' where id = 5", 5, "content"],
  ["an edited time", "update audit_log set at = at + interval '1 millisecond' where id = 5", 5, "content"],
  ["an edited old value", `update audit_log set old = '{"port": 23, "list": ["b", "a"]}' where id = 5`, 5, "content"],
  ["an edited result", "update audit_log set result_code = 'refused' where id = 10", 10, "content"],
  ["a new hash for an edited entry", "update audit_log set hash = repeat('0', 64) where id = 5", 5, "content"],
  ["a deleted entry", "delete from audit_log where id = 5", 5, "position"],
  [
    "a deleted entry whose place was closed",
    "delete from audit_log where id = 5; update audit_log set id = id - 1 where id > 5",
    5,
    "previous",
  ],
  ["the first entry gone", "delete from audit_log where id = 1", 1, "position"],
  [
    "two entries exchanged",
    "update audit_log set id = 100 where id = 5; update audit_log set id = 5 where id = 6; update audit_log set id = 6 where id = 100",
    5,
    "previous",
  ],
  [
    "an entry put in",
    `update audit_log set id = id + 1000 where id > 5; update audit_log set id = id - 999 where id > 1000;
     insert into audit_log select 6, at, actor, source, action, object, server_id, request_id, old, new, result_code, prev_hash, repeat('1', 64)
     from audit_log where id = 5`,
    6,
    "previous",
  ],
] as const;

test.each(TAMPERINGS)("the chain finds %s", async (_what, statement, brokenAt, reason) => {
  await withDatabase(async (database) => {
    await write(database, 10);
    expect(await verifyAuditChain(database.app)).toMatchObject({ intact: true, entries: 10 });
    await tamper(database, statement);
    expect(await verifyAuditChain(database.app)).toEqual({ intact: false, entries: brokenAt - 1, brokenAt, reason });
  });
});

test("a cut-off end is a whole, shorter chain: only a head kept elsewhere tells", async () => {
  await withDatabase(async (database) => {
    await write(database, 10);
    const before = await verifyAuditChain(database.app);
    await tamper(database, "delete from audit_log where id > 7");
    const after = await verifyAuditChain(database.app);
    expect(after).toMatchObject({ intact: true, entries: 7 });
    expect(after).not.toEqual(before);
  });
});

test("the log is append-only for the owner of the schema too", async () => {
  await withDatabase(async (database) => {
    await write(database, 1);
    for (const statement of ["update audit_log set actor = 'x'", "delete from audit_log", "truncate audit_log"]) {
      await expect(database.owner.run({ text: statement, values: [] })).rejects.toMatchObject({ code: "HF004" });
    }
  });
});

test("a second chain lock is not needed within one transaction", async () => {
  await withDatabase(async (database) => {
    const twice = await transaction(database.app, async (tx) => {
      await appendAudit(tx, [entry("first")]);
      tx.audit(entry("second"));
    });
    expect(twice.ok).toBe(true);
    expect(await verifyAuditChain(database.app)).toMatchObject({ intact: true, entries: 2 });
  });
});
