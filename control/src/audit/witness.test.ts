/** S36: as superuser, who may take triggers away and owns every row. What is found is found by `holdfast audit verify`, which asks this. */
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestDatabase, withDatabase } from "@holdfast/testkit/database.ts";
import pino from "pino";
import { expect, test } from "vitest";
import { auditHash, type ChainEntry, GENESIS } from "../store/audit-chain.ts";
import { Database } from "../store/database.ts";
import { sql, type Statement } from "../store/sql.ts";
import { transaction } from "../store/transaction.ts";
import { anchorFile } from "./anchor-file.ts";
import { headSigner } from "./checkpoint.ts";
import { type AuditWitness, auditWitness } from "./witness.ts";

interface Proof {
  readonly test: TestDatabase;
  readonly witness: AuditWitness;
  readonly path: string;
  /** What the log stream carried. */
  readonly lines: readonly Record<string, unknown>[];
  write(count: number): Promise<void>;
  /** As superuser, without triggers. */
  tamper(work: (superuser: Database) => Promise<unknown>): Promise<void>;
}

async function withProof(body: (proof: Proof) => Promise<void>): Promise<void> {
  await withDatabase(async (test_) => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-proof-"));
    const path = join(folder, "audit-heads.jsonl");
    const lines: Record<string, unknown>[] = [];
    const log = pino(
      { level: "info" },
      { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
    );
    const witness = auditWitness({
      database: test_.app,
      signer: headSigner(randomBytes(32)),
      file: anchorFile(path),
      nowMs: () => Date.now(),
      log,
    });
    const superuser = new Database(test_.superuserTarget, () => undefined, 1);
    let written = 0;
    try {
      await body({
        test: test_,
        witness,
        path,
        lines,
        async write(count) {
          for (let index = 0; index < count; index++) {
            written += 1;
            const object = `thing/${written}`;
            const done = await transaction(test_.app, async (tx) =>
              tx.audit({ actor: "user/1", source: "test", action: "thing.done", object, resultCode: "ok" }),
            );
            if (!done.ok) throw done.error;
          }
        },
        async tamper(work) {
          await superuser.run(sql`set session_replication_role = replica`);
          await work(superuser);
        },
      });
    } finally {
      await superuser.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
}

const run = (text: string) => (superuser: Database) =>
  (async () => {
    for (const statement of text.split(";")) await superuser.run({ text: statement, values: [] });
  })();

/** What somebody who has the code and the database would do: every hash from there on is right again. */
const rewriteFrom = (first: number) => async (superuser: Database) => {
  const rows = await superuser.rows<ChainEntry>(sql`select * from audit_log order by id`);
  let before = GENESIS;
  for (const row of rows) {
    const edited = { ...row, prev_hash: before, ...(row.id === first ? { actor: "user/2" } : {}) };
    before = auditHash(edited);
    await superuser.run(
      sql`update audit_log set actor = ${edited.actor}, prev_hash = ${edited.prev_hash}, hash = ${before} where id = ${row.id}`,
    );
  }
};

const CASES: readonly (readonly [string, (superuser: Database) => Promise<unknown>, number, string])[] = [
  ["an edited row", run("update audit_log set actor = 'user/2' where id = 3"), 3, "content"],
  ["a deleted row", run("delete from audit_log where id = 3"), 3, "position"],
  [
    "a reordered pair",
    run(
      "update audit_log set id = 100 where id = 3;update audit_log set id = 3 where id = 4;update audit_log set id = 4 where id = 100",
    ),
    3,
    "previous",
  ],
  ["a truncated tail", run("delete from audit_log where id > 6"), 7, "cut_off"],
  [
    "a truncated tail whose checkpoints went too",
    run("delete from audit_log where id > 6;delete from audit_checkpoints where entries > 6"),
    7,
    "cut_off",
  ],
  ["everything gone", run("truncate audit_log;truncate audit_checkpoints"), 1, "cut_off"],
  ["an edited row with every later hash made anew", rewriteFrom(7), 6, "rewritten"],
  [
    "the same, with the checkpoints of the table taken away",
    async (superuser) => {
      await rewriteFrom(7)(superuser);
      await superuser.run(sql`delete from audit_checkpoints`);
    },
    6,
    "rewritten",
  ],
  [
    "a checkpoint that somebody else signed",
    run(`insert into audit_checkpoints values (7, repeat('0', 64), now(), '\\x00')`),
    7,
    "forged_checkpoint",
  ],
];

test.each(CASES)("S36: %s is found", async (_what, work, brokenAt, reason) => {
  await withProof(async ({ witness, write, tamper, lines }) => {
    await write(5);
    expect(await witness.checkpoint()).toMatchObject({ intact: true, entries: 5 });
    await write(5);
    await witness.checkpoint();
    expect(await witness.verify()).toMatchObject({ intact: true, entries: 10, newestAnchor: { entries: 10 } });
    await tamper(work);
    expect(await witness.verify()).toMatchObject({ intact: false, brokenAt, reason });
    // Within a minute it is an alarm, and what was tampered with is never signed.
    const signed = lines.filter((line) => line["result_code"] === "audit.head_signed").length;
    expect(await witness.checkpoint()).toMatchObject({ intact: false });
    expect(lines.at(-1)).toMatchObject({ result_code: "audit.chain_broken", broken_at: brokenAt, reason });
    expect(lines.filter((line) => line["result_code"] === "audit.head_signed").length).toBe(signed);
  });
});

test.each(CASES)(
  "S36: %s is found by the next look alone, although it was seen whole before",
  async (_what, work, brokenAt, reason) => {
    await withProof(async ({ witness, write, tamper }) => {
      await write(5);
      await witness.checkpoint();
      await write(5);
      await witness.checkpoint();
      expect(witness.last()).toMatchObject({ intact: true, entries: 10 });
      await tamper(work);
      await witness.checkpoint();
      expect(witness.last()).toMatchObject({ intact: false, brokenAt, reason });
    });
  },
);

test("a look goes on from where the last one was; everything is walked at the start, after a day and when somebody asks", async () => {
  await withProof(async ({ test: { app }, path, write, lines }) => {
    const log = pino({ level: "silent" });
    const asked: string[] = [];
    const listening = Object.create(app, {
      rows: {
        value: (statement: Statement) => {
          if (statement.text.includes("from audit_log where id >")) asked.push(String(statement.values[0]));
          return app.rows(statement);
        },
      },
      run: { value: (statement: Statement) => app.run(statement) },
    }) as Database;
    let nowMs = 0;
    const witness = auditWitness({
      database: listening,
      signer: headSigner(randomBytes(32)),
      file: anchorFile(path),
      nowMs: () => nowMs,
      log,
      piece: 500,
    });
    const pages = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
      asked.length = 0;
      await work();
      return [...asked];
    };
    // More than a piece of the round, in one transaction.
    await write(1);
    await transaction(app, async (tx) => {
      for (let index = 0; index < 520; index++)
        tx.audit({ actor: "user/1", source: "test", action: "thing.done", object: `t/${index}`, resultCode: "ok" });
    });
    expect(lines).toEqual([]);
    const pagesOf = Math.ceil(521 / 250);
    expect((await pages(() => witness.checkpoint())).length).toBe(pagesOf);
    await write(3);
    const [newer, ...round] = await pages(() => witness.checkpoint());
    expect([newer, round[0], round.length]).toEqual(["521", "0", 2]);
    expect(await pages(() => witness.checkpoint())).toEqual(["524", "500"]);
    expect((await pages(() => witness.checkpoint())).slice(0, 2)).toEqual(["524", "0"]);
    nowMs = 24 * 3_600_000;
    expect((await pages(() => witness.checkpoint())).length).toBe(pagesOf);
    expect((await pages(() => witness.verify())).length).toBe(pagesOf);
    expect(witness.last()).toMatchObject({ intact: true, entries: 524 });
  });
});

test("a head that somebody brings along and that does not fit is an answer for them, not an alarm of the house", async () => {
  await withProof(async ({ witness, write }) => {
    await write(2);
    expect(witness.last()).toBeNull();
    await witness.checkpoint();
    expect(await witness.verify({ entries: 2, head: "0".repeat(64) })).toMatchObject({ intact: false });
    expect(witness.last()).toMatchObject({ intact: true });
  });
});

test("W2: whatever ends the process between its three places, a head reaches all of them; one that another instance signed too", async () => {
  await withProof(async ({ test: { app }, path, write, lines }) => {
    const seed = randomBytes(32);
    const log = pino({ level: "info" }, { write: (line: string) => (lines as unknown[]).push(JSON.parse(line)) });
    const at = (file: string, database: Database = app) =>
      auditWitness({ database, signer: headSigner(seed), file: anchorFile(file), nowMs: () => 0, log });
    const heads = async (file: string) => (await anchorFile(file).read()).map(({ entries }) => entries);
    const table = () => app.rows<{ entries: number }>(sql`select entries from audit_checkpoints order by entries`);
    const killed = Object.create(app, {
      rows: { value: (statement: Statement) => app.rows(statement) },
      run: { value: () => Promise.reject(new Error("killed")) },
    }) as Database;
    await write(2);
    await expect(at(path, killed).checkpoint()).rejects.toThrow("killed");
    expect(await heads(path)).toEqual([2]);
    expect(lines).toMatchObject([{ result_code: "audit.head_signed", audit_entries: 2 }]);
    // The next one signs nothing twice and brings the table up.
    await at(path).checkpoint();
    expect([await heads(path), await table(), lines.length]).toEqual([[2], [{ entries: 2 }], 1]);
    await at(`${path}.other`).checkpoint();
    expect([await heads(`${path}.other`), await table(), lines.length]).toEqual([[2], [{ entries: 2 }], 2]);
  });
});

test("S36: a restored old backup is found, also when it has grown past where it was, and by a head from the log stream alone", async () => {
  await withProof(async ({ witness, write, tamper, lines, path }) => {
    await write(4);
    await witness.checkpoint();
    const backup =
      "create table public.backup as select * from audit_log;create table public.heads as select * from audit_checkpoints";
    await tamper(run(backup));
    await write(4);
    await witness.checkpoint();
    await tamper(
      run(
        "truncate audit_log;truncate audit_checkpoints;insert into audit_log select * from public.backup;insert into audit_checkpoints select * from public.heads",
      ),
    );
    expect(await witness.verify()).toMatchObject({ intact: false, brokenAt: 5, reason: "cut_off" });
    await write(10);
    expect(await witness.verify()).toMatchObject({ intact: false, brokenAt: 5, reason: "rewritten" });
    // The machine's own files were put back with it; the log stream had left.
    await writeFile(path, "");
    expect(await witness.verify()).toMatchObject({ intact: true });
    const kept = lines.find((line) => line["audit_entries"] === 8) ?? {};
    expect(await witness.verify({ entries: 8, head: String(kept["audit_head"]) })).toMatchObject({
      intact: false,
      reason: "rewritten",
    });
  });
});

test("S35: a head is signed once; a line that was cut by a crash, or signed by another, is worth nothing and breaks nothing", async () => {
  await withProof(async ({ witness, write, path, test: { app, owner } }) => {
    expect(await witness.checkpoint()).toMatchObject({ intact: true, entries: 0 });
    await write(2);
    await witness.checkpoint();
    await witness.checkpoint();
    const text = await readFile(path, "utf8");
    expect(text.trim().split("\n").length).toBe(1);
    const line = JSON.parse(text) as { entries: number };
    await writeFile(path, `${text}\n${JSON.stringify({ ...line, entries: 9 })}\n{"entries": 3, "he`);
    await write(1);
    expect(await witness.checkpoint()).toMatchObject({ intact: true, entries: 3 });
    expect(await witness.verify()).toMatchObject({ intact: true, anchors: 4, newestAnchor: { entries: 3 } });
    for (const statement of [
      "update audit_checkpoints set head = 'x'",
      "delete from audit_checkpoints",
      "truncate audit_checkpoints",
    ]) {
      await expect(app.run({ text: statement, values: [] })).rejects.toMatchObject({ code: "42501" });
      await expect(owner.run({ text: statement, values: [] })).rejects.toMatchObject({ code: "HF004" });
    }
  });
});
