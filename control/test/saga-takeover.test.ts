import { METHODS, type SimulatedAgent } from "@holdfast/testkit/simulated-agent/agent.ts";
import { expect, test } from "vitest";
import { listApplyEvents } from "../src/store/applies.ts";
import { MortalDatabase } from "./mortal-database.ts";
import { type Instance, type SagaHouse, withSagaHouse } from "./saga-house.ts";

/** An instance that can be killed; the agent then dials the other one, and the lease of the dead one has run out. */
async function mortal(
  house: SagaHouse,
  other: Instance,
): Promise<{ database: MortalDatabase; instance: Instance; serve: (agent: SimulatedAgent) => void }> {
  const database = new MortalDatabase(house.test.appTarget);
  const instance = await house.instance(database);
  return {
    database,
    instance,
    serve(agent) {
      database.onDeath = () => {
        agent.port = other.gateway.port;
        void instance.close("drop").then(() =>
          house.test.owner.run({
            text: "update holdfast.applies set lease_until = now() - interval '1 second' where lease_owner = $1",
            values: [instance.id],
          }),
        );
      };
    },
  };
}

test("an instance killed before any of its transactions: the other one goes on at the same place", async () => {
  await withSagaHouse(async (house) => {
    const other = await house.instance();
    const deaths = await Promise.all(
      Array.from({ length: 14 }, async (_, point) => {
        const { database, instance, serve } = await mortal(house, other);
        const { server, agent } = await house.agent(`web-${point}`, instance, { windowMs: 60_000 });
        await expect.poll(() => instance.sessions.of(server) !== undefined, { timeout: 10_000 }).toBe(true);
        serve(agent);
        database.dieAfter(point);
        const apply = await house.apply(server, { policy: `p-${point}`, windowSeconds: 60 });
        // One that dies before its claim leaves a READY row: nothing is lost, the other claims it.
        const ended = await house.ended(apply.id);
        expect(ended, `killed before transaction ${point}`).toMatchObject({
          state: "APPLIED",
          server_is: "as_requested",
        });
        const [sent, ...more] = await house.sent(apply.id);
        expect(more).toEqual([]);
        const records = agent.ledger.transactions.get(sent?.request_id ?? "")?.records ?? [];
        expect(records.filter((kind) => kind === "armed")).toHaveLength(1);
        const { isDead } = database;
        await instance.close("drop");
        await database.close();
        return isDead;
      }),
    );
    expect(deaths.filter(Boolean).length).toBeGreaterThan(8);
  });
});

test("an instance killed between its commit and the message, or between the message and its record", async () => {
  await withSagaHouse(async (house) => {
    const other = await house.instance();
    const points = METHODS.filter((method) => method !== "abort").flatMap((method) => [
      `before ${method}`,
      `after ${method}`,
    ]);
    await Promise.all(
      points.map(async (point, index) => {
        const { database, instance, serve } = await mortal(house, other);
        const { server, agent } = await house.agent(`web-${index}`, instance, { windowMs: 60_000 });
        serve(agent);
        const [when, which] = point.split(" ");
        agent.onCall = (method) => {
          if (method === which && !database.isDead) database.die();
        };
        for (const method of METHODS)
          if (method === which) agent.fault(method, when === "before" ? "cut_before" : "cut_after");
        const apply = await house.apply(server, { policy: `p-${index}`, windowSeconds: 60 });
        expect(await house.ended(apply.id), point).toMatchObject({ state: "APPLIED" });
        await instance.close("drop");
        await database.close();
      }),
    );
  });
});

test("a zombie that wakes after its work was taken over changes nothing", async () => {
  await withSagaHouse(async (house) => {
    const other = await house.instance();
    const database = new MortalDatabase(house.test.appTarget);
    const zombie = await house.instance(database);
    const { server, agent } = await house.agent("web-1", zombie, { windowMs: 60_000 });
    let wake = (): void => undefined;
    agent.onCall = (method) => {
      if (method !== "confirm" || zombie.sessions.of(server) === undefined) return;
      // It falls asleep with the confirmation under way, and wakes with the answer in its hand.
      database.gate = new Promise((resolve) => {
        wake = resolve;
      });
      agent.port = other.gateway.port;
    };
    agent.fault("confirm", "cut_after");
    const apply = await house.apply(server, { windowSeconds: 60 });
    await expect.poll(() => agent.calls.includes("confirm"), { timeout: 10_000 }).toBe(true);
    await house.test.owner.run({
      text: "update holdfast.applies set lease_until = now() - interval '1 second' where lease_owner = $1",
      values: [zombie.id],
    });
    const ended = await house.ended(apply.id);
    expect(ended.state).toBe("APPLIED");
    const events = await listApplyEvents(house.database, apply.id);
    wake();
    await zombie.close("hand_over");
    await database.close();
    expect(await house.read(apply.id)).toEqual(ended);
    expect(await listApplyEvents(house.database, apply.id)).toEqual(events);
    expect((await house.readServer(server)).generation).toBe(1);
  });
});

test("handing over in order: the next instance need not wait for a lease", async () => {
  await withSagaHouse(async (house) => {
    const [one, other] = [await house.instance(), await house.instance()];
    const { server, agent } = await house.agent("web-1", one, { windowMs: 60_000 });
    const apply = await house.apply(server, { touches: true, person: true, windowSeconds: 60 });
    await house.until(apply.id, (row) => row.phase === "on_trial" && row.lease_owner === one.id);
    agent.port = other.gateway.port;
    await one.close("hand_over");
    const taken = await house.until(apply.id, (row) => row.lease_owner === other.id && row.phase === "on_trial");
    expect(taken.fence).toBeGreaterThan(apply.fence ?? 0);
    await house.wish(apply.id, "confirm");
    expect((await house.ended(apply.id)).state).toBe("APPLIED");
  });
});

// I21.
test("an agent whose fence is ahead of a restored database is believed, and goes on above it", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one);
    await expect.poll(() => one.sessions.of(server) !== undefined, { timeout: 10_000 }).toBe(true);
    agent.ledger.maxFence = 40; // while connected: the saga finds out
    expect((await house.ended((await house.apply(server, { policy: "a" })).id)).state).toBe("APPLIED");
    expect((await house.readServer(server)).fence).toBeGreaterThan(40);
    agent.ledger.maxFence = 90; // between two sessions: the greeting says it
    agent.cut();
    await expect
      .poll(async () => (await house.readServer(server)).fence, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(90);
    expect((await house.ended((await house.apply(server, { policy: "b" })).id)).state).toBe("APPLIED");
    // A confirmed state that nobody here knows: look before the next apply.
    agent.ledger.confirmedRequestId = "01900000-0000-7000-8000-00000000beef";
    agent.ledger.generation = 9;
    agent.cut();
    await expect
      .poll(async () => (await house.readServer(server)).locked_code, { timeout: 10_000 })
      .toBe("server.ahead_of_database");
    expect(await house.readServer(server)).toMatchObject({ generation: 9, confirmed_config: null });
  });
});
