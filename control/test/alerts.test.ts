/** Alerts from real rows: each test makes the trouble, looks, and looks again when it has gone. */
import type { AlertKind } from "@holdfast/core/alert/kind.ts";
import type { AlertId, InstanceId } from "@holdfast/core/base/id.ts";
import type { FloorByDomain } from "@holdfast/core/floor/standing.ts";
import { type TestDatabase, withDatabase } from "@holdfast/testkit/database.ts";
import { type StoredHouse, storedHouse } from "@holdfast/testkit/stored-house.ts";
import pino from "pino";
import { expect, test } from "vitest";
import { Baseline } from "../src/alerts/baseline.ts";
import { look } from "../src/alerts/look.ts";
import { recordAlerts } from "../src/alerts/record.ts";
import { AgentSessions } from "../src/gateway/agent-sessions.ts";
import { alerts } from "../src/reconcilers/alerts.ts";
import { stuckApplies } from "../src/reconcilers/stuck-applies.ts";
import { acknowledgeAlert, listAlerts, listStanding, openAlert } from "../src/store/alerts.ts";
import { move } from "../src/store/apply-move.ts";
import type { Database } from "../src/store/database.ts";
import { holdDuty, releaseDuties } from "../src/store/duties.ts";
import { reportInstance } from "../src/store/instances.ts";
import { newId } from "../src/store/new-id.ts";
import { getRollout, setRolloutState } from "../src/store/rollouts.ts";
import { lockForApplies, setDrift, setFloor, unlock } from "../src/store/servers.ts";
import { transaction } from "../src/store/transaction.ts";
import { withSagaHouse } from "./saga-house.ts";

const silent = pino({ level: "silent" });
const NEVER = new AbortController().signal;
const EVERY_STATE = { states: ["open", "acknowledged", "resolved"], visible: null, before: null, limit: 100 } as const;

async function lookOnce({ database, by }: Pick<StoredHouse, "database" | "by">): Promise<void> {
  await recordAlerts(database, await look(database), by, silent);
}

async function standing(database: Database): Promise<readonly AlertKind[]> {
  return (await listStanding(database)).map(({ kind }) => kind).toSorted();
}

function asOwner({ owner }: TestDatabase, text: string, ...values: readonly unknown[]): Promise<number> {
  return owner.run({ text, values });
}

/** A house whose servers are connected, so that nothing stands but what a test makes. */
async function calm(test: TestDatabase) {
  const house = await storedHouse(test.app);
  const server = await house.server("web-1");
  await asOwner(test, "update holdfast.servers set last_seen_at = now()");
  return { house, server };
}

test("a house that is well has no alerts", async () => {
  await withDatabase(async (one) => {
    const { house } = await calm(one);
    await lookOnce(house);
    expect(await standing(one.app)).toEqual([]);
  });
});

test("a floor that is lost calls at once; put back, it is told for an hour and then no more; a confirmed state ends it", async () => {
  await withDatabase(async (one) => {
    const { house, server } = await calm(one);
    const lost = [{ path: "table", expected: "the table inet holdfast", found: "no table inet holdfast" }];
    const firewall = { lost, whenLost: "repair" as const, repairs: [], gaveUp: false };
    const set = (floor: FloorByDomain) => house.do((tx) => setFloor(tx, server, floor, house.by));
    expect(await set({ firewall })).toBe(true);
    expect(await set({ firewall })).toBe(false);
    await lookOnce(house);
    const [alert, ...more] = await listAlerts(one.app, EVERY_STATE);
    expect(more).toEqual([]);
    expect(alert).toMatchObject({ kind: "floor-lost", state: "open", server_name: "web-1" });
    expect(alert?.message).toContain("no table inet holdfast");
    const repairs = [{ at: "2026-11-27T02:00:00.000Z", lost: "table", failure: "" }];
    await set({ firewall: { ...firewall, lost: [], repairs } });
    await lookOnce(house);
    const [back] = await listAlerts(one.app, EVERY_STATE);
    expect(back).toMatchObject({ id: alert?.id, state: "open" });
    expect(back?.message).toContain("put back by itself once");
    await asOwner(one, "update holdfast.servers set floor_at = now() - interval '61 minutes'");
    await lookOnce(house);
    expect(await standing(one.app)).toEqual([]);
    const said = await one.app.rows<{ action: string }>({
      text: "select action from audit_log where action like 'server.floor%' order by id",
      values: [],
    });
    expect(said.map(({ action }) => action)).toEqual(["server.floor_lost", "server.floor_repaired"]);
  });
});

