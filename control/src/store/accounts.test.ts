import { createHash } from "node:crypto";
import type { TokenId, UserId } from "@holdfast/core/base/id.ts";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { storedHouse } from "@holdfast/testkit/stored-house.ts";
import { expect, test } from "vitest";
import { listAudit } from "./audit.ts";
import { answerKey, claimKey, forgetKeys } from "./idempotency-keys.ts";
import { newId } from "./new-id.ts";
import { sql } from "./sql.ts";
import { findLiveToken, insertToken, listTokens, revokeOtherTokens, revokeToken, touchToken } from "./tokens.ts";
import { transaction } from "./transaction.ts";
import {
  disableUser,
  EVERYTHING,
  getUser,
  getUserByName,
  insertUser,
  isFirstStart,
  listAllGrants,
  listGrants,
  listUsers,
  setGrants,
  setPassword,
} from "./users.ts";

const sha = (text: string): Buffer => createHash("sha256").update(text).digest();

test("of many starters one makes the first administrator", async () => {
  await withDatabase(async ({ app }) => {
    const made = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        transaction(app, async (tx) => {
          if (!(await isFirstStart(tx))) return false;
          const by = { actor: "system/start", source: "", instanceId: null };
          await insertUser(tx, { id: newId(), name: `admin-${index}`, passwordHash: null, mustChange: true }, by);
          return true;
        }),
      ),
    );
    expect(made.filter((result) => result.ok && result.value)).toHaveLength(1);
    expect(await listUsers(app)).toHaveLength(1);
  });
});

test("an account: password, rights, and its end ends what it is signed in with", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const user: UserId = newId();
    await house.do((tx) => insertUser(tx, { id: user, name: "kim", passwordHash: "h1", mustChange: true }, house.by));
    const same = await transaction(app, (tx) =>
      insertUser(tx, { id: newId(), name: "kim", passwordHash: null, mustChange: false }, house.by),
    );
    expect(same).toMatchObject({ ok: false, error: { code: "store.duplicate" } });

    await house.do((tx) => setPassword(tx, user, "h2", false, house.by));
    expect(await getUserByName(app, "kim")).toMatchObject({ id: user, password_hash: "h2", must_change: false });
    const grants = [
      { permission: "view", scope: EVERYTHING, domains: null },
      { permission: "apply", scope: { role: "web" }, domains: ["firewall"] },
    ] as const;
    await house.do((tx) => setGrants(tx, user, grants, house.by));
    await house.do((tx) => setGrants(tx, user, grants, house.by));
    expect(
      (await listGrants(app, user)).map(({ permission, scope, domains }) => ({ permission, scope, domains })),
    ).toEqual([grants[1], grants[0]]);
    expect(await listAllGrants(app)).toHaveLength(2);

    const token: TokenId = newId();
    const make = (id: TokenId, kind: "api" | "session", seconds: number) =>
      house.do((tx) =>
        insertToken(
          tx,
          {
            id,
            userId: user,
            kind,
            name: kind,
            secretSha256: sha(id),
            permissions: ["view"],
            scope: EVERYTHING,
            domains: null,
            seconds,
          },
          house.by,
        ),
      );
    await make(token, "api", 60);
    const session: TokenId = newId();
    await make(session, "session", 60);
    const expired: TokenId = newId();
    await make(expired, "api", -1);
    expect(await findLiveToken(app, sha(token))).toMatchObject({ id: token, user_name: "kim", permissions: ["view"] });
    expect(await findLiveToken(app, sha(expired))).toBeUndefined();
    expect(await findLiveToken(app, sha("guessed"))).toBeUndefined();
    await touchToken(app, token);
    expect((await listTokens(app, user)).find(({ id }) => id === token)?.last_used_at).toBeInstanceOf(Date);

    const foreign = await transaction(app, (tx) => revokeToken(tx, token, house.author, house.by));
    expect(foreign).toMatchObject({ ok: false, error: { code: "store.not_found" } });
    expect(await house.do((tx) => revokeOtherTokens(tx, user, session, house.by))).toBe(2);
    expect(await findLiveToken(app, sha(token))).toBeUndefined();
    expect(await findLiveToken(app, sha(session))).toMatchObject({ id: session });
    await house.do((tx) => disableUser(tx, user, house.by));
    expect(await findLiveToken(app, sha(session))).toBeUndefined();
    expect(await getUser(app, user)).toMatchObject({ disabled_at: expect.any(Date) as unknown });
    // No secret and no hash of a password is in the proof.
    const said = JSON.stringify(await listAudit(app, { limit: 100 }));
    expect(said).not.toContain("h2");
    expect(said).not.toContain(sha(token).toString("hex"));
  });
});

test("a request with a known key gets the first one's answer, also when both come at once", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    let worked = 0;
    const send = (body: string, route = "POST /changes") =>
      transaction(app, async (tx) => {
        const claim = await claimKey(tx, house.author, "key-1", route, sha(body));
        if (claim.kind !== "new") return claim;
        worked += 1;
        await answerKey(tx, house.author, "key-1", 201, { id: "c1" });
        return claim;
      });
    const answers = await Promise.all(Array.from({ length: 5 }, () => send("body")));
    const kinds = answers.map((answer) => (answer.ok ? answer.value.kind : answer.error.code));
    expect(kinds.sort()).toEqual(["answered", "answered", "answered", "answered", "new"]);
    expect(worked).toBe(1);
    expect(await send("body")).toEqual({ ok: true, value: { kind: "answered", status: 201, response: { id: "c1" } } });
    expect(await send("other")).toMatchObject({ ok: true, value: { kind: "mismatch" } });
    expect(await send("body", "POST /applies")).toMatchObject({ ok: true, value: { kind: "mismatch" } });

    // In several transactions: claimed, not yet answered.
    const claim = () => house.do((tx) => claimKey(tx, house.author, "key-2", "r", sha("b")));
    expect(await claim()).toEqual({ kind: "new" });
    expect(await claim()).toEqual({ kind: "in_progress" });
    await app.run(sql`update idempotency_keys set created_at = now() - interval '2 days' where key = 'key-1'`);
    expect(await house.do((tx) => forgetKeys(tx, 86_400))).toBe(1);
  });
});
