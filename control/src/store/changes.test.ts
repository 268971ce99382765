import type { ChangeId, UserId } from "@holdfast/core/base/id.ts";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { DIGEST, storedHouse, type StoredHouse } from "@holdfast/testkit/stored-house.ts";
import { expect, test } from "vitest";
import {
  approve,
  getChange,
  insertChange,
  listApprovals,
  listChangeItems,
  listChangeStatus,
  makeReady,
  replaceItems,
  withdraw,
  type ChangeItem,
} from "./changes.ts";
import { getDocument, getRevision, listHeads, listInForce, listRevisions, readRevisions } from "./documents.ts";
import { newId } from "./new-id.ts";
import { sql } from "./sql.ts";
import { transaction } from "./transaction.ts";
import { insertUser } from "./users.ts";

const draft = (house: StoredHouse, items: readonly ChangeItem[], title = "a change") =>
  house.do((tx) => insertChange(tx, { id: newId(), title, reason: "", authorId: house.author }, items, house.by));
const ready = (house: StoredHouse, id: ChangeId, version: number) =>
  transaction(house.database, (tx) => makeReady(tx, id, version, () => DIGEST, house.by));

test("revisions are made all at once when a change becomes READY, and a deletion is one", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const change = await draft(house, [
      { kind: "Policy", name: "web", text: "web: 1\n" },
      { kind: "Group", name: "office", text: "office: 1\n" },
    ]);
    expect(await listHeads(app, null, true), "a draft is nobody's").toEqual([]);
    expect(await ready(house, change.id, change.version)).toMatchObject({ ok: true, value: { state: "READY" } });
    expect(
      (await listHeads(app, null, false)).map(({ kind, name, revision, author }) => [kind, name, revision, author]),
    ).toEqual([
      ["Group", "office", 1, "author"],
      ["Policy", "web", 1, "author"],
    ]);
    expect(await ready(house, change.id, change.version), "only once").toMatchObject({
      ok: false,
      error: { code: "store.wrong_state" },
    });

    const away = await draft(house, [{ kind: "Group", name: "office", text: null }]);
    expect(await ready(house, away.id, away.version)).toMatchObject({ ok: true });
    expect((await listHeads(app, "Group", false)).length).toBe(0);
    expect(await listHeads(app, "Group", true)).toMatchObject([
      { name: "office", revision: 2, text: null, deleted: true },
    ]);

    const web = await getDocument(app, "Policy", "web");
    if (web === undefined) throw new Error("there is no Policy/web");
    expect(await getRevision(app, web.id, 1)).toMatchObject({ text: "web: 1\n", change_id: change.id });
    expect(await listRevisions(app, web.id)).toMatchObject([{ revision: 1, author: "author" }]);
    expect(await readRevisions(app, [{ document_id: web.id, revision: 1 }])).toMatchObject([
      { kind: "Policy", name: "web", text: "web: 1\n" },
    ]);
    expect(await listInForce(app, web.id)).toEqual([]);
    expect(await listChangeItems(app, change.id)).toMatchObject([{ revision: 1 }, { revision: 1 }]);
    expect((await listChangeStatus(app, null, 10)).map(({ id }) => id)).toEqual([away.id, change.id]);
  });
});

test("a document that has moved since is refused with who moved it", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const mine = await draft(house, [{ kind: "Policy", name: "web", text: "mine" }]);
    const theirs = await draft(house, [{ kind: "Policy", name: "web", text: "theirs" }], "the other one");
    expect(await ready(house, theirs.id, theirs.version)).toMatchObject({ ok: true });
    expect(await ready(house, mine.id, mine.version)).toMatchObject({
      ok: false,
      error: {
        code: "store.base_moved",
        message: `Policy/web was moved to revision 1 by author with "the other one"; this change was begun on revision 0`,
        details: { document: "Policy/web", base_revision: 0, head_revision: 1, author: "author", change_id: theirs.id },
      },
    });
    // Edited on the head of now, it goes.
    const mended = await house.do((tx) =>
      replaceItems(tx, mine.id, mine.version, [{ kind: "Policy", name: "web", text: "both" }], house.by),
    );
    expect(await ready(house, mine.id, mended.version)).toMatchObject({ ok: true });
  });
});

test("many changes of one document at once: one wins at each step, and revisions have no gap", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const drafts = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        draft(house, [
          { kind: "Policy", name: index % 2 === 0 ? "a" : "b", text: `${index}` },
          { kind: "Policy", name: "c", text: `${index}` },
        ]),
      ),
    );
    const results = await Promise.all(drafts.map(({ id, version }) => ready(house, id, version)));
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(
      results.flatMap((result) => (result.ok ? [] : [result.error.code])).every((code) => code === "store.base_moved"),
    ).toBe(true);
    expect((await listHeads(app, null, true)).map(({ revision }) => revision)).toEqual([1, 1]);
  });
});

test("an edit on a version that is no longer the newest is refused", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const change = await draft(house, [{ kind: "Policy", name: "web", text: "1" }]);
    const edit = () =>
      transaction(app, (tx) =>
        replaceItems(tx, change.id, change.version, [{ kind: "Policy", name: "web", text: "2" }], house.by),
      );
    expect(await edit()).toMatchObject({ ok: true });
    expect(await edit()).toMatchObject({ ok: false, error: { code: "store.lost_race" } });
    expect(await ready(house, change.id, change.version)).toMatchObject({
      ok: false,
      error: { code: "store.lost_race" },
    });
  });
});

test("S14: an approval is another's, of this content, and an edit voids it", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const second: UserId = newId();
    await house.do((tx) =>
      insertUser(tx, { id: second, name: "second", passwordHash: null, mustChange: false }, house.by),
    );
    const change = await draft(house, [{ kind: "Policy", name: "web", text: "1" }]);
    const digest = change.digest ?? DIGEST;
    const give = (user: UserId, of = digest) => transaction(app, (tx) => approve(tx, change.id, user, of, house.by));
    expect(await give(house.author)).toMatchObject({ ok: false, error: { code: "store.approval_refused" } });
    expect(await give(second, DIGEST)).toMatchObject({ ok: false, error: { code: "store.approval_refused" } });
    expect(await give(second)).toMatchObject({ ok: true });
    expect(await listApprovals(app, change.id)).toMatchObject([{ user_id: second }]);
    // Whoever is shut out has no more say; let in again, they have.
    const shut = (at: string) =>
      house.do((tx) => tx.run(sql`update users set disabled_at = ${at} where id = ${second}`));
    await shut("now");
    expect(await listApprovals(app, change.id)).toEqual([]);
    await house.do((tx) => tx.run(sql`update users set disabled_at = null where id = ${second}`));
    expect(await listApprovals(app, change.id)).toMatchObject([{ user_id: second }]);
    const edited = await house.do((tx) =>
      replaceItems(tx, change.id, change.version, [{ kind: "Policy", name: "web", text: "2" }], house.by),
    );
    expect(await listApprovals(app, change.id)).toEqual([]);
    expect(await give(second, edited.digest ?? DIGEST)).toMatchObject({ ok: true });
  });
});

test("a change is withdrawn as long as no server has begun with it", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const change = await house.change("1");
    await house.do((tx) => withdraw(tx, change.id, house.by));
    expect(await getChange(app, change.id)).toMatchObject({ state: "CANCELLED" });

    const other = await house.change("2");
    await house.apply(await house.server("web-1"), other);
    const refused = await transaction(app, (tx) => withdraw(tx, other.id, house.by));
    expect(refused).toMatchObject({ ok: false, error: { code: "store.wrong_state" } });
  });
});