test("drift opens once, is acknowledged, survives whoever looks, and resolves by itself", async () => {
  await withDatabase(async (one) => {
    const { house, server } = await calm(one);
    await house.do((tx) => setDrift(tx, server, ["firewall"], house.by));
    await lookOnce(house);
    await lookOnce(house);
    const [alert, ...more] = await listAlerts(one.app, EVERY_STATE);
    expect(more).toEqual([]);
    expect(alert).toMatchObject({ kind: "drift", state: "open", server_name: "web-1" });
    await house.do((tx) => acknowledgeAlert(tx, alert?.id as AlertId, house.author, "looking", house.by));
    await lookOnce(house);
    expect(await listAlerts(one.app, EVERY_STATE)).toMatchObject([
      { id: alert?.id, state: "acknowledged", acknowledged_name: "author", acknowledgement: "looking" },
    ]);
    const twice = await transaction(one.app, (tx) =>
      acknowledgeAlert(tx, alert?.id as AlertId, house.author, "me too", house.by),
    );
    expect(twice).toMatchObject({ ok: false, error: { code: "store.wrong_state" } });
    await house.do((tx) => setDrift(tx, server, [], house.by));
    await lookOnce(house);
    expect(await listAlerts(one.app, EVERY_STATE)).toMatchObject([{ id: alert?.id, state: "resolved" }]);
    // The same trouble again is another alert, with its own times.
    await house.do((tx) => setDrift(tx, server, ["vpn"], house.by));
    await lookOnce(house);
    expect((await listAlerts(one.app, EVERY_STATE)).map(({ state }) => state)).toEqual(["open", "resolved"]);
    const audited = await one.app.rows<{ action: string }>({
      text: "select action from audit_log where object = $1 order by id",
      values: [`alert/${alert?.id ?? ""}`],
    });
    expect(audited.map(({ action }) => action)).toEqual(["alert.opened", "alert.acknowledged", "alert.resolved"]);
  });
});

test("however many look at once, the same trouble is one alert", async () => {
  await withDatabase(async (one) => {
    const { house, server } = await calm(one);
    await house.do((tx) => setDrift(tx, server, ["firewall"], house.by));
    await Promise.all(Array.from({ length: 5 }, () => lookOnce(house)));
    expect(await listAlerts(one.app, EVERY_STATE)).toHaveLength(1);
    await house.do((tx) => setDrift(tx, server, [], house.by));
    await Promise.all(Array.from({ length: 5 }, () => lookOnce(house)));
    const resolved = await one.app.rows({ text: "select from audit_log where action = 'alert.resolved'", values: [] });
    expect(resolved).toHaveLength(1);
  });
});

test("the database refuses a life that runs backwards, whoever asks", async () => {
  await withDatabase(async (one) => {
    const { house } = await calm(one);
    const condition = { kind: "audit-broken", subject: "house", serverId: null, applyId: null, message: "m" } as const;
    const row = await house.do((tx) => openAlert(tx, condition, house.by));
    expect(await house.do((tx) => openAlert(tx, condition, house.by))).toBeUndefined();
    await asOwner(one, "update holdfast.alerts set state = 'resolved', resolved_at = now() where id = $1", row?.id);
    for (const wrong of ["state = 'open', resolved_at = null", "message = 'other'", "subject = 'apply/x'"])
      await expect(asOwner(one, `update holdfast.alerts set ${wrong}`)).rejects.toThrow(
        /an alert that is resolved|is about one thing/,
      );
    await expect(one.app.run({ text: "delete from alerts", values: [] })).rejects.toThrow(/is kept: it is resolved/);
  });
});

test("an alert that cannot be written holds up none of the others", async () => {
  await withDatabase(async (one) => {
    const { house, server } = await calm(one);
    const other = await house.server("web-2");
    await asOwner(one, "update holdfast.servers set last_seen_at = now()");
    await asOwner(
      one,
      `alter table holdfast.alerts add constraint not_this check (server_id <> '${server}' or state = 'resolved')`,
    );
    for (const each of [server, other]) await house.do((tx) => setDrift(tx, each, ["firewall"], house.by));
    await expect(lookOnce(house)).rejects.toThrow("1 alerts could not be written");
    expect(await listStanding(one.app)).toMatchObject([{ server_id: other }]);
    await house.do((tx) => setDrift(tx, other, [], house.by));
    await expect(lookOnce(house)).rejects.toThrow("1 alerts could not be written");
    expect(await listStanding(one.app)).toEqual([]);
  });
});

