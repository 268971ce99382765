import { createHash } from "node:crypto";
import type { ServerId } from "@holdfast/core/base/id.ts";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { storedHouse, type StoredHouse } from "@holdfast/testkit/stored-house.ts";
import { expect, test } from "vitest";
import { listAudit } from "./audit.ts";
import {
  activateKey,
  findActiveKey,
  getKey,
  insertEnrolmentToken,
  insertPendingKey,
  listKeys,
  revokeKeys,
  setCertificate,
  useEnrolmentToken,
} from "./enrolment.ts";
import { newId } from "./new-id.ts";
import { setEnrolment } from "./servers.ts";
import { transaction } from "./transaction.ts";

const sha = (text: string): Buffer => createHash("sha256").update(text).digest();
const hex = (text: string): string => sha(text).toString("hex");

const pending = (house: StoredHouse, serverId: ServerId, key: string, receipt = `receipt of ${key}`) =>
  transaction(house.database, (tx) =>
    insertPendingKey(
      tx,
      {
        id: newId(),
        serverId,
        tlsKeySha256: hex(key),
        tlsPublicKey: Buffer.from(key),
        receiptPublicKey: Buffer.from(receipt),
      },
      house.by,
    ),
  );

test("a token is used by one key, once or again; another key is an alarm", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const server = await house.server("web-1");
    const make = (secret: string, seconds: number) =>
      house.do((tx) =>
        insertEnrolmentToken(
          tx,
          { id: newId(), serverId: server, secretSha256: sha(secret), createdBy: house.author, seconds },
          house.by,
        ),
      );
    await make("good", 3_600);
    await make("late", -1);
    const use = (secret: string, key: string) =>
      house.do((tx) => useEnrolmentToken(tx, sha(secret), hex(key), house.by));
    expect(await use("guessed", "k")).toEqual({ kind: "unknown" });
    expect(await use("late", "k")).toEqual({ kind: "expired", serverId: server });
    const both = await Promise.all([use("good", "k1"), use("good", "k2")]);
    expect(both.map(({ kind }) => kind).sort()).toEqual(["stolen", "used"]);
    const winner = both[0]?.kind === "used" ? "k1" : "k2";
    expect(await use("good", winner)).toEqual({ kind: "again", serverId: server });
    const refusals = (await listAudit(app, { limit: 50 })).filter(
      ({ action, result_code }) => action === "enrolment.token_used" && result_code !== "ok",
    );
    expect(refusals.map(({ result_code }) => result_code).sort()).toEqual([
      "enrolment.token_expired",
      "enrolment.token_stolen",
      "enrolment.token_unknown",
    ]);
  });
});

test("a server has one active key; who enrols again supersedes it, and release ends all", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const [server, other] = [await house.server("web-1"), await house.server("web-2")];
    expect(await pending(house, server, "k1")).toMatchObject({ ok: true, value: { state: "pending" } });
    expect(await pending(house, server, "k1"), "its answer was lost").toMatchObject({
      ok: true,
      value: { state: "pending" },
    });
    expect(await pending(house, other, "k1"), "a cloned disk").toMatchObject({
      ok: false,
      error: { code: "store.wrong_state" },
    });
    expect(await pending(house, server, "k1", "another receipt key")).toMatchObject({
      ok: false,
      error: { code: "store.wrong_state" },
    });
    expect(await findActiveKey(app, hex("k1")), "pending is not trusted").toBeUndefined();

    await house.do((tx) => activateKey(tx, hex("k1"), house.author, house.by));
    const soon = new Date(Date.now() + 60_000);
    await house.do((tx) => setCertificate(tx, hex("k1"), "01", soon, house.by));
    expect(await findActiveKey(app, hex("k1"))).toMatchObject({ name: "web-1", certificate_serial: "01" });
    const twice = await transaction(app, (tx) => activateKey(tx, hex("k1"), house.author, house.by));
    expect(twice).toMatchObject({ ok: false, error: { code: "store.wrong_state" } });

    await pending(house, server, "k2");
    await house.do((tx) => activateKey(tx, hex("k2"), null, house.by));
    expect(await findActiveKey(app, hex("k1"))).toBeUndefined();
    expect((await listKeys(app, server)).map(({ state }) => state).sort()).toEqual(["active", "superseded"]);

    await house.do((tx) => setEnrolment(tx, server, ["enrolled"], "released", house.by));
    expect(await findActiveKey(app, hex("k2")), "of a released server").toBeUndefined();
    expect(await house.do((tx) => revokeKeys(tx, server, house.by))).toHaveLength(2);
    expect(await getKey(app, hex("k2"))).toMatchObject({ state: "revoked" });
    const back = await transaction(app, (tx) => setEnrolment(tx, server, ["expected"], "enrolled", house.by));
    expect(back).toMatchObject({ ok: false, error: { code: "store.wrong_state" } });
  });
});
