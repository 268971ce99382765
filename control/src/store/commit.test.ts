/** What a lost connection around COMMIT means: a proxy between pool and PostgreSQL cuts the wire at the worst moments. */
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withDatabase, type TestDatabase } from "@holdfast/testkit/database.ts";
import { expect, test } from "vitest";
import { Database } from "./database.ts";
import { reportInstance } from "./instances.ts";
import { newId } from "./new-id.ts";
import { sql } from "./sql.ts";
import { transaction } from "./transaction.ts";

type Cut = "before COMMIT leaves" | "after COMMIT has left" | "before the first statement";

/** A unix socket in front of PostgreSQL's own that passes everything on until the cut is due. */
async function withProxy<T>(
  target: TestDatabase["appTarget"],
  cut: Cut,
  body: (database: Database) => Promise<T>,
): Promise<T> {
  if (target.kind !== "socket") throw new Error("the test database is reached by a socket");
  const directory = mkdtempSync(join(tmpdir(), "holdfast-cut-"));
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const upstream = net.connect(join(target.directory, ".s.PGSQL.5432"));
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => sockets.delete(socket));
    }
    let isAnswerLost = false;
    const hangUp = (): void => {
      client.destroy();
      upstream.destroy();
    };
    client.on("data", (data) => {
      const text = data.toString("latin1");
      const isCommit = text.includes("commit\0");
      if (cut === "before COMMIT leaves" && isCommit) return hangUp();
      if (cut === "before the first statement" && text.includes("begin\0")) return hangUp();
      isAnswerLost = cut === "after COMMIT has left" && isCommit;
      upstream.write(data);
    });
    // PostgreSQL has done it when it answers; the answer never arrives.
    upstream.on("data", (data) => (isAnswerLost ? hangUp() : client.write(data)));
    upstream.on("close", () => client.destroy());
    client.on("close", () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(join(directory, ".s.PGSQL.5432"), resolve));
  const database = new Database({ ...target, directory }, () => undefined, 1);
  try {
    return await body(database);
  } finally {
    await database.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true, force: true });
  }
}

const CASES = [
  ["before the first statement", "store.unavailable", 0],
  ["before COMMIT leaves", "store.commit_unknown", 0],
  ["after COMMIT has left", "store.commit_unknown", 1],
] as const;

test.each(CASES)("the wire is cut %s", async (cut, code, rows) => {
  await withDatabase(async ({ app, appTarget }) => {
    const id: string = newId();
    const result = await withProxy(appTarget, cut, (database) =>
      transaction(database, (tx) => tx.run(sql`insert into instances (id, address) values (${id}, 'here')`)),
    );
    expect(result).toMatchObject({ ok: false, error: { code } });
    // Whoever reads again learns what became of it.
    expect(await app.rows(sql`select id from instances where id = ${id}`)).toHaveLength(rows);
  });
});

test("a session that is ended under a transaction fails it, and the pool goes on", async () => {
  await withDatabase(async ({ app }) => {
    const id: string = newId();
    const result = await transaction(app, async (tx) => {
      await tx.run(sql`insert into instances (id, address) values (${id}, 'here')`);
      // As when the server is being stopped.
      await tx.run(sql`select pg_terminate_backend(pg_backend_pid())`);
    });
    expect(result).toMatchObject({ ok: false, error: { code: "store.unavailable" } });
    expect(await transaction(app, (tx) => tx.rows(sql`select id from instances where id = ${id}`))).toEqual({
      ok: true,
      value: [],
    });
  });
});

test("two transactions that stand in each other's way both come through", async () => {
  await withDatabase(async ({ app }) => {
    const [first, second] = [newId<never>(), newId<never>()];
    await reportInstance(app, first, "first");
    await reportInstance(app, second, "second");
    let met = 0;
    let open: () => void = () => undefined;
    const both = new Promise<void>((resolve) => {
      open = resolve;
    });
    const cross = (one: string, other: string) =>
      transaction(app, async (tx) => {
        await tx.run(sql`update instances set address = address || '+' where id = ${one}`);
        met += 1;
        if (met >= 2) open();
        await both;
        await tx.run(sql`update instances set address = address || '+' where id = ${other}`);
      });
    const results = await Promise.all([cross(first, second), cross(second, first)]);
    expect(results).toMatchObject([{ ok: true }, { ok: true }]);
    const rows = await app.rows<{ address: string }>(sql`select address from instances order by started_at`);
    expect(rows.map(({ address }) => address).sort()).toEqual(["first++", "second++"]);
  });
});
