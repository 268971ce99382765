import type { InstanceId, ServerId } from "@holdfast/core/base/id.ts";
import { hasDebian15, withDatabase, withDebian15, type TestDatabase } from "@holdfast/testkit/database.ts";
import { storedHouse } from "@holdfast/testkit/stored-house.ts";
import { expect, test } from "vitest";
import { systemActor } from "./actor.ts";
import { getApply, listAbandoned, listApplyEvents, listDue, listInDoubt, listStuck } from "./applies.ts";
import { claimNext, claimOne, releaseLeases, renewLease } from "./apply-claim.ts";
import { move, raiseFence, setPhase, setProgress, setWish, takeWish } from "./apply-move.ts";
import { listAudit, verifyAuditChain } from "./audit.ts";
import { markSent } from "./host-transactions.ts";
import { newId } from "./new-id.ts";
import { setRolloutState } from "./rollouts.ts";
import { getServer, lockForApplies, pause, unlock } from "./servers.ts";
import { sql } from "./sql.ts";
import { transaction } from "./transaction.ts";

const WORKERS = 8;
const SERVERS = 40;
const ROUNDS = 5;

/** Each worker claims, works for a moment and ends it; a job counts as overlapping when two hold one server at once. */
async function race({ app, sessionErrors }: TestDatabase): Promise<void> {
  const house = await storedHouse(app);
  const change = await house.change("text");
  const servers: ServerId[] = [];
  for (let index = 0; index < SERVERS; index++) servers.push(await house.server(`s-${index}`));

  const held = new Map<ServerId, InstanceId>();
  const claims: string[] = [];
  const fences = new Map<ServerId, number>();
  const work = async (instance: InstanceId): Promise<void> => {
    const by = systemActor("test", instance);
    for (;;) {
      const claimed = await transaction(app, (tx) => claimNext(tx, instance, servers, by));
      if (!claimed.ok) {
        expect(claimed.error.code).toBe("store.server_busy");
        continue;
      }
      const apply = claimed.value;
      if (apply === undefined) return;
      expect(held.get(apply.server_id), "no server has two workers").toBeUndefined();
      held.set(apply.server_id, instance);
      claims.push(apply.id);
      expect(apply.fence).toBe((fences.get(apply.server_id) ?? 0) + 1);
      fences.set(apply.server_id, apply.fence ?? 0);
      await new Promise((resolve) => setImmediate(resolve));
      held.delete(apply.server_id);
      const moved = await transaction(app, (tx) =>
        move(tx, apply, { to: "FAILED", effect: "none", code: "test.done" }, by),
      );
      expect(moved.ok).toBe(true);
    }
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (const server of servers) await house.apply(server, change);
    await Promise.all(Array.from({ length: WORKERS }, () => work(newId())));
  }
  expect(new Set(claims).size).toBe(SERVERS * ROUNDS);
  expect(claims).toHaveLength(SERVERS * ROUNDS);

  // Invariant 12: every change of state has its event and its entry, and the chain holds under all this haste.
  const { events } = await app.one<{ events: number }>(
    sql`select count(*) as events from apply_events where from_state is distinct from to_state`,
  );
  const { entries } = await app.one<{ entries: number }>(
    sql`select count(*) as entries from audit_log where object like 'apply/%'`,
  );
  expect(events).toBe(SERVERS * ROUNDS * 3);
  expect(entries).toBe(events);
  expect(await verifyAuditChain(app)).toMatchObject({ intact: true });
  expect(sessionErrors).toEqual([]);
}

test(
  "eight workers share two hundred applies, none twice and no server to two at once",
  { timeout: 60_000 },
  async () => {
    await withDatabase(race);
  },
);

test.skipIf(!hasDebian15)("the same on PostgreSQL 15", { timeout: 60_000 }, async () => {
  await withDebian15(race);
});

