import { TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AgentUnderTest } from "./agent-under-test.ts";
import { makeNonce, makeRequestId } from "./commander.ts";
import { SYSTEM_FILE } from "./file-agent-main.ts";

let agent: AgentUnderTest;
beforeEach(async () => {
  agent = new AgentUnderTest();
  await agent.startGuard();
});
afterEach(() => agent.close());

const BEFORE = { system: "system before", vpn: "vpn before" };
const AFTER = { system: "system after", vpn: "vpn after" };

async function onTrial(wish: Parameters<AgentUnderTest["prepare"]>[1]): Promise<{ id: string; nonce: string }> {
  const [id, nonce] = [makeRequestId(), makeNonce()];
  agent.nextFence();
  expect((await agent.prepare(id, wish)).phase).toBe(TransactionPhase.PREPARED);
  const executed = await agent.execute(id, nonce);
  expect(executed).toMatchObject({ phase: TransactionPhase.ON_TRIAL, serverIs: "as_requested" });
  return { id, nonce };
}

test("a change is prepared, executed, confirmed on a fresh session and finished, with a receipt", async () => {
  const { id, nonce } = await onTrial(AFTER);
  expect(agent.server()).toEqual(AFTER);
  const done = await agent.confirm(id, nonce);
  expect(done).toMatchObject({ phase: TransactionPhase.FINALIZED, serverIs: "as_requested", generation: 1n });
  expect(JSON.parse(done.receipt?.body ?? "")).toMatchObject({
    request_id: id,
    outcome: "finalized",
    generation: 1,
    server_id: agent.serverId,
  });
  expect(done.entries.map((entry) => entry.kind)).toEqual([
    "prepared",
    "armed",
    "step_begin",
    "step_done",
    "step_begin",
    "step_done",
    "on_trial",
    "confirmed",
    "finalized",
  ]);
  const { outcomes } = await agent.guard().outbox({});
  expect(outcomes.map((one) => one.requestId)).toEqual([id]);
  await agent.guard().acknowledge({ requestIds: [id] });
  expect((await agent.guard().outbox({})).outcomes).toEqual([]);
  const state = await agent.guard().getState({});
  expect(state).toMatchObject({ generation: 1n, confirmedRequestId: id, lockedCode: "" });
  expect(state.domains.map(({ domain, drift }) => [domain, drift])).toEqual([
    ["system", false],
    ["vpn", false],
  ]);
  agent.write(SYSTEM_FILE, "changed by hand");
  expect((await agent.guard().getState({})).domains.find(({ domain }) => domain === "system")?.drift).toBe(true);
});

// I11.
test("the same messages again are answered with what became of them, and nothing is done twice", async () => {
  const { id, nonce } = await onTrial(AFTER);
  await agent.confirm(id, nonce);
  agent.write(SYSTEM_FILE, "touched since");
  for (const again of [await agent.execute(id, nonce), await agent.confirm(id, nonce), await agent.abort(id)]) {
    expect(again.phase).toBe(TransactionPhase.FINALIZED);
  }
  expect(agent.server().system).toBe("touched since");
});

test("an abort puts every domain back and says so only after reading back", async () => {
  const { id } = await onTrial(AFTER);
  const undone = await agent.abort(id);
  expect(undone).toMatchObject({ phase: TransactionPhase.REVERTED, code: "operator.abort", serverIs: "as_before" });
  expect(agent.server()).toEqual(BEFORE);
});

test("nobody confirms: the server undoes by itself", async () => {
  const { id } = await onTrial({ ...AFTER, windowSeconds: 1 });
  await agent.until(id, "reverted");
  expect(agent.server()).toEqual(BEFORE);
  expect((await agent.guard().getTransaction({ requestId: id })).code).toBe("trial.deadline");
});

test("no new session in the reconnect time: the server undoes without waiting for the deadline", async () => {
  const { id } = await onTrial({ ...AFTER, windowSeconds: 60, reconnectSeconds: 1 });
  await agent.until(id, "reverted");
  expect((await agent.guard().getTransaction({ requestId: id })).code).toBe("trial.no_reconnect");
  expect(agent.server()).toEqual(BEFORE);
});

