import { withDatabase } from "@holdfast/testkit/database.ts";
import { storedHouse } from "@holdfast/testkit/stored-house.ts";
import { expect, test } from "vitest";
import {
  insertHostTransaction,
  listHostTransactions,
  markSent,
  recordBaseline,
  recordFresh,
  recordOutcome,
  recordProbes,
} from "./host-transactions.ts";
import { newId } from "./new-id.ts";
import { sql } from "./sql.ts";
import { transaction } from "./transaction.ts";

test("messages are intended in order, once, and nothing goes forward after an abort", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const { apply, sent } = await house.applying(await house.server("web-1"));
    const id = sent.request_id;
    const mark = (kind: "prepare" | "execute" | "confirm" | "abort") =>
      transaction(app, (tx) => markSent(tx, id, kind, apply));
    const refused = { ok: false, error: { code: "store.lost_race" } };

    expect(await mark("execute"), "before prepare").toMatchObject(refused);
    const first = await mark("prepare");
    const again = await mark("prepare");
    expect(again).toEqual(first);
    expect(await mark("confirm"), "before execute").toMatchObject(refused);

    const baseline = { ssh: "open" } as const;
    expect(await transaction(app, (tx) => recordBaseline(tx, id, baseline, apply))).toMatchObject({
      ok: true,
      value: { baseline },
    });
    expect(
      await transaction(app, (tx) => recordBaseline(tx, id, { ssh: "closed" }, apply)),
      "a baseline is taken once",
    ).toMatchObject(refused);
    expect(await mark("execute")).toMatchObject({ ok: true });
    expect(await mark("confirm"), "without a fresh session").toMatchObject(refused);

    const fresh = await house.do((tx) => recordFresh(tx, id, newId(), apply));
    const later = await house.do((tx) => recordFresh(tx, id, newId(), apply));
    expect(later.fresh_since).toEqual(fresh.fresh_since);
    const rounds = [{ atMs: 1, results: { ssh: "open" } }];
    expect(await house.do((tx) => recordProbes(tx, id, rounds, apply))).toMatchObject({ probe_results: rounds });
    expect(await mark("confirm")).toMatchObject({ ok: true });

    expect(await mark("abort")).toMatchObject({ ok: true });
    for (const kind of ["prepare", "execute", "confirm"] as const)
      expect(await mark(kind), kind).toMatchObject(refused);
    expect(await mark("abort"), "an abort may be said again").toMatchObject({ ok: true });
  });
});

// I11.
test("a request id is one transaction, and its verdict does not change", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const { sent } = await house.applying(await house.server("web-1"));
    const id = sent.request_id;
    const twice = transaction(app, (tx) =>
      insertHostTransaction(tx, {
        requestId: id,
        applyId: sent.apply_id,
        serverId: sent.server_id,
        kind: "rollback",
        planId: sent.plan_id,
        fence: sent.fence,
        nonce: "other",
        configDigest: sent.config_digest,
        planDigest: sent.plan_digest,
        trial: sent.trial,
        before: null,
      }),
    );
    expect(await twice).toMatchObject({ ok: false, error: { code: "store.duplicate" } });
    const other = transaction(app, (tx) =>
      tx.run(sql`update host_transactions set plan_digest = 'other' where request_id = ${id}`),
    );
    expect(await other).toMatchObject({ ok: false, error: { code: "store.verdict_changed" } });

    const say = (outcome: "finalized" | "reverted" | "revert_failed", code: string) =>
      transaction(app, (tx) => recordOutcome(tx, id, { outcome, code, receipt: { outcome } }));
    expect(await say("revert_failed", "first")).toMatchObject({ ok: true });
    expect(await say("revert_failed", "again")).toMatchObject({
      ok: true,
      value: { outcome_code: "first", receipt: { outcome: "revert_failed" } },
    });
    expect(await say("finalized", "no")).toMatchObject({ ok: false, error: { code: "store.verdict_changed" } });
    expect(await say("reverted", "mended")).toMatchObject({
      ok: true,
      value: { outcome: "reverted", outcome_code: "mended" },
    });
    expect(await say("revert_failed", "no")).toMatchObject({ ok: false, error: { code: "store.verdict_changed" } });
    expect(await listHostTransactions(app, sent.apply_id)).toHaveLength(1);
  });
});