test("a zombie with an old version or fence changes nothing", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const server = await house.server("web-1");
    const { apply: old, sent } = await house.applying(server);
    // Its lease runs out while it sleeps, and another instance goes on.
    await app.run(sql`update applies set lease_until = now() - interval '1 second' where id = ${old.id}`);
    const other: InstanceId = newId();
    const by = systemActor("test", other);
    const taken = await house.do((tx) => claimNext(tx, other, [server], by));
    expect(taken).toMatchObject({
      id: old.id,
      state: "APPLYING",
      lease_owner: other,
      fence: 2,
      version: old.version + 1,
    });

    const acts = [
      () => transaction(app, (tx) => move(tx, old, { to: "ROLLBACKING" }, house.by)),
      () => transaction(app, (tx) => setPhase(tx, old, { phase: "in_doubt" }, house.by)),
      () => transaction(app, (tx) => raiseFence(tx, old, 7, house.by)),
      () => transaction(app, (tx) => markSent(tx, sent.request_id, "prepare", old)),
    ];
    for (const act of acts) expect(await act()).toMatchObject({ ok: false, error: { code: "store.lost_race" } });
    expect(await renewLease(app, old, house.instance)).toBe(false);
    expect(await setProgress(app, old, { lastStep: "zombie" })).toBe(false);
    await house.do(async (tx) => expect(await takeWish(tx, old)).toBeUndefined());

    expect(await getApply(app, old.id)).toEqual(taken);
    expect(await getServer(app, server)).toMatchObject({ fence: 2 });
    expect(await renewLease(app, taken ?? old, other)).toBe(true);
  });
});

test("an open apply that somebody holds is not claimed; one that was let go is, before anything new", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const [first, second] = [await house.server("a"), await house.server("b")];
    const { apply } = await house.applying(first);
    const waiting = await house.apply(second);
    const other: InstanceId = newId();
    const by = systemActor("test", other);
    const claim = () => house.do((tx) => claimNext(tx, other, [first, second], by));

    await house.do(async (tx) => expect(await claimOne(tx, other, apply.id, by)).toBeUndefined());
    expect(await house.do((tx) => releaseLeases(tx, { instance: house.instance, servers: [first] }))).toBe(1);
    expect(await listAbandoned(app)).toMatchObject([{ id: apply.id }]);
    expect((await claim())?.id).toBe(apply.id);
    expect((await claim())?.id).toBe(waiting.id);
    expect(await claim()).toBeUndefined();
    expect(await house.do((tx) => releaseLeases(tx, { instance: other }))).toBe(2);
    expect(await house.do((tx) => claimOne(tx, other, apply.id, by))).toMatchObject({
      id: apply.id,
      lease_owner: other,
    });
  });
});

test("nothing new is claimed where the server is not connected here, locked or paused, or the rollout is paused", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const server = await house.server("web-1");
    const { rollout_id } = await house.apply(server);
    const claims = async () =>
      (await house.do((tx) => claimNext(tx, house.instance, [server], house.by))) !== undefined;
    const why = { code: null, message: null };

    await house.do(async (tx) => expect(await claimNext(tx, house.instance, [], house.by)).toBeUndefined());
    await house.do((tx) => lockForApplies(tx, server, "server.restore_failed", "look", house.by));
    expect(await claims()).toBe(false);
    await house.do((tx) => unlock(tx, server, "looked", house.by));
    await house.do((tx) => pause(tx, server, 3_600, "maintenance", house.by));
    expect(await claims()).toBe(false);
    await app.run(sql`update servers set paused_until = now() - interval '1 second' where id = ${server}`);
    await house.do((tx) => setRolloutState(tx, rollout_id, "PAUSED", why, house.by));
    expect(await claims()).toBe(false);
    await house.do((tx) => setRolloutState(tx, rollout_id, "RUNNING", why, house.by));
    expect(await claims()).toBe(true);
  });
});

// I10.
test("a second apply for a busy server is refused by name", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const server = await house.server("web-1");
    const ready = await house.apply(server);
    await expect(house.apply(server)).rejects.toMatchObject({
      code: "store.server_busy",
      details: { server: "web-1", apply_id: ready.id, state: "READY" },
    });
    const claimed = await house.do((tx) => claimNext(tx, house.instance, [server], house.by));
    await expect(house.apply(server)).rejects.toMatchObject({
      code: "store.server_busy",
      details: { state: "APPLYING" },
    });

    // Rolling back what has ended needs the server free too.
    if (claimed === undefined) throw new Error("not claimed");
    const failed = await house.do((tx) => move(tx, claimed, { to: "ROLLBACKING" }, house.by));
    const unknown = await house.do((tx) => move(tx, failed, { to: "FAILED", effect: "unknown" }, house.by));
    await house.applying(server);
    const rollback = await transaction(app, (tx) => move(tx, unknown, { to: "ROLLBACKING" }, house.by));
    expect(rollback).toMatchObject({ ok: false, error: { code: "store.server_busy" } });
  });
});

