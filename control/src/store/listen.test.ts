import { withDatabase } from "@holdfast/testkit/database.ts";
import { expect, test, vi } from "vitest";
import { Database } from "./database.ts";
import { listen } from "./listen.ts";
import { sql } from "./sql.ts";
import { transaction } from "./transaction.ts";

const WITHIN = { timeout: 10_000, interval: 10 };
const FAR_APART_MS = 60_000;

test("a notification arrives with its commit, and never without", async () => {
  await withDatabase(async ({ app, appTarget }) => {
    const heard: (readonly [string | null, string])[] = [];
    const listener = listen(
      appTarget,
      ["holdfast_work", "holdfast_events"],
      FAR_APART_MS,
      (...call) => heard.push(call),
      () => undefined,
    );
    try {
      await vi.waitFor(() => expect(heard).toEqual([[null, ""]]), WITHIN);
      const failed = transaction(app, async (tx) => {
        tx.notify("holdfast_work", { server_id: "never" });
        throw new Error("a bug");
      });
      await expect(failed).rejects.toThrow("a bug");
      await transaction(app, async (tx) => tx.notify("holdfast_work", { server_id: "1" }));
      await transaction(app, async (tx) => tx.notify("holdfast_events", { kind: "server" }));
      await vi.waitFor(() => expect(heard).toHaveLength(3), WITHIN);
      expect(heard.slice(1)).toEqual([
        ["holdfast_work", '{"server_id":"1"}'],
        ["holdfast_events", '{"kind":"server"}'],
      ]);
    } finally {
      await listener.close();
    }
  });
});

test("after a lost connection it listens again and says that something may have been missed", async () => {
  await withDatabase(async ({ app, appTarget, superuserTarget }) => {
    const heard: (string | null)[] = [];
    const lost: Error[] = [];
    const listener = listen(
      appTarget,
      ["holdfast_work"],
      FAR_APART_MS,
      (channel) => heard.push(channel),
      (error) => lost.push(error),
    );
    const admin = new Database(superuserTarget, () => undefined, 1);
    try {
      await vi.waitFor(() => expect(heard).toEqual([null]), WITHIN);
      await admin.run(
        sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'holdfast-listen' and datname = current_database()`,
      );
      await vi.waitFor(() => expect(heard).toEqual([null, null]), WITHIN);
      expect(lost).toHaveLength(1);
      await transaction(app, async (tx) => tx.notify("holdfast_work", {}));
      await vi.waitFor(() => expect(heard).toEqual([null, null, "holdfast_work"]), WITHIN);
    } finally {
      await listener.close();
      await admin.close();
    }
  });
});

test("without any notification it looks by itself", async () => {
  await withDatabase(async ({ appTarget }) => {
    let looks = 0;
    const listener = listen(
      appTarget,
      ["holdfast_work"],
      20,
      () => (looks += 1),
      () => undefined,
    );
    try {
      await vi.waitFor(() => expect(looks).toBeGreaterThanOrEqual(3), WITHIN);
    } finally {
      await listener.close();
    }
  });
});
