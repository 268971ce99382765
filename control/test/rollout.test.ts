import type { ApplyId, RolloutId, ServerId } from "@holdfast/core/base/id.ts";
import { expect, test } from "vitest";
import { insertReady } from "../src/store/apply-move.ts";
import { listAssignments } from "../src/store/assignments.ts";
import { newId } from "../src/store/new-id.ts";
import { setRolloutState } from "../src/store/rollouts.ts";
import { transaction } from "../src/store/transaction.ts";
import { type Instance, type SagaHouse, withSagaHouse } from "./saga-house.ts";

const NO_REASON = { code: null, message: null };

async function fleet(house: SagaHouse, instance: Instance, count: number) {
  return Promise.all(Array.from({ length: count }, (_, index) => house.agent(`web-${index + 1}`, instance)));
}

function ids(agents: readonly { readonly server: ServerId }[]): readonly ServerId[] {
  return agents.map(({ server }) => server);
}

async function untilState(house: SagaHouse, id: RolloutId, state: string): Promise<void> {
  await expect.poll(async () => (await house.readRollout(id)).state, { timeout: 15_000 }).toBe(state);
}

test("canary first, then the rest, then done; two instances lead it and nobody is dispatched twice", async () => {
  await withSagaHouse(async (house) => {
    const [one, two] = [await house.instance(), await house.instance()];
    const agents = [...(await fleet(house, one, 2)), await house.agent("db-1", two), await house.agent("db-2", two)];
    const [canary, ...rest] = ids(agents);
    const id = await house.rollout([[canary ?? ("" as ServerId)], rest]);
    await untilState(house, id, "DONE");
    const applies = await house.appliesOf(id);
    expect(applies.map((apply) => apply.state)).toEqual(["APPLIED", "APPLIED", "APPLIED", "APPLIED"]);
    const first = applies.find((apply) => apply.server_id === canary);
    for (const apply of applies) {
      if (apply !== first)
        expect(apply.requested_at.getTime()).toBeGreaterThanOrEqual(first?.finished_at?.getTime() ?? Infinity);
    }
  });
});

test("a canary that is undone halts: no other server is touched", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const agents = await fleet(house, one, 3);
    const [canary, ...rest] = agents;
    if (canary === undefined) throw new Error("no canary");
    canary.agent.ledger.faults.failStep = { code: "verify.mismatch", message: "not as asked" };
    const id = await house.rollout([[canary.server], ids(rest)]);
    await untilState(house, id, "HALTED");
    const row = await house.readRollout(id);
    expect(row).toMatchObject({ halt_code: "rollout.server_did_not_take_it" });
    expect(row.halt_message).toContain("web-1 in wave 1 did not take the change (verify.mismatch)");
    expect((await house.appliesOf(id)).map((apply) => [apply.server_id, apply.state])).toEqual([
      [canary.server, "ROLLED_BACK"],
    ]);
    for (const { agent } of rest) expect(agent.calls).toEqual([]);
  });
});

test("paused: what is waiting waits, also what was dispatched and not yet claimed; resumed, it goes on", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const [first, second] = await fleet(house, one, 2);
    if (first === undefined || second === undefined) throw new Error("two servers were asked for");
    let goOn = (): void => undefined;
    first.agent.pauseInStep = new Promise((resolve) => {
      goOn = resolve;
    });
    const id = await house.rollout([[first.server], [second.server]]);
    await expect.poll(async () => (await house.appliesOf(id))[0]?.phase, { timeout: 10_000 }).toBe("armed");
    await house.do((tx) => setRolloutState(tx, id, "PAUSED", NO_REASON, house.by));
    goOn();
    const [apply] = await house.appliesOf(id);
    // A pause dispatches nothing new; what is under way on a server ends by itself, for half a change is the worst state.
    expect((await house.ended(apply?.id ?? ("" as ApplyId))).state).toBe("APPLIED");
    expect(await house.appliesOf(id)).toHaveLength(1);
    await house.do((tx) => setRolloutState(tx, id, "RUNNING", NO_REASON, house.by));
    await untilState(house, id, "DONE");
    expect(await house.appliesOf(id)).toHaveLength(2);
  });
});

