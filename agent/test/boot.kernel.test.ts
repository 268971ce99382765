import { readFileSync, writeFileSync } from "node:fs";
import { transactionOf } from "@holdfast/core/ledger/fold.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { recoverConfirmed } from "../src/boot/recover-confirmed.ts";
import { settleBoot } from "../src/boot/settle-boot.ts";
import { Ledger } from "../src/ledger/ledger.ts";
import type { Log } from "../src/log/log.ts";
import { domainHands, type DomainHands } from "../src/module/domain-hands.ts";
import { systemClock, type Clock } from "../src/os/clock.ts";
import { KeptAnswers } from "../src/os/kept-answers.ts";
import { Nft } from "../src/os/nft.ts";
import type { UndoContext } from "../src/revert/undo-transaction.ts";
import { AgentUnderTest } from "./agent-under-test.ts";
import { makeNonce, makeRequestId } from "./commander.ts";
import { SYSTEM_FILE, VPN_FILE } from "./file-agent-main.ts";
import { fileDomain } from "./file-domain.ts";

let agent: AgentUnderTest;
let opened: Ledger[] = [];
beforeEach(() => {
  agent = new AgentUnderTest();
  opened = [];
});
afterEach(async () => {
  for (const ledger of opened) ledger.close();
  await agent.close();
});

const BEFORE = { system: "system before", vpn: "vpn before" };
const AFTER = { system: "system after", vpn: "vpn after" };
const nextBoot: Clock = { ...systemClock, bootId: () => "00000000-0000-4000-8000-00000000b007" };
const silent: Log = { info: () => undefined, warn: () => undefined, error: () => undefined, with: () => silent };

async function bootContext(): Promise<UndoContext> {
  const ledger = await Ledger.open(agent.paths.ledger, nextBoot);
  opened.push(ledger);
  const machine = { root: agent.root, nft: new Nft(`${agent.paths.run}/nft`), kept: new KeptAnswers(Date.now) };
  const domains = [fileDomain("system", SYSTEM_FILE, agent.root), fileDomain("vpn", VPN_FILE, agent.root)];
  const handsOf = (name: string): DomainHands | null => {
    const domain = domains.find((one) => one.name === name);
    return domain === undefined ? null : domainHands(domain, machine);
  };
  return { paths: agent.paths, ledger, log: silent, init: null, handsOf };
}

/** Lives up to a phase, then everything of ours dies at once. */
async function cutAt(phase: "prepared" | "on_trial" | "finalized"): Promise<string> {
  const [id, nonce] = [makeRequestId(), makeNonce()];
  await agent.startGuard();
  agent.nextFence();
  await agent.prepare(id, AFTER);
  if (phase !== "prepared") await agent.execute(id, nonce);
  if (phase === "finalized") await agent.confirm(id, nonce);
  await agent.killEverything();
  return id;
}

async function lastOf(id: string) {
  const one = transactionOf(await agent.ledger(), id);
  return { last: one?.last, code: one?.why?.code };
}

test("a power cut on trial: the next boot undoes before the network is up", async () => {
  const id = await cutAt("on_trial");
  expect(agent.server()).toEqual(AFTER);
  expect(await settleBoot(await bootContext(), { kind: "boot_unit" })).toEqual({ kind: "undone" });
  expect(agent.server()).toEqual(BEFORE);
  expect(await lastOf(id)).toEqual({ last: "reverted", code: "server.rebooted" });
});

test("a power cut after Prepare: nothing had changed, and that is said", async () => {
  const id = await cutAt("prepared");
  expect(await settleBoot(await bootContext(), { kind: "boot_unit" })).toEqual({ kind: "undone" });
  expect(await lastOf(id)).toEqual({ last: "reverted", code: "server.rebooted" });
  expect(transactionOf(await agent.ledger(), id)?.changed).toBe(false);
});

