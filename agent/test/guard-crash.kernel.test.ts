import type { ChildProcess } from "node:child_process";
import { transactionOf } from "@holdfast/core/ledger/fold.ts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rememberedProcess, isAlive } from "../src/os/processes.ts";
import { AgentUnderTest } from "./agent-under-test.ts";
import { makeNonce, makeRequestId } from "./commander.ts";

let agent: AgentUnderTest;
beforeEach(() => {
  agent = new AgentUnderTest();
});
afterEach(() => agent.close());

const BEFORE = { system: "system before", vpn: "vpn before" };
const AFTER = { system: "system after", vpn: "vpn after" };

/** The guard's records of one whole life, in order: the n-th one is the n-th fdatasync of the process. */
const RECORDS = [
  "prepared",
  "armed",
  "step_begin",
  "step_done",
  "step_begin",
  "step_done",
  "on_trial",
  "confirmed",
  "finalized",
] as const;

/** What the server ends as when the guard is killed while it writes that record, and another guard is started. */
const ENDS: Readonly<
  Record<
    (typeof RECORDS)[number],
    { readonly last: string; readonly code: string | null; readonly server: typeof BEFORE }
  >
> = {
  prepared: { last: "reverted", code: "operator.abort", server: BEFORE },
  armed: { last: "reverted", code: "guard.interrupted", server: BEFORE },
  step_begin: { last: "reverted", code: "guard.interrupted", server: BEFORE },
  step_done: { last: "reverted", code: "guard.interrupted", server: BEFORE },
  on_trial: { last: "reverted", code: "trial.deadline", server: BEFORE },
  confirmed: { last: "finalized", code: null, server: AFTER },
  finalized: { last: "finalized", code: null, server: AFTER },
};

