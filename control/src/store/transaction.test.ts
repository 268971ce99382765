import { withDatabase } from "@holdfast/testkit/database.ts";
import { expect, test } from "vitest";
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
