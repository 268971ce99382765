import { LEDGER_KINDS } from "@holdfast/core/ledger/kind.ts";
import type { Probe } from "@holdfast/core/plan/probe.ts";
import { TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { METHODS, type WireFault } from "@holdfast/testkit/simulated-agent/agent.ts";
import { expect, test } from "vitest";
import { claimNext } from "../src/store/apply-claim.ts";
import { listAssignments } from "../src/store/assignments.ts";
import { listQuarantines } from "../src/store/quarantines.ts";
import { withSagaHouse } from "./saga-house.ts";

const SSH: Probe = {
  id: "ssh",
  direction: "inbound",
  protocol: "tcp",
  address: "self",
  port: 22,
  expected: "open",
  origin: "floor",
};

test("the normal run: prepared, executed, back over a new session, confirmed, recorded", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one);
    const apply = await house.apply(server);
    const ended = await house.ended(apply.id);
    expect(ended).toMatchObject({
      state: "APPLIED",
      server_is: "as_requested",
      code: null,
      effect: null,
      lease_owner: null,
    });
    expect(agent.calls.filter((call) => call !== "getTransaction")).toEqual(["prepare", "execute", "confirm"]);
    const [sent] = await house.sent(apply.id);
    expect(sent).toMatchObject({ kind: "forward", outcome: "finalized" });
    expect(sent?.receipt).toMatchObject({ body: expect.stringContaining(sent?.request_id ?? "?") });
    const row = await house.readServer(server);
    expect(row).toMatchObject({
      generation: 1,
      confirmed_digest: sent?.config_digest,
      last_applied_id: apply.id,
      locked_code: null,
    });
    expect(await listAssignments(house.database, server)).toMatchObject(apply.revisions.map((ref) => ({ ...ref })));
    expect(new Set(agent.commands.map((command) => command.requestId))).toEqual(new Set([sent?.request_id]));
    await expect.poll(() => agent.ledger.outbox.size).toBe(0);
  });
});

const WIRE: readonly WireFault[] = ["lose_request", "lose_answer", "double", "late", "cut_after", "cut_before"];

test.each(METHODS)(
  "each fault of the wire at %s ends APPLIED or undone, as the ledger says, and done once",
  async (method) => {
    await withSagaHouse(async (house) => {
      const one = await house.instance();
      await Promise.all(
        WIRE.map(async (fault) => {
          const { server, agent } = await house.agent(`web-${fault.replace("_", "-")}`, one);
          if (method === "abort") agent.probeResult = () => "closed";
          agent.fault(method, fault);
          const probes: readonly Probe[] =
            method === "abort" ? [{ ...SSH, id: "out", direction: "outbound", address: "192.0.2.1" }] : [];
          if (method === "abort") agent.probeResult = () => (agent.ledger.live === "found" ? "open" : "closed");
          const apply = await house.apply(server, { probes, policy: fault.replace("_", "-") });
          const ended = await house.ended(apply.id);
          const [sent] = await house.sent(apply.id);
          const records = agent.ledger.transactions.get(sent?.request_id ?? "")?.records ?? [];
          expect(ended.state, fault).toBe(method === "abort" ? "ROLLED_BACK" : "APPLIED");
          expect(
            records.filter((kind) => kind === "armed"),
            `${fault}: done once`,
          ).toHaveLength(1);
        }),
      );
    });
  },
);

test("power lost after each record of the ledger: the boot decides, the row says what it decided", async () => {
  const expected = {
    prepared: "FAILED",
    armed: "ROLLED_BACK",
    step_begin: "ROLLED_BACK",
    step_done: "ROLLED_BACK",
    on_trial: "ROLLED_BACK",
    confirmed: "APPLIED",
    finalized: "APPLIED",
  } as const;
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const seen = await Promise.all(
      Object.keys(expected).map(async (kind) => {
        const { server, agent } = await house.agent(`web-${kind.replace("_", "-")}`, one);
        agent.crashAfter = LEDGER_KINDS.find((each) => each === kind) ?? null;
        const apply = await house.apply(server, { policy: kind.replace("_", "-") });
        const ended = await house.ended(apply.id);
        return [kind, ended.state] as const;
      }),
    );
    expect(Object.fromEntries(seen)).toEqual(expected);
  });
});