test("with a new session the reconnect time does not matter any more", async () => {
  const { id, nonce } = await onTrial({ ...AFTER, windowSeconds: 60, reconnectSeconds: 1 });
  await agent.guard().sessionEstablished({ sessionMonotonicNs: process.hrtime.bigint() });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect((await agent.confirm(id, nonce)).phase).toBe(TransactionPhase.FINALIZED);
});

// I7, I19.
test("S17: a confirm over an old session, with a wrong nonce or an old fence is refused and changes nothing", async () => {
  const old = process.hrtime.bigint();
  const { id, nonce } = await onTrial(AFTER);
  await expect(agent.confirm(id, nonce, old)).rejects.toThrow("guard.session_not_fresh");
  await expect(agent.confirm(id, makeNonce())).rejects.toThrow("guard.nonce");
  const stale = agent.command(id, { case: "confirm", value: { nonce } }, { fence: 0n });
  await expect(agent.submit(stale, process.hrtime.bigint())).rejects.toThrow("command.unreadable");
  agent.nextFence();
  expect((await agent.confirm(id, nonce)).phase).toBe(TransactionPhase.FINALIZED);
  const zombie = agent.command(makeRequestId(), { case: "abort", value: { code: "x", message: "" } }, { fence: 1n });
  expect((await agent.submit(zombie)).phase).toBe(TransactionPhase.UNKNOWN);
});

test("somebody changes the server during the trial: the confirm is refused and all of it undone", async () => {
  const { id, nonce } = await onTrial(AFTER);
  agent.write("/etc/swanctl/conf.d/holdfast.conf", "by hand");
  expect(await agent.confirm(id, nonce)).toMatchObject({ phase: TransactionPhase.REVERTED, code: "verify.mismatch" });
  expect(agent.server()).toEqual(BEFORE);
});

test("a step that fails undoes the steps before it", async () => {
  const [id, nonce] = [makeRequestId(), makeNonce()];
  agent.nextFence();
  await agent.prepare(id, AFTER);
  // Nothing can be renamed onto a folder; the snapshot was taken before.
  agent.remove("/etc/swanctl/conf.d");
  agent.write("/etc/swanctl/conf.d", "a file where a folder belongs");
  const executed = await agent.execute(id, nonce);
  expect(executed.phase).toBe(TransactionPhase.REVERT_FAILED);
  expect(agent.server().system).toBe("system before");
  const state = await agent.guard().getState({});
  expect(state.lockedCode).toBe("server.restore_failed");
  const next = makeRequestId();
  agent.nextFence();
  expect(await agent.prepare(next, { system: "more" })).toMatchObject({
    phase: TransactionPhase.REFUSED,
    code: "server.restore_failed",
  });
  await agent.submit(agent.command(next, { case: "release", value: { reason: "repaired" } }));
  expect((await agent.guard().getState({})).lockedCode).toBe("");
});

test("a module that lies about success is found out by reading back at confirm", async () => {
  const [id, nonce] = [makeRequestId(), makeNonce()];
  agent.nextFence();
  await agent.prepare(id, AFTER);
  agent.write("/lies/system.verify", "");
  await agent.execute(id, nonce);
  agent.write(SYSTEM_FILE, "something else");
  expect(await agent.confirm(id, nonce)).toMatchObject({
    phase: TransactionPhase.REVERTED,
    code: "verify.changed_on_trial",
  });
  expect(agent.server()).toEqual(BEFORE);
});

test("what is wrong is refused before anything changes, as an outcome with a receipt", async () => {
  agent.nextFence();
  const invalid = await agent.prepare(makeRequestId(), { system: "invalid" });
  expect(invalid).toMatchObject({ phase: TransactionPhase.REFUSED, code: "system.refused", serverIs: "as_before" });
  expect(invalid.receipt?.signature.length).toBe(64);
  agent.nextFence();
  const config = agent.config(AFTER);
  const plan = await agent.guard().plan(config);
  agent.write(SYSTEM_FILE, "moved meanwhile");
  const moved = agent.command(makeRequestId(), {
    case: "prepare",
    value: { kind: "forward", ...config, planDigest: plan.planDigest, baseGeneration: 0n },
  });
  expect(await agent.submit(moved)).toMatchObject({ phase: TransactionPhase.REFUSED, code: "plan.moved" });
});