test("one instance at a time looks; when it dies another does", async () => {
  await withDatabase(async (one) => {
    const { house, server } = await calm(one);
    const [first, second] = [newId<InstanceId>(), newId<InstanceId>()];
    const run = (instanceId: InstanceId) =>
      alerts().run({ database: one.app, instanceId, sessions: new AgentSessions(), log: silent, signal: NEVER });
    expect(await holdDuty(one.app, "alerts", first, 60_000)).toBe(true);
    expect(await holdDuty(one.app, "alerts", first, 60_000)).toBe(true);
    await house.do((tx) => setDrift(tx, server, ["firewall"], house.by));
    await run(second);
    expect(await standing(one.app)).toEqual([]);
    await asOwner(one, "update holdfast.duties set lease_until = now() - interval '1 second'");
    await run(second);
    expect(await standing(one.app)).toEqual(["drift"]);
    expect(await holdDuty(one.app, "alerts", first, 60_000)).toBe(false);
    await releaseDuties(one.app, second);
    expect(await holdDuty(one.app, "alerts", first, 60_000)).toBe(true);
  });
});

test("an agent that is away, and a certificate that was not renewed", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server } = await house.agent("web-1", one);
    await lookOnce(house);
    expect(await standing(house.database)).toEqual([]);
    await asOwner(
      house.test,
      "update holdfast.agent_keys set not_after = now() + interval '1 day' where server_id = $1",
      server,
    );
    await lookOnce(house);
    expect(await standing(house.database)).toEqual(["certificate-expiring"]);
    const lost = await house.server("web-9");
    await asOwner(
      house.test,
      "update holdfast.servers set last_seen_at = now() - interval '1 hour' where id = $1",
      lost,
    );
    await lookOnce(house);
    // The house itself has only just begun: whoever was away meanwhile has its five minutes.
    expect(await standing(house.database)).toEqual(["certificate-expiring"]);
    await asOwner(house.test, "update holdfast.instances set started_at = now() - interval '1 hour'");
    await lookOnce(house);
    expect(await standing(house.database)).toEqual(["agent-lost", "certificate-expiring"]);
    await asOwner(house.test, "update holdfast.servers set last_seen_at = now() where id = $1", lost);
    await asOwner(house.test, "update holdfast.agent_keys set not_after = now() + interval '5 days'");
    await lookOnce(house);
    expect(await standing(house.database)).toEqual([]);
  });
});

test("an apply that outlasts its window says what it waits for; it is undone by itself, and the alert goes", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one, { windowMs: 60_000 });
    agent.isCutWhileLive = true;
    const apply = await house.apply(server, { windowSeconds: 60 });
    await house.until(apply.id, (row) => row.lease_owner === null && row.fence !== null && row.phase !== "dispatched");
    await lookOnce(house);
    expect(await standing(house.database)).not.toContain("apply-stuck");
    await asOwner(
      house.test,
      "update holdfast.host_transactions set execute_sent_at = now() - interval '3 minutes' where apply_id = $1",
      apply.id,
    );
    await lookOnce(house);
    const [alert] = (await listStanding(house.database)).filter(({ kind }) => kind === "apply-stuck");
    expect(alert?.message).toMatch(/^web-1 has been (APPLYING|ROLLBACKING) for .* It waits for the server to /);
    await stuckApplies.run({
      database: house.database,
      instanceId: one.id,
      sessions: new AgentSessions(),
      log: silent,
      signal: NEVER,
    });
    agent.isCutWhileLive = false;
    expect(await house.ended(apply.id)).toMatchObject({ state: "ROLLED_BACK", code: "apply.stuck" });
    await lookOnce(house);
    expect(await standing(house.database)).not.toContain("apply-stuck");
  });
});

test("a doubt that lasts", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one, { windowMs: 60_000 });
    agent.isCutWhileLive = true;
    const apply = await house.apply(server, { windowSeconds: 60 });
    await house.until(apply.id, (row) => row.lease_owner === null && row.fence !== null && row.phase !== "dispatched");
    await house.until(apply.id, (row) => row.phase === "in_doubt");
    await lookOnce(house);
    expect(await standing(house.database)).not.toContain("in-doubt");
    // The events of an apply cannot be changed, so the look is made later instead.
    const facts = await look(house.database);
    await recordAlerts(house.database, { ...facts, nowMs: facts.nowMs + 31_000 }, house.by, silent);
    expect(await standing(house.database)).toContain("in-doubt");
    agent.isCutWhileLive = false;
    await house.ended(apply.id);
    await lookOnce(house);
    expect(await standing(house.database)).not.toContain("in-doubt");
  });
});

test("a server that could not be put back, until somebody has looked and unlocks it", async () => {
  await withDatabase(async (one) => {
    const { house, server } = await calm(one);
    const { apply, said } = await house.applying(server);
    await said("revert_failed");
    await house.do(async (tx) => {
      const back = await move(tx, apply, { to: "ROLLBACKING", phase: "reverting", code: "firewall.x" }, house.by);
      await move(tx, back, { to: "FAILED", effect: "restore_failed", serverIs: "mixed" }, house.by);
      await lockForApplies(tx, server, "server.restore_failed", "the undo failed", house.by);
    });
    await lookOnce(house);
    expect(await listAlerts(one.app, EVERY_STATE)).toMatchObject([
      { kind: "rollback-failed", apply_id: apply.id, server_name: "web-1" },
    ]);
    // What was withdrawn since has not put anything back.
    const withdrawn = await house.apply(server);
    await house.do((tx) => move(tx, withdrawn, { to: "CANCELLED", code: "apply.withdrawn" }, house.by));
    await lookOnce(house);
    expect(await standing(one.app)).toEqual(["rollback-failed"]);
    await house.do((tx) => unlock(tx, server, "looked", house.by));
    await lookOnce(house);
    expect(await standing(one.app)).toEqual([]);
  });
});