test("a refusal changes nothing and says why", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one);
    agent.ledger.faults.refusePrepare = {
      code: "plan.base_moved",
      message: "the server is not what the plan was made on",
    };
    const ended = await house.ended((await house.apply(server)).id);
    expect(ended).toMatchObject({
      state: "FAILED",
      effect: "none",
      server_is: "as_before",
      code: "plan.base_moved",
      message: "the server is not what the plan was made on",
    });
    expect((await house.readServer(server)).locked_code).toBeNull();
    expect(await listAssignments(house.database, server)).toEqual([]);
  });
});

test("a step that fails is undone and quarantined; an undo that fails locks the server", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const [good, bad] = await Promise.all([house.agent("web-1", one), house.agent("web-2", one)]);
    for (const { agent } of [good, bad])
      agent.ledger.faults.failStep = { code: "verify.mismatch", message: "the live rules are not those asked for" };
    bad.agent.ledger.faults.failRevert = true;
    const undone = await house.ended((await house.apply(good.server)).id);
    expect(undone).toMatchObject({ state: "ROLLED_BACK", server_is: "as_before", code: "verify.mismatch" });
    expect(await listQuarantines(house.database, good.server)).toMatchObject([
      { code: "verify.mismatch", transient: false, name: "web" },
    ]);
    const broken = await house.ended((await house.apply(bad.server)).id);
    expect(broken).toMatchObject({ state: "FAILED", effect: "restore_failed", server_is: "mixed" });
    expect((await house.readServer(bad.server)).locked_code).toBe("server.restore_failed");
    // A locked server takes nothing until somebody has looked.
    const next = await house.apply(bad.server);
    expect(await house.do((tx) => claimNext(tx, one.id, [bad.server], house.by))).toBeUndefined();
    expect((await house.read(next.id)).state).toBe("READY");
  });
});

test("a change that cuts the wire is undone by the server itself, and nobody is quarantined for silence", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one, { windowMs: 1_200 });
    agent.isCutWhileLive = true;
    const apply = await house.apply(server, { windowSeconds: 1 });
    const ended = await house.ended(apply.id);
    expect(ended).toMatchObject({ state: "ROLLED_BACK", server_is: "as_before", code: "trial.deadline" });
    expect(agent.ledger.live).toBe("found");
    expect(await listQuarantines(house.database, server)).toEqual([]);
  });
});

test("a probe that passed before and fails during the trial undoes; one that never passed says nothing", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one);
    house.inbound.see = () => (agent.ledger.live === "found" ? "open" : "closed");
    const undone = await house.ended((await house.apply(server, { probes: [SSH] })).id);
    expect(undone).toMatchObject({
      state: "ROLLED_BACK",
      code: "apply.probe_failed",
      message: "passed before the change and fails now: ssh",
    });
    expect(await listQuarantines(house.database, server)).toMatchObject([
      { code: "apply.probe_failed", transient: true },
    ]);
    house.inbound.see = () => "closed";
    const applied = await house.ended((await house.apply(server, { probes: [SSH] })).id);
    expect(applied.state).toBe("APPLIED");
  });
});

test("a person confirms where the floor says so; aborting is possible until then", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one);
    const first = await house.apply(server, { touches: true, person: true });
    await house.until(first.id, (row) => row.phase === "on_trial");
    expect(agent.calls).not.toContain("confirm");
    await house.wish(first.id, "confirm");
    expect(await house.ended(first.id)).toMatchObject({ state: "APPLIED" });
    const second = await house.apply(server, { touches: true, person: true });
    await house.until(second.id, (row) => row.phase === "on_trial");
    await house.wish(second.id, "abort", "wrong server");
    expect(await house.ended(second.id)).toMatchObject({
      state: "ROLLED_BACK",
      code: "apply.aborted",
      message: "wrong server",
    });
    expect((await house.readServer(server)).generation).toBe(1);
    expect(await listQuarantines(house.database, server)).toEqual([]);
  });
});

