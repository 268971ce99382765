import { withDatabase } from "@holdfast/testkit/database.ts";
import { expect, test } from "vitest";
import { Database } from "./database.ts";
import { sql } from "./sql.ts";
import { assertNotInTransaction } from "./transaction-scope.ts";
import { transaction } from "./transaction.ts";

test("a commit that the database answers with ROLLBACK is a failure, not a success", async () => {
  await withDatabase(async ({ app }) => {
    const id = "01900000-0000-7000-8000-000000000001";
    const result = await transaction(app, async (tx) => {
      await tx.run(sql`insert into instances (id, address) values (${id}, 'here')`);
      // A body that swallows a failure believes that it went well.
      await tx.run(sql`select 1 / 0`).catch(() => 0);
    });
    expect(result).toMatchObject({ ok: false, error: { code: "store.rolled_back" } });
    expect(await app.rows(sql`select id from instances`)).toEqual([]);
  });
});

// I15.
test("nothing leaves for the outside inside a transaction", async () => {
  await withDatabase(async ({ app }) => {
    await expect(transaction(app, async () => assertNotInTransaction("Prepare"))).rejects.toThrow(
      "Prepare inside a database transaction",
    );
    await expect(transaction(app, async () => app.rows(sql`select 1`))).rejects.toThrow("past the transaction");
    await expect(transaction(app, async () => transaction(app, async () => 1))).rejects.toThrow("a second transaction");
    expect(() => assertNotInTransaction("Prepare")).not.toThrow();
  });
});

test("a statement that was prepared before the tables changed is prepared anew, in a transaction and outside", async () => {
  await withDatabase(async ({ app, owner }) => {
    const id = "01900000-0000-7000-8000-000000000002";
    await app.run(sql`insert into instances (id, address) values (${id}, 'here')`);
    const find = () => app.maybe(sql`select * from instances where id = ${id}`);
    const touch = () =>
      transaction(app, (tx) => tx.one(sql`update instances set address = 'there' where id = ${id} returning *`));
    await find();
    await touch();
    await owner.run(sql`alter table instances add column newer text`);
    expect(await touch()).toMatchObject({ ok: true, value: { id, address: "there", newer: null } });
    await owner.run(sql`alter table instances add column newest text`);
    expect(await find()).toMatchObject({ id, newest: null });
    // And those who see a part only.
    await app.seenBy([]).maybe(sql`select * from instances where id = ${id}`);
    const seen = () => app.seenBy([]).maybe(sql`select * from instances where id <> ${id}`);
    await seen();
    await owner.run(sql`alter table instances drop column newest`);
    expect(await seen()).toBeUndefined();
  });
});

test("what is told is told when the transaction commits, in the order in which it was said", async () => {
  await withDatabase(async ({ app }) => {
    const session = await app.session();
    const heard: string[] = [];
    try {
      await session.query("listen holdfast_events");
      session.on("notification", ({ payload }) => heard.push(payload ?? ""));
      await transaction(app, async (tx) => {
        tx.notify("holdfast_events", { at: "1" });
        tx.notify("holdfast_events", { at: "2" });
        expect(heard).toEqual([]);
      });
      await transaction(app, async (tx) => {
        tx.notify("holdfast_events", { at: "never" });
        await tx.run(sql`select 1 / 0`);
      }).catch(() => undefined);
      await transaction(app, async (tx) => tx.notify("holdfast_events", { at: "3" }));
      await expect.poll(() => heard).toEqual(['{"at":"1"}', '{"at":"2"}', '{"at":"3"}']);
    } finally {
      session.release(true);
    }
  });
});

test("what still comes after the database was closed finds none: an expected failure, and no end of the process", async () => {
  await withDatabase(async ({ appTarget }) => {
    const closed = new Database(appTarget, () => undefined, 1);
    await closed.close();
    expect(await transaction(closed, async () => 1)).toMatchObject({ ok: false, error: { code: "store.unavailable" } });
    await expect(closed.rows(sql`select 1`)).rejects.toMatchObject({ code: "store.unavailable" });
  });
});