test("started again in the same boot, by no boot unit, it leaves the trial to the guard", async () => {
  const id = await cutAt("on_trial");
  expect(await settleBoot(await bootContext(), { kind: "boot_id", now: systemClock.bootId() })).toBeNull();
  expect(agent.server()).toEqual(AFTER);
  expect((await lastOf(id)).last).toBe("on_trial");
});

// I5.
test("what is confirmed is put into force again after something else loaded its own", async () => {
  await cutAt("finalized");
  agent.write(SYSTEM_FILE, "the distribution's own");
  agent.remove(VPN_FILE);
  expect(await recoverConfirmed(await bootContext())).toEqual({ ok: true, value: null });
  expect(agent.server()).toEqual(AFTER);
});

// I17.
test("confirmed and not yet finished when the power went: the next boot finishes it", async () => {
  const [id, nonce] = [makeRequestId(), makeNonce()];
  await agent.startGuard();
  agent.nextFence();
  await agent.prepare(id, AFTER);
  await agent.execute(id, nonce);
  agent.write("/gates/vpn.persist", "");
  const confirming = agent.confirm(id, nonce).catch(() => undefined);
  await agent.until(id, "confirmed");
  await agent.killEverything();
  await confirming;
  agent.remove("/gates/vpn.persist");
  const context = await bootContext();
  expect(await settleBoot(context, { kind: "boot_id", now: nextBoot.bootId() })).toBeNull();
  expect(await recoverConfirmed(context)).toEqual({ ok: true, value: null });
  expect((await lastOf(id)).last).toBe("finalized");
  expect(agent.server()).toEqual(AFTER);
});

test("recover leaves a trial alone", async () => {
  await cutAt("on_trial");
  expect(await recoverConfirmed(await bootContext())).toEqual({ ok: true, value: null });
  expect(agent.server()).toEqual(AFTER);
});

test("a damaged snapshot is found out: the last confirmed state takes its place", async () => {
  const first = makeRequestId();
  const nonce = makeNonce();
  await agent.startGuard();
  agent.nextFence();
  await agent.prepare(first, AFTER);
  await agent.execute(first, nonce);
  await agent.confirm(first, nonce);
  const second = makeRequestId();
  agent.nextFence();
  await agent.prepare(second, { system: "later", vpn: "later" });
  await agent.execute(second, makeNonce());
  await agent.killEverything();
  const path = `${agent.paths.snapshots}/${second}/transaction.json`;
  writeFileSync(path, readFileSync(path, "utf8").replace("system after", "system evil!"));
  expect(await settleBoot(await bootContext(), { kind: "boot_unit" })).toEqual({ kind: "undone" });
  expect(agent.server()).toEqual(AFTER);
});

test("a damaged snapshot and nothing confirmed: the server is locked, never guessed at", async () => {
  const id = await cutAt("on_trial");
  writeFileSync(`${agent.paths.snapshots}/${id}/transaction.json`, "{}");
  expect((await settleBoot(await bootContext(), { kind: "boot_unit" }))?.kind).toBe("failed");
  expect((await agent.ledger()).lock?.code).toBe("server.restore_failed");
  expect((await lastOf(id)).last).toBe("revert_failed");
});

test("a person on the server sees what is open, and undoes or confirms it without a control plane", async () => {
  const id = await cutAt("on_trial");
  const status = await agent.run(["status"]);
  expect(status.output).toContain("on trial: the change is live and not confirmed");
  expect((await agent.run(["confirm"])).output).toContain("a NEW connection");
  expect((await agent.run(["revert", "--yes"])).status).toBe(0);
  expect(agent.server()).toEqual(BEFORE);
  expect((await agent.run(["why"])).output).toContain("undone: the server is as it was before");
  expect((await agent.run(["revert", "--yes"])).status).toBe(1);
  expect((await lastOf(id)).code).toBe("operator.undone_on_server");
  const second = await cutAt("on_trial");
  const confirmed = await agent.run(["confirm", "--yes"]);
  expect(confirmed.status, confirmed.output).toBe(0);
  expect((await lastOf(second)).last).toBe("finalized");
});