test("a spike of failures pauses what runs, once; what a person resumes goes on", async () => {
  await withDatabase(async (one) => {
    const { house } = await calm(one);
    let rollout = "";
    for (let index = 0; index < 5; index++) {
      const server = await house.server(`bad-${index}`);
      const { apply, said } = await house.applying(server);
      rollout = apply.rollout_id;
      await said("refused");
      await house.do((tx) => move(tx, apply, { to: "FAILED", effect: "none", code: "verify.x" }, house.by));
    }
    await asOwner(one, "update holdfast.servers set last_seen_at = now()");
    await lookOnce(house);
    const [alert] = await listAlerts(one.app, EVERY_STATE);
    expect(alert).toMatchObject({ kind: "failure-rate", state: "open" });
    expect(alert?.action).toContain(`rollout/${rollout}`);
    const running = await getRollout(one.app, rollout as never);
    expect(running).toMatchObject({ state: "PAUSED", halt_code: "alert.failure_rate" });
    await house.do((tx) => setRolloutState(tx, rollout as never, "RUNNING", { code: null, message: null }, house.by));
    await lookOnce(house);
    expect(await getRollout(one.app, rollout as never)).toMatchObject({ state: "RUNNING" });
  });
});

test("what an operator undid is no failure", async () => {
  await withDatabase(async (one) => {
    const { house } = await calm(one);
    for (let index = 0; index < 6; index++) {
      const server = await house.server(`undone-${index}`);
      const { apply, said } = await house.applying(server);
      await said("reverted");
      await house.do(async (tx) => {
        const back = await move(tx, apply, { to: "ROLLBACKING", phase: "reverting", code: "apply.aborted" }, house.by);
        await move(tx, back, { to: "ROLLED_BACK" }, house.by);
      });
    }
    await asOwner(one, "update holdfast.servers set last_seen_at = now()");
    await lookOnce(house);
    expect(await standing(one.app)).toEqual([]);
  });
});

test("the week before is counted now and then, the last hour at every look", async () => {
  await withDatabase(async (one) => {
    const { house, server } = await calm(one);
    const baseline = new Baseline();
    const ended = async () => (await look(one.app, baseline)).hours.map(({ hoursAgo, failed }) => [hoursAgo, failed]);
    const fail = async (hoursAgo: number): Promise<void> => {
      const { apply, said } = await house.applying(server);
      await said("refused");
      await house.do((tx) => move(tx, apply, { to: "FAILED", effect: "none", code: "verify.x" }, house.by));
      await asOwner(
        one,
        "update holdfast.applies set finished_at = now() - make_interval(mins => $1) where id = $2",
        hoursAgo * 60 + 1,
        apply.id,
      );
    };
    await fail(5);
    expect(await ended()).toEqual([[5, 1]]);
    await fail(0);
    await fail(6);
    expect(await ended()).toEqual([
      [0, 1],
      [5, 1],
    ]);
    expect((await baseline.hours(one.app, Date.now() + 10 * 60_000)).map(({ hours_ago }) => hours_ago)).toEqual([5, 6]);
  });
});

test("a disk that is nearly full, and a database that was away", async () => {
  await withDatabase(async (one) => {
    const { house } = await calm(one);
    const id: InstanceId = newId();
    await reportInstance(one.app, id, "cp-1", { diskFreeBytes: 1_000, diskTotalBytes: 1 << 30, awaySeconds: 42 });
    await lookOnce(house);
    expect(await standing(one.app)).toEqual(["database-trouble", "disk-low"]);
    // A disk that does not answer is not one that has room.
    await reportInstance(one.app, id, "cp-1");
    await lookOnce(house);
    expect(await standing(one.app)).toEqual(["database-trouble", "disk-low"]);
    // Healthy again, and the outage is a quarter of an hour ago.
    await reportInstance(one.app, id, "cp-1", { diskFreeBytes: 2 ** 33, diskTotalBytes: 2 ** 34, awaySeconds: null });
    await lookOnce(house);
    expect(await standing(one.app)).toEqual(["database-trouble"]);
    await asOwner(one, "update holdfast.instances set back_at = now() - interval '16 minutes'");
    await lookOnce(house);
    expect(await standing(one.app)).toEqual([]);
  });
});
