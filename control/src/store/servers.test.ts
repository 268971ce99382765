import type { ApplyId, InstanceId } from "@holdfast/core/base/id.ts";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { storedHouse } from "@holdfast/testkit/stored-house.ts";
import { expect, test } from "vitest";
import { listAllAssignments, listAssignments, moveAssignments } from "./assignments.ts";
import { listAudit } from "./audit.ts";
import { listInstances, listSilentInstances, removeInstance, reportInstance } from "./instances.ts";
import { newId } from "./new-id.ts";
import { getPlan, listNewestPlans } from "./plans.ts";
import { listQuarantines, quarantine, releaseQuarantine, releaseTransient } from "./quarantines.ts";
import {
  claimRollout,
  countOpen,
  getRollout,
  listRollouts,
  listRunning,
  openWave,
  setRolloutState,
  setTargetApply,
} from "./rollouts.ts";
import {
  believeFence,
  closeSession,
  closeSessionsOf,
  getServer,
  getServerByName,
  listServers,
  listServerStatus,
  lockForApplies,
  openSession,
  pause,
  resume,
  setDrift,
  setFacts,
  touchSessions,
  unlock,
} from "./servers.ts";
import { sql } from "./sql.ts";
import { transaction } from "./transaction.ts";

const HELLO = { bootId: "b1", agentVersion: "0.1.0", facts: { os: "Debian" }, capabilities: [] };

test("a session belongs to the instance that the agent came to last, and a late goodbye of the one before changes nothing", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const server = await house.server("web-1");
    const [here, there]: InstanceId[] = [newId(), newId()];
    if (here === undefined || there === undefined) throw new Error("no instances");
    const [first, second]: string[] = [newId(), newId()];
    await house.do((tx) => openSession(tx, server, here, first ?? "", HELLO));
    const row = await house.do((tx) => openSession(tx, server, there, second ?? "", { ...HELLO, bootId: "b2" }));
    expect(row).toMatchObject({ session_instance: there, session_id: second, boot_id: "b2", facts: { os: "Debian" } });
    expect(await house.do((tx) => closeSession(tx, server, first ?? ""))).toBe(false);
    expect(await listServerStatus(app)).toMatchObject([{ name: "web-1", connected: true }]);
    expect(await touchSessions(app, there, [second ?? ""])).toBe(1);
    expect(await touchSessions(app, here, [second ?? ""])).toBe(0);
    await setFacts(app, server, { os: "Debian 12" }, [{ domain: "firewall" }]);
    expect(await getServerByName(app, "web-1")).toMatchObject({
      facts: { os: "Debian 12" },
      capabilities: [{ domain: "firewall" }],
    });
    expect(await house.do((tx) => closeSessionsOf(tx, there))).toEqual([server]);
    expect(await getServer(app, server)).toMatchObject({ session_instance: null, session_id: null });

    const stranger = await house.do(async (tx) =>
      tx.one<{ id: typeof server }>(
        sql`insert into servers (id, name) values (${newId<string>()}, 'new') returning id`,
      ),
    );
    const refused = await transaction(app, (tx) => openSession(tx, stranger.id, here, newId(), HELLO));
    expect(refused).toMatchObject({ ok: false, error: { code: "store.wrong_state" } });
  });
});

test("locks, pauses, drift and fences are said once, to people and to the proof", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const server = await house.server("web-1");
    await house.do((tx) => lockForApplies(tx, server, "server.restore_failed", "first", house.by));
    await house.do((tx) => lockForApplies(tx, server, "server.other", "second", house.by));
    expect(await getServer(app, server)).toMatchObject({
      locked_code: "server.restore_failed",
      locked_reason: "first",
    });
    await house.do((tx) => unlock(tx, server, "looked", house.by));
    expect(await transaction(app, (tx) => unlock(tx, server, "again", house.by))).toMatchObject({
      ok: false,
      error: { code: "store.wrong_state" },
    });

    await house.do((tx) => pause(tx, server, 60, "maintenance", house.by));
    await house.do((tx) => resume(tx, server, house.by));
    expect(await transaction(app, (tx) => resume(tx, server, house.by))).toMatchObject({
      ok: false,
      error: { code: "store.wrong_state" },
    });

    const drift = (domains: readonly string[]) => house.do((tx) => setDrift(tx, server, domains, house.by));
    expect([await drift(["vpn", "firewall"]), await drift(["firewall", "vpn"]), await drift([])]).toEqual([
      true,
      false,
      true,
    ]);
    expect(await house.do((tx) => believeFence(tx, server, 40, house.by))).toBe(41);
    expect(await house.do((tx) => believeFence(tx, server, 12, house.by))).toBe(41);
    expect(await listServers(app)).toMatchObject([{ name: "web-1", fence: 41, drift: [] }]);
    expect((await listAudit(app, { serverId: server, limit: 50 })).map(({ action }) => action)).toEqual([
      "server.fence_ahead",
      "server.drift_gone",
      "server.drifted",
      "server.resumed",
      "server.paused",
      "server.unlocked",
      "server.locked",
      "server.enrolled",
      "server.expected",
    ]);
  });
});