test("the story of an apply is whole, and its audit entries name who and what", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const { apply, said } = await house.applying(await house.server("web-1"));
    const trial = await house.do((tx) =>
      setPhase(tx, apply, { phase: "on_trial", serverIs: "as_requested", lastStep: "firewall.batch" }, house.by),
    );
    expect(await setProgress(app, trial, { lastStep: "probes", nextCheckMs: 0 })).toBe(true);
    expect(await listDue(app, house.instance)).toMatchObject([
      { id: apply.id, last_step: "probes", version: trial.version },
    ]);
    const early = await transaction(app, (tx) => move(tx, trial, { to: "APPLIED" }, house.by));
    expect(early).toMatchObject({ ok: false, error: { code: "store.illegal_transition" } });
    await said("finalized");
    const done = await house.do((tx) => move(tx, trial, { to: "APPLIED" }, house.by));
    expect(done).toMatchObject({
      state: "APPLIED",
      phase: null,
      server_is: "as_requested",
      lease_owner: null,
      lease_until: null,
      code: null,
    });

    expect(
      (await listApplyEvents(app, apply.id)).map(({ from_state, to_state, phase }) => [from_state, to_state, phase]),
    ).toEqual([
      [null, "READY", null],
      ["READY", "APPLYING", "dispatched"],
      ["APPLYING", "APPLYING", "dispatched"],
      ["APPLYING", "APPLYING", "on_trial"],
      ["APPLYING", "APPLIED", null],
    ]);
    expect(
      (await listAudit(app, { object: `apply/${apply.id}`, limit: 10 })).map(({ action, actor, result_code }) => [
        action,
        actor,
        result_code,
      ]),
    ).toEqual([
      ["apply.applied", "system/test", "ok"],
      ["apply.applying", "system/test", "ok"],
      ["apply.ready", "system/test", "ok"],
    ]);
  });
});

// I12.
test("a change of state without its event does not commit", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const { apply } = await house.applying(await house.server("web-1"));
    const silent = transaction(app, (tx) =>
      tx.run(sql`update applies set state = 'ROLLBACKING', version = version + 1 where id = ${apply.id}`),
    );
    await expect(silent).rejects.toMatchObject({ code: "HF006" });
    const unversioned = transaction(app, (tx) =>
      tx.run(sql`update applies set phase = 'armed' where id = ${apply.id}`),
    );
    await expect(unversioned).rejects.toMatchObject({ code: "HF002" });
    expect(await getApply(app, apply.id)).toEqual(apply);
  });
});

test("a wish binds to the transaction that was looked at, and a weaker one does not replace a stronger", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const { apply, sent } = await house.applying(await house.server("web-1"));
    const wish = (kind: "confirm" | "abort" | "force_close", request = sent.request_id) =>
      transaction(app, (tx) => setWish(tx, apply.id, request, kind, house.author, "because", house.by));
    expect(await wish("confirm", newId())).toMatchObject({ ok: false, error: { code: "store.wrong_state" } });
    expect(await wish("confirm")).toMatchObject({ ok: true });
    expect(await wish("abort")).toMatchObject({ ok: true });
    expect(await wish("confirm")).toMatchObject({ ok: false, error: { code: "store.wrong_state" } });
    // It disturbs nobody who holds the row, and is taken once.
    const taken = await house.do((tx) => takeWish(tx, apply));
    expect(taken).toEqual({ wish: "abort", wish_by: house.author, wish_reason: "because" });
    expect(await house.do((tx) => takeWish(tx, apply))).toBeUndefined();
    expect(await getApply(app, apply.id)).toMatchObject({ version: apply.version, wish: null });
  });
});

test("stuck is what is open beyond its deadline, in doubt what says so", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const { apply } = await house.applying(await house.server("web-1"));
    const at = (ms: number) => new Date(Date.now() + ms);
    const inWindow = await house.do((tx) =>
      setPhase(tx, apply, { phase: "on_trial", deadlineAt: at(60_000) }, house.by),
    );
    expect(await listStuck(app, 0, 1)).toEqual([]);
    const late = await house.do((tx) =>
      setPhase(tx, inWindow, { phase: "in_doubt", deadlineAt: at(-120_000) }, house.by),
    );
    expect(await listStuck(app, 60_000, 1)).toMatchObject([{ id: apply.id }]);
    expect(await listStuck(app, 600_000, 1)).toEqual([]);
    expect(await listInDoubt(app)).toEqual([late]);
  });
});

test("a fence that the agent has seen is believed", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const server = await house.server("web-1");
    const { apply } = await house.applying(server);
    const raised = await house.do((tx) => raiseFence(tx, apply, 41, house.by));
    expect(raised).toMatchObject({ fence: 42, version: apply.version + 1 });
    expect(await getServer(app, server)).toMatchObject({ fence: 42 });
    await expect(app.run(sql`update servers set fence = 1 where id = ${server}`)).rejects.toMatchObject({
      code: "HF003",
    });
  });
});