test("S28: the server's own floor cannot be talked away, what only the policy's floor says can", async () => {
  agent.nextFence();
  expect((await agent.prepare(makeRequestId(), { system: "cut" })).phase).toBe(TransactionPhase.PREPARED);
  agent.write(
    "/etc/holdfast/floor.json",
    JSON.stringify({ controlPlane: [{ address: "192.0.2.9", port: 7081 }], inbound: [] }),
  );
  agent.nextFence();
  expect(await agent.prepare(makeRequestId(), { system: "cut" })).toMatchObject({
    phase: TransactionPhase.REFUSED,
    code: "system.local_floor_cut",
  });
});

test("drift on items of the plan is refused unless the plan says overwrite", async () => {
  const { id, nonce } = await onTrial(AFTER);
  await agent.confirm(id, nonce);
  agent.write(SYSTEM_FILE, "by hand");
  const config = agent.config({ ...AFTER, system: "newer" });
  const plan = await agent.guard().plan(config);
  expect(plan.drift).toEqual(["system: text"]);
  const value = { kind: "forward", ...config, planDigest: plan.planDigest, baseGeneration: 1n };
  agent.nextFence();
  expect(await agent.submit(agent.command(makeRequestId(), { case: "prepare", value }))).toMatchObject({
    phase: TransactionPhase.REFUSED,
    code: "plan.drift",
  });
  agent.nextFence();
  const allowed = agent.command(makeRequestId(), { case: "prepare", value: { ...value, overwriteDrift: true } });
  expect((await agent.submit(allowed)).phase).toBe(TransactionPhase.PREPARED);
});

test("fences: a lower one is refused, a second open transaction is busy, a tombstone answers for ever", async () => {
  const { id } = await onTrial(AFTER);
  agent.nextFence();
  await expect(agent.prepare(makeRequestId(), { system: "x" })).rejects.toThrow("guard.busy");
  await agent.abort(id);
  const never = makeRequestId();
  agent.nextFence();
  expect(await agent.abort(never)).toMatchObject({ phase: TransactionPhase.REFUSED, code: "operator.abort" });
  expect((await agent.prepare(never, AFTER)).phase).toBe(TransactionPhase.REFUSED);
  await expect(agent.prepare(makeRequestId(), AFTER)).rejects.toThrow("guard.fence_stale");
  expect(agent.server()).toEqual(BEFORE);
});

test("S12: commands of another key, for another server, expired or changed on the way are refused", async () => {
  agent.nextFence();
  const abort = { case: "abort", value: { code: "x", message: "" } } as const;
  const elsewhere = agent.command(makeRequestId(), abort, { serverId: makeRequestId() });
  await expect(agent.submit(elsewhere)).rejects.toThrow("command.wrong_server");
  await expect(agent.submit(agent.command(makeRequestId(), abort, { expiresAtMs: 1n }))).rejects.toThrow(
    "command.expired",
  );
  const good = agent.command(makeRequestId(), abort);
  await expect(agent.submit({ ...good, keyId: "0".repeat(16) })).rejects.toThrow("command.signature");
  const bytes = Uint8Array.from(good.command);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await expect(agent.submit({ ...good, command: bytes })).rejects.toThrow("command.signature");
  expect((await agent.ledger()).transactions).toEqual([]);
});

test("what leaves a config is taken away, in reverse order, and comes back with the undo", async () => {
  const first = await onTrial(AFTER);
  await agent.confirm(first.id, first.nonce);
  const second = await onTrial({ system: "system after" });
  expect(agent.server()).toEqual({ system: "system after", vpn: null });
  await agent.abort(second.id);
  expect(agent.server()).toEqual(AFTER);
});