test("halted by a person: a server whose turn had come and whose agent is away is withdrawn, and free again", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const [first] = await fleet(house, one, 1);
    if (first === undefined) throw new Error("one server was asked for");
    await expect.poll(() => one.sessions.of(first.server) !== undefined).toBe(true);
    first.agent.stop();
    await expect.poll(() => one.sessions.of(first.server) === undefined).toBe(true);
    const id = await house.rollout([[first.server]]);
    await expect.poll(async () => (await house.appliesOf(id))[0]?.state, { timeout: 10_000 }).toBe("READY");
    await house.do((tx) => setRolloutState(tx, id, "HALTED", { code: "rollout.halted", message: "by hand" }, house.by));
    await expect.poll(async () => (await house.appliesOf(id))[0]?.state, { timeout: 10_000 }).toBe("CANCELLED");
    first.agent.start();
    expect((await house.ended((await house.apply(first.server, { policy: "other" })).id)).state).toBe("APPLIED");
  });
});

test("two applies at once on one server: the second is refused by name", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const [first] = await fleet(house, one, 1);
    if (first === undefined) throw new Error("one server was asked for");
    const open = await house.apply(first.server, { touches: true, person: true });
    await house.until(open.id, (row) => row.phase === "on_trial");
    const refused = await transaction(house.database, (tx) =>
      insertReady(
        tx,
        {
          id: newId<ApplyId>(),
          changeId: open.change_id,
          rolloutId: open.rollout_id,
          serverId: first.server,
          planId: open.plan_id,
          wave: 0,
          revisions: [],
          requestedBy: house.author,
          retryOf: null,
        },
        house.by,
      ),
    );
    expect(refused).toMatchObject({ ok: false, error: { code: "store.server_busy", details: { apply_id: open.id } } });
    // A rollout waits for its turn instead.
    const id = await house.rollout([[first.server]], { policy: "other", baseGeneration: 1 });
    await house.wish(open.id, "confirm");
    await untilState(house, id, "DONE");
    expect((await house.appliesOf(id)).map((apply) => apply.state)).toEqual(["APPLIED"]);
  });
});

test("a rollback is a trial like any other; it ends ROLLED_BACK, and the assignments with it", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const agents = await fleet(house, one, 2);
    const forward = await house.rollout([ids(agents)]);
    await untilState(house, forward, "DONE");
    const back = await house.rollout([ids(agents)], { back: await house.appliesOf(forward) });
    await untilState(house, back, "DONE");
    for (const apply of await house.appliesOf(forward)) {
      expect(apply).toMatchObject({
        state: "ROLLED_BACK",
        server_is: "as_before",
        code: "apply.rolled_back_by_operator",
      });
      expect((await house.sent(apply.id)).map((sent) => [sent.kind, sent.outcome])).toEqual([
        ["forward", "finalized"],
        ["rollback", "finalized"],
      ]);
      expect(await listAssignments(house.database, apply.server_id)).toEqual([]);
      expect((await house.readServer(apply.server_id)).generation).toBe(2);
    }
  });
});

test("a rollback that is itself undone leaves APPLIED, and its rollout halts; it may be tried again", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const agents = await fleet(house, one, 1);
    const [only] = agents;
    if (only === undefined) throw new Error("one server was asked for");
    const forward = await house.rollout([ids(agents)]);
    await untilState(house, forward, "DONE");
    only.agent.ledger.faults.failStep = { code: "module.step_failed", message: "no" };
    const back = await house.rollout([ids(agents)], { back: await house.appliesOf(forward) });
    await untilState(house, back, "HALTED");
    expect((await house.appliesOf(forward))[0]).toMatchObject({
      state: "APPLIED",
      server_is: "as_requested",
      code: "apply.rollback_was_undone",
    });
    expect(await listAssignments(house.database, only.server)).toHaveLength(1);
    only.agent.ledger.faults.failStep = null;
    const again = await house.rollout([ids(agents)], { back: await house.appliesOf(forward) });
    await untilState(house, again, "DONE");
    expect((await house.appliesOf(forward))[0]?.state).toBe("ROLLED_BACK");
  });
});

test("a retry is a new apply that names the one before it", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const [only] = await fleet(house, one, 1);
    if (only === undefined) throw new Error("one server was asked for");
    only.agent.ledger.faults.failStep = { code: "verify.mismatch", message: "not as asked" };
    const first = await house.rollout([[only.server]]);
    await untilState(house, first, "HALTED");
    only.agent.ledger.faults.failStep = null;
    const [failed] = await house.appliesOf(first);
    if (failed === undefined) throw new Error("no apply");
    const again = await house.retry(failed);
    await untilState(house, again, "DONE");
    expect((await house.appliesOf(again))[0]).toMatchObject({ state: "APPLIED", retry_of: failed.id, retry_count: 1 });
  });
});
