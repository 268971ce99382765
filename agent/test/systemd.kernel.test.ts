import { setTimeout as sleep } from "node:timers/promises";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeNonce, makeRequestId } from "./commander.ts";
import { lettingIn } from "./firewall-stage.ts";
import { SystemdAgent } from "./systemd-agent.ts";

let lab: Lab;
let server: LabServer;
let agent: SystemdAgent;

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfa-${process.pid}` });
  server = lab.server({ name: "web", kind: "systemd", enable: ["nftables"], attachments: [] });
  await server.start();
  agent = new SystemdAgent(server);
  await agent.install();
});
afterAll(async () => {
  agent.letGo();
  await lab.close();
});

async function onTrial(wish: Json, windowSeconds: number): Promise<{ id: string; nonce: string }> {
  const [id, nonce] = [makeRequestId(), makeNonce()];
  const prepared = await agent.prepare(id, wish, { windowSeconds, reconnectSeconds: windowSeconds });
  expect(prepared).toMatchObject({ phase: TransactionPhase.PREPARED, code: "" });
  expect(await agent.execute(id, nonce)).toMatchObject({ phase: TransactionPhase.ON_TRIAL, code: "" });
  return { id, nonce };
}

test("a firewall is applied, confirmed, in force after a reboot and after nftables.service flushed everything", async () => {
  const { id, nonce } = await onTrial(lettingIn(80), 60);
  expect(await agent.table()).toContain("80");
  expect((await agent.confirm(id, nonce)).phase).toBe(TransactionPhase.FINALIZED);
  const confirmed = await agent.table();
  const timers = await server.must(["systemctl", "list-timers", "--all", "--no-legend", "holdfast-revert*"]);
  expect(timers.trim()).toBe("");
  agent.letGo();
  await server.reboot();
  expect(await agent.table()).toBe(confirmed);
  await server.must(["systemctl", "restart", "nftables.service", "holdfast-recover.service"]);
  expect(await agent.table()).toBe(confirmed);
});

test("a small edit that takes most of the rules away is a danger that somebody must accept", async () => {
  const trial = { windowSeconds: 60, reconnectSeconds: 60 };
  const many = Array.from({ length: 30 }, (_, at) => 7000 + at);
  const { id, nonce } = await onTrial(lettingIn(80, ...many), 60);
  expect((await agent.confirm(id, nonce)).phase).toBe(TransactionPhase.FINALIZED);
  const codes = async (...ports: readonly number[]): Promise<readonly string[]> =>
    (await agent.findings({ firewall: lettingIn(...ports) }, trial)).map(({ code }) => code);
  expect(await codes(80)).toContain("plan.removes_much");
  expect(await codes(80, ...many.slice(1))).not.toContain("plan.removes_much");
  const back = await onTrial(lettingIn(80), 60);
  expect((await agent.confirm(back.id, back.nonce)).phase).toBe(TransactionPhase.FINALIZED);
});

test("an abort kills the module, puts the table back and lets the module serve again", async () => {
  const before = await agent.table();
  const { id } = await onTrial(lettingIn(80, 443), 60);
  expect(await agent.table()).not.toBe(before);
  expect((await agent.abort(id)).phase).toBe(TransactionPhase.REVERTED);
  expect(await agent.table()).toBe(before);
  expect((await (await agent.guard()).getState({})).domains.find(({ domain }) => domain === "firewall")).toMatchObject({
    error: "",
    drift: false,
  });
});

// I8, I18.
test("guard killed for good on trial, systemd reloaded twice a second: PID 1 undoes at the deadline all the same", async () => {
  const before = await agent.table();
  const { id } = await onTrial(lettingIn(8443), 1);
  await server.must(["systemctl", "mask", "--runtime", "holdfast-guard.service"]);
  await server.must(["systemctl", "stop", "holdfast-guard.socket"]);
  await server.killUnit("holdfast-guard.service");
  agent.letGo();
  expect(await agent.table()).toContain("8443");
  const shown = await server.must([
    "systemctl",
    "show",
    "--property=NextElapseUSecMonotonic,AccuracyUSec",
    `holdfast-revert@${id}.timer`,
  ]);
  expect(shown).toContain("AccuracyUSec=100ms");
  // The steps' whole budget and the window: the second owner's time. A reload each half second must not put it off.
  const giveUpAt = performance.now() + 60_000;
  while ((await agent.table()) !== before && performance.now() < giveUpAt) {
    await server.must(["systemctl", "daemon-reload"]);
    await sleep(500);
  }
  expect(await agent.table()).toBe(before);
  expect(await agent.story()).toContain("trial.deadline");
  await server.must(["systemctl", "unmask", "--runtime", "holdfast-guard.service"]);
  await server.must(["systemctl", "start", "holdfast-guard.socket"]);
});

test("power cut on trial: the next boot undoes before the network is up, and says why", async () => {
  const before = await agent.table();
  await onTrial(lettingIn(9999), 120);
  agent.letGo();
  await server.cut();
  await server.startAgain();
  expect(await agent.table()).toBe(before);
  expect(await agent.story()).toContain("server.rebooted");
});

test("the guard's socket lets in root and the agent's group, nobody else", async () => {
  const connect = (account: string): Promise<{ code: number | null }> =>
    server.exec([
      "setpriv",
      `--reuid=${account}`,
      `--regid=${account}`,
      "--clear-groups",
      "nc",
      "-z",
      "-U",
      "/run/holdfast/guard.sock",
    ]);
  expect((await connect("holdfast")).code).toBe(0);
  expect((await connect("nobody")).code).not.toBe(0);
  const modes = await server.must([
    "stat",
    "-c",
    "%a %U:%G %n",
    "/run/holdfast/guard.sock",
    "/run/holdfast/module-firewall.sock",
    "/var/lib/holdfast/ledger",
    "/var/lib/holdfast/snapshots",
  ]);
  expect(modes.trim().split("\n")).toEqual([
    "660 root:holdfast /run/holdfast/guard.sock",
    "600 root:root /run/holdfast/module-firewall.sock",
    "700 root:root /var/lib/holdfast/ledger",
    "700 root:root /var/lib/holdfast/snapshots",
  ]);
});