test("an abort while the server is busy changing does not wait for the answer of Execute", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one);
    let goOn = (): void => undefined;
    agent.pauseInStep = new Promise((resolve) => {
      goOn = resolve;
    });
    const apply = await house.apply(server);
    await house.until(apply.id, (row) => row.phase === "armed");
    await house.wish(apply.id, "abort");
    const ended = await house.ended(apply.id);
    expect(ended).toMatchObject({ state: "ROLLED_BACK", code: "apply.aborted" });
    goOn();
  });
});

test("an abort that comes too late: the server had confirmed, and the row says both", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one);
    const apply = await house.apply(server, { touches: true, person: true });
    await house.until(apply.id, (row) => row.phase === "on_trial");
    const [sent] = await house.sent(apply.id);
    agent.onCall = (method) => {
      // Somebody confirms on the server itself while the abort is on the wire.
      if (method === "abort")
        agent.ledger.confirm(
          { requestId: sent?.request_id ?? "", fence: agent.ledger.maxFence, nonce: sent?.nonce ?? "" },
          true,
          Date.now(),
        );
    };
    await house.wish(apply.id, "abort");
    expect(await house.ended(apply.id)).toMatchObject({
      state: "APPLIED",
      server_is: "as_requested",
      code: "apply.abort_lost",
    });
    expect((await house.readServer(server)).generation).toBe(1);
  });
});

test("an agent that takes no confirmation is asked less and less often, and undoes by its own clock", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one, { windowMs: 3_500 });
    agent.fault("confirm", ...Array.from({ length: 50 }, () => "lose_request" as const));
    const apply = await house.apply(server, { windowSeconds: 3 });
    expect(await house.ended(apply.id)).toMatchObject({
      state: "ROLLED_BACK",
      code: "trial.deadline",
      last_step: "firewall.batch",
    });
    // At once, after 1 s, after 2 s more.
    expect(agent.calls.filter((call) => call === "confirm").length).toBeLessThanOrEqual(3);
  });
});

test("a lie without the guard's signature is in doubt, never an outcome; a person may close it, and the server is locked", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one);
    agent.lie = TransactionPhase.FINALIZED;
    const apply = await house.apply(server);
    await house.until(apply.id, (row) => row.phase === "in_doubt");
    const fence = (await house.readServer(server)).fence;
    await house.wish(apply.id, "force_close", "the disk is gone");
    expect(await house.ended(apply.id)).toMatchObject({
      state: "FAILED",
      effect: "unknown",
      server_is: "unknown",
      code: "apply.force_closed",
      message: "the disk is gone",
    });
    const row = await house.readServer(server);
    expect(row.locked_code).toBe("server.state_unknown");
    expect(row.fence).toBeGreaterThan(fence);
  });
});

test("force close works without any session, and the server's late word is kept as evidence", async () => {
  await withSagaHouse(async (house) => {
    const one = await house.instance();
    const { server, agent } = await house.agent("web-1", one, { windowMs: 60_000 });
    agent.isCutWhileLive = true;
    const apply = await house.apply(server);
    await house.until(apply.id, (row) => row.fence !== null && row.phase !== "dispatched" && row.lease_owner === null);
    await house.wish(apply.id, "force_close");
    expect(await house.ended(apply.id)).toMatchObject({ state: "FAILED", effect: "unknown" });
    const [sent] = await house.sent(apply.id);
    expect(sent?.outcome).toBeNull();
    agent.ledger.undoNow("trial.no_session", Date.now());
    agent.isCutWhileLive = false;
    await expect.poll(async () => (await house.sent(apply.id))[0]?.outcome, { timeout: 10_000 }).toBe("reverted");
    await expect.poll(() => agent.ledger.outbox.size).toBe(0);
    expect((await house.read(apply.id)).state).toBe("FAILED");
  });
});