test("a quarantine is per revision and server, and a retry releases the transient ones only", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const server = await house.server("web-1");
    const change = await house.change("1");
    const apply = await house.apply(server, change);
    const set = (code: string, isTransient: boolean) =>
      house.do((tx) => quarantine(tx, server, apply.id, change.revisions, code, isTransient, house.by));
    const retry = () => house.do((tx) => releaseTransient(tx, apply.id, house.author, house.by));
    await set("apply.step_failed", true);
    await set("apply.step_failed", true);
    expect(await listQuarantines(app, server)).toMatchObject([
      { kind: "Policy", name: "web", revision: 1, code: "apply.step_failed" },
    ]);
    expect(await retry()).toEqual([]);
    await set("apply.probe_failed", false);
    const [kept] = await retry();
    expect(kept).toMatchObject({ code: "apply.probe_failed", released_at: null });
    await house.do((tx) => releaseQuarantine(tx, kept?.id ?? "", house.author, house.by));
    expect(await listQuarantines(app, server)).toEqual([]);
    const again = await transaction(app, (tx) => releaseQuarantine(tx, kept?.id ?? "", house.author, house.by));
    expect(again).toMatchObject({ ok: false, error: { code: "store.wrong_state" } });
  });
});

test("what is in force becomes exactly the plan's list, and keeps who brought each", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const server = await house.server("web-1");
    const [web, ssh] = [(await house.change("1", "web")).revisions, (await house.change("1", "ssh")).revisions];
    const [first, second, third]: ApplyId[] = [newId(), newId(), newId()];
    const become = (apply: ApplyId | undefined, refs: typeof web) =>
      house.do((tx) => moveAssignments(tx, server, apply ?? newId(), refs));
    await become(first, web);
    await become(second, [...web, ...ssh]);
    const inForce = new Map(
      (await listAssignments(app, server)).map(({ document_id, apply_id }) => [document_id, apply_id]),
    );
    expect(inForce).toEqual(
      new Map([
        [web[0]?.document_id, first],
        [ssh[0]?.document_id, second],
      ]),
    );
    await become(third, ssh);
    expect(await listAllAssignments(app)).toMatchObject([{ document_id: ssh[0]?.document_id, apply_id: second }]);
    await become(third, []);
    expect(await listAllAssignments(app)).toEqual([]);
  });
});

test("a rollout is led by one instance, and pausing wins over leading", async () => {
  await withDatabase(async ({ app }) => {
    const house = await storedHouse(app);
    const server = await house.server("web-1");
    const { rollout_id, id, plan_id, change_id } = await house.apply(server);
    expect(await getPlan(app, plan_id)).toMatchObject({ status: "planned" });
    expect((await listNewestPlans(app, change_id, "forward")).map((plan) => plan.id)).toEqual([plan_id]);
    expect((await listRollouts(app, change_id, null, 5)).map((rollout) => rollout.id)).toEqual([rollout_id]);
    await house.do((tx) => setTargetApply(tx, rollout_id, server, id));
    expect(await countOpen(app)).toBe(0);

    const leaders = await Promise.all(
      Array.from({ length: 5 }, () => transaction(app, (tx) => claimRollout(tx, newId()))),
    );
    const led = leaders.flatMap((leader) => (leader.ok && leader.value !== undefined ? [leader.value] : []));
    expect(led).toHaveLength(1);
    const [rollout] = led;
    if (rollout === undefined) throw new Error("nobody leads");
    const next = await house.do((tx) => openWave(tx, rollout, 1, 3_600));
    expect(next).toMatchObject({ current_wave: 1, fence: rollout.fence });
    expect(await transaction(app, (tx) => openWave(tx, rollout, 1, 0)), "as it was before").toMatchObject({
      ok: false,
      error: { code: "store.lost_race" },
    });
    expect(await listRunning(app), "its next wave is not due").toEqual([]);

    const become = (state: "PAUSED" | "RUNNING" | "HALTED") =>
      transaction(app, (tx) =>
        setRolloutState(tx, rollout_id, state, { code: "rollout.canary_failed", message: "web-1" }, house.by),
      );
    expect(await become("PAUSED")).toMatchObject({ ok: true });
    expect(await transaction(app, (tx) => openWave(tx, next, 2, 0))).toMatchObject({
      ok: false,
      error: { code: "store.lost_race" },
    });
    expect(await become("RUNNING")).toMatchObject({ ok: true });
    expect(await become("HALTED")).toMatchObject({
      ok: true,
      value: { lease_owner: null, finished_at: expect.any(Date) as unknown },
    });
    expect(await become("RUNNING"), "the end is the end").toMatchObject({
      ok: false,
      error: { code: "store.wrong_state" },
    });
    expect(await getRollout(app, rollout_id)).toMatchObject({
      state: "HALTED",
      halt_code: "rollout.canary_failed",
      halt_message: "web-1",
    });
  });
});

test("an instance that is silent is found, and its going leaves no trace", async () => {
  await withDatabase(async ({ app }) => {
    const id: InstanceId = newId();
    await reportInstance(app, id, "10.0.0.1:7081");
    await reportInstance(app, id, "10.0.0.2:7081");
    expect(await listInstances(app)).toMatchObject([{ id, address: "10.0.0.2:7081" }]);
    expect(await listSilentInstances(app, 60_000)).toEqual([]);
    await app.run(sql`update instances set seen_at = now() - interval '2 minutes'`);
    expect(await listSilentInstances(app, 60_000)).toMatchObject([{ id }]);
    await removeInstance(app, id);
    expect(await listInstances(app)).toEqual([]);
  });
});