function inject(what: string): readonly string[] {
  return ["strace", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", `inject=fdatasync:${what}`];
}

/** A whole life as far as it goes. */
async function live(id: string, windowSeconds = 2): Promise<void> {
  const nonce = makeNonce();
  agent.nextFence();
  try {
    await agent.prepare(id, { ...AFTER, windowSeconds, reconnectSeconds: windowSeconds });
    await agent.execute(id, nonce);
    await agent.confirm(id, nonce);
  } catch {
    // The guard is gone, or says that it cannot write: the ledger tells how far it came.
  }
}

async function lastOf(id: string): Promise<{ last: string | undefined; code: string | null }> {
  const one = transactionOf(await agent.ledger(), id);
  return { last: one?.last, code: one?.why?.code ?? null };
}

describe("the guard is killed while it writes", () => {
  test.each(RECORDS.map((record, index) => ({ record, at: index + 1 })))(
    "$record (write $at)",
    async ({ record, at }) => {
      const id = makeRequestId();
      const killed = await agent.startGuard(inject(`signal=SIGKILL:when=${at}`));
      await live(id);
      await ended(killed);
      await agent.startGuard();
      if (record === "prepared") await agent.abort(id);
      await agent.until(id, "reverted", "finalized");
      const { last, code, server } = ENDS[record];
      expect(await lastOf(id)).toEqual({ last, code });
      expect(agent.server()).toEqual(server);
      expect((await agent.guard().getState({})).lockedCode).toBe("");
    },
  );
});

describe("the disk fails the guard's write", () => {
  test.each(RECORDS.map((record, index) => ({ record, at: index + 1 })))(
    "once, at $record (write $at): the record goes into a new segment",
    async ({ at }) => {
      const id = makeRequestId();
      await agent.startGuard(inject(`error=EIO:when=${at}`));
      await live(id, 30);
      expect(await lastOf(id)).toEqual({ last: "finalized", code: null });
      expect(agent.server()).toEqual(AFTER);
    },
  );

  test.each(RECORDS.map((record, index) => ({ record, at: index + 1 })))(
    "from $record on (write $at): all old or all new, never between",
    async ({ at }) => {
      const id = makeRequestId();
      const guard = await agent.startGuard(inject(`error=EIO:when=${at}+`));
      await live(id, 2);
      await agent.kill(guard);
      await agent.startGuard();
      if ((await lastOf(id)).last === "prepared" || (await lastOf(id)).last === undefined) {
        agent.nextFence();
        await agent.abort(id);
      }
      const last = await agent.until(id, "reverted", "finalized", "refused");
      expect(agent.server()).toEqual(last === "finalized" ? AFTER : BEFORE);
    },
  );
});

test("guard killed on trial and never started again: the process that waits for the deadline undoes", async () => {
  const [id, nonce] = [makeRequestId(), makeNonce()];
  const guard = await agent.startGuard();
  agent.nextFence();
  await agent.prepare(id, { ...AFTER, windowSeconds: 1 });
  await agent.execute(id, nonce);
  await agent.kill(guard);
  const waiting = rememberedProcess(agent.paths.deadlineProcess(id));
  expect(waiting !== null && isAlive(waiting)).toBe(true);
  // Armed with the steps' whole budget; this only waits less for it.
  expect((await agent.run(["revert", id, "--after-ms", "200"])).status).toBe(0);
  expect(await lastOf(id)).toEqual({ last: "reverted", code: "trial.deadline" });
  expect(agent.server()).toEqual(BEFORE);
  expect(waiting !== null && isAlive(waiting)).toBe(false);
});

describe("the undo is killed", () => {
  test.each([1, 2])("while it writes record %i, and begins again", async (at) => {
    const id = await trialWithoutGuard();
    const killed = agent.start(["revert", id], inject(`signal=SIGKILL:when=${at}`));
    await ended(killed);
    expect((await agent.run(["revert", id])).status).toBe(0);
    expect((await lastOf(id)).last).toBe("reverted");
    expect(agent.server()).toEqual(BEFORE);
  });

  test("between two domains, and begins again", async () => {
    const id = await trialWithoutGuard();
    agent.write("/gates/system.restore", "");
    const killed = agent.start(["revert", id]);
    // The vpn domain is put back first, in reverse order.
    await expect.poll(() => agent.server().vpn, { timeout: 15_000 }).toBe(BEFORE.vpn);
    await agent.kill(killed);
    expect(agent.server().system).toBe(AFTER.system);
    agent.remove("/gates/system.restore");
    expect((await agent.run(["revert", id])).status).toBe(0);
    expect(agent.server()).toEqual(BEFORE);
  });
});

describe("a module is killed", () => {
  test.each(["plan", "verify"] as const)("while it is asked to %s", async (verb) => {
    const [id, nonce] = [makeRequestId(), makeNonce()];
    await agent.startGuard();
    agent.nextFence();
    if (verb === "plan") {
      agent.write("/gates/vpn.plan", "");
      const plan = agent.prepare(id, AFTER).catch((error: unknown) => error);
      await killModule("vpn");
      expect(await plan).toBeInstanceOf(Error);
      agent.remove("/gates/vpn.plan");
      expect(agent.server()).toEqual(BEFORE);
    } else {
      await agent.prepare(id, AFTER);
      agent.write("/gates/vpn.verify", "");
      const executed = agent.execute(id, nonce);
      await expect.poll(() => agent.server().vpn, { timeout: 15_000 }).toBe(AFTER.vpn);
      await agent.until(id, "step_done");
      await killModule("vpn");
      agent.remove("/gates/vpn.verify");
      expect((await executed).serverIs).toBe("as_before");
      expect(agent.server()).toEqual(BEFORE);
    }
  });
});

test("a module hangs in a step and the guard is gone: a person can still look, and the undo ends the module", async () => {
  const id = makeRequestId();
  const guard = await agent.startGuard();
  agent.nextFence();
  await agent.prepare(id, AFTER);
  // A module that was started again plans its step again, under the ledger's lock: there it stays.
  agent.write("/gates/vpn.plan", "");
  await killModule("vpn");
  const executed = agent.execute(id, makeNonce()).catch(() => undefined);
  await expect.poll(async () => transactionOf(await agent.ledger(), id)?.lastStep?.stepId).toBe("vpn.file");
  await new Promise((resolve) => setTimeout(resolve, 500));
  await agent.kill(guard);
  await executed;
  expect(agent.server()).toEqual({ ...BEFORE, system: AFTER.system });
  const status = await agent.run(["status"]);
  expect(status).toMatchObject({ status: 0, output: expect.stringContaining(id) });
  expect((await agent.run(["revert", id, "--after-ms", "0"])).status).toBe(0);
  expect(await lastOf(id)).toEqual({ last: "reverted", code: "trial.deadline" });
  expect(agent.server()).toEqual(BEFORE);
});

/** A module's process runs and has been asked: its pid file is there. */
async function killModule(domain: "vpn"): Promise<void> {
  await expect.poll(() => rememberedProcess(agent.paths.moduleProcess(domain)), { timeout: 15_000 }).not.toBeNull();
  const running = rememberedProcess(agent.paths.moduleProcess(domain));
  await new Promise((resolve) => setTimeout(resolve, 500));
  if (running !== null) process.kill(running.pid, "SIGKILL");
}

async function trialWithoutGuard(): Promise<string> {
  const [id, nonce] = [makeRequestId(), makeNonce()];
  const guard = await agent.startGuard();
  agent.nextFence();
  await agent.prepare(id, AFTER);
  await agent.execute(id, nonce);
  await agent.kill(guard);
  expect(agent.server()).toEqual(AFTER);
  return id;
}

function ended(child: ChildProcess): Promise<void> {
  return child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once("exit", () => resolve()));
}
