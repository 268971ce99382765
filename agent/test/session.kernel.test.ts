import { verify } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { SIGNED_TEXT } from "@holdfast/proto/wire/session.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readCredentials } from "../src/session/credentials.ts";
import { isDueForRenewal, renew } from "../src/session/renew.ts";
import { readIdentity } from "../src/settings.ts";
import { AgentUnderTest } from "./agent-under-test.ts";
import { makeNonce, makeRequestId } from "./commander.ts";
import { ControlPlaneDouble, SERVER_ID } from "./control-plane-double.ts";

let agent: AgentUnderTest;
let control: ControlPlaneDouble;
beforeEach(async () => {
  agent = new AgentUnderTest();
  agent.remove("/var/lib/holdfast/enrolment.json");
  agent.remove("/var/lib/holdfast/receipt.key");
  control = new ControlPlaneDouble();
  await control.listen();
});
afterEach(async () => {
  await agent.close();
  await control.close();
});

const enroll = (more: readonly string[] = []) =>
  agent.run([
    "enroll",
    "--control",
    `127.0.0.1:${control.port}`,
    "--ca-fingerprint",
    control.fingerprint,
    "--token",
    "once",
    "--management-network",
    "192.0.2.0/24",
    ...more,
  ]);

test("S7: enrolment: keys made here, certificate fetched, waits for approval, files with narrow modes", async () => {
  control.pendingAnswers = 1;
  const enrolled = await enroll();
  expect(enrolled.status, enrolled.output).toBe(0);
  expect(enrolled.output).toContain("Let them compare this fingerprint");
  expect(enrolled.output).toContain("Enrolled as web-1");
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
  expect(mode(agent.paths.receiptKey)).toBe("600");
  expect(mode(join(agent.paths.session, "tls.pem"))).toBe("600");
  expect(mode(agent.paths.session)).toBe("700");
  expect(JSON.parse(readFileSync(agent.paths.enrolment, "utf8"))).toMatchObject({
    serverId: SERVER_ID,
    controlPlane: { host: "127.0.0.1", port: control.port },
  });
  expect(JSON.parse(readFileSync(agent.paths.floor, "utf8"))).toEqual({
    controlPlane: [{ address: "127.0.0.1", port: control.port }],
    inbound: [{ networks: ["192.0.2.0/24"], tcpPorts: [22] }],
  });
  expect((await enroll()).output).toContain("enrolled already");
});

test("S9: the token is not sent to a peer of another authority, nor to one in another role", async () => {
  const wrong = await agent.run([
    "enroll",
    "--control",
    `127.0.0.1:${control.port}`,
    "--ca-fingerprint",
    "0".repeat(64),
    "--token",
    "once",
  ]);
  expect(wrong.status).toBe(1);
  expect(wrong.output).toContain("Somebody may stand between");
  const impostor = new ControlPlaneDouble("holdfast:role:agent");
  await impostor.listen();
  const asked = await agent.run([
    "enroll",
    "--control",
    `127.0.0.1:${impostor.port}`,
    "--ca-fingerprint",
    impostor.fingerprint,
    "--token",
    "once",
  ]);
  expect(asked.output).toContain("is not the control plane");
  expect(impostor.receiptKey).toBeNull();
  await impostor.close();
});

test("a whole apply over the dialled wire: fresh session after the change, receipt that verifies, outbox until acknowledged", async () => {
  await enroll();
  agent.start(["run"]);
  const first = await control.session(0);
  const described = await first.describe({});
  expect(described).toMatchObject({ serverId: SERVER_ID, init: "plain" });
  expect(described.domains.filter((domain) => domain.available).map((domain) => domain.domain)).toEqual([
    "system",
    "vpn",
  ]);
  const config = agent.config({ system: "over the wire" });
  const plan = await first.plan(config);
  const [id, nonce] = [makeRequestId(), makeNonce()];
  const prepare = { kind: "forward", ...config, planDigest: plan.planDigest, baseGeneration: 0n };
  expect((await first.prepare(control.command(id, 1n, { case: "prepare", value: prepare }))).phase).toBe(
    TransactionPhase.PREPARED,
  );
  const executed = await first.execute(control.command(id, 1n, { case: "execute", value: { nonce } }));
  expect(executed).toMatchObject({ phase: TransactionPhase.ON_TRIAL, sessionIsFresh: false });
  // E2: the connection over which Execute went is closed by the agent, and another one comes.
  const second = await control.session(1);
  await control.sessions[0]?.closed;
  expect(await second.getTransaction({ requestId: id })).toMatchObject({
    phase: TransactionPhase.ON_TRIAL,
    sessionIsFresh: true,
  });
  const done = await second.confirm(control.command(id, 1n, { case: "confirm", value: { nonce } }));
  expect(done.phase).toBe(TransactionPhase.FINALIZED);
  const receipt = Buffer.from(SIGNED_TEXT.receipt + (done.receipt?.body ?? ""));
  expect(
    control.receiptKey !== null &&
      verify(null, receipt, control.receiptKey, done.receipt?.signature ?? new Uint8Array()),
  ).toBe(true);
  const watch = second.watch({});
  for await (const { event } of watch) {
    if (event.case !== "outcome") continue;
    expect(event.value.requestId).toBe(id);
    break;
  }
  await second.acknowledge({ requestIds: [id] });
  expect(agent.server().system).toBe("over the wire");
});

test("the control plane crashes on trial: the agent dials again and again, and undoes when nobody comes", async () => {
  await enroll();
  agent.start(["run"]);
  const first = await control.session(0);
  const config = agent.config({ system: "lost", windowSeconds: 60, reconnectSeconds: 2 });
  const plan = await first.plan(config);
  const id = makeRequestId();
  await first.prepare(
    control.command(id, 1n, {
      case: "prepare",
      value: { kind: "forward", ...config, planDigest: plan.planDigest, baseGeneration: 0n },
    }),
  );
  const executing = first
    .execute(control.command(id, 1n, { case: "execute", value: { nonce: makeNonce() } }))
    .catch(() => undefined);
  await agent.until(id, "step_begin", "step_done", "on_trial");
  const { port } = control;
  await control.crash();
  await executing;
  await agent.until(id, "reverted");
  expect(agent.server().system).toBe("system before");
  await control.listen(port);
  const later = await control.session(control.sessions.length);
  expect(await later.getTransaction({ requestId: id })).toMatchObject({
    phase: TransactionPhase.REVERTED,
    code: "trial.no_reconnect",
  });
});

test("a floor that is lost is put back as soon as a module says that something moved, with no control plane there", async () => {
  agent.write("/etc/holdfast/agent.json", JSON.stringify({ driftSeconds: 86_400 }));
  await enroll();
  agent.start(["run"]);
  const first = await control.session(0);
  const config = agent.config({ system: "confirmed", whenFloorLost: "repair" });
  const plan = await first.plan(config);
  const [id, nonce] = [makeRequestId(), makeNonce()];
  const value = { kind: "forward", ...config, planDigest: plan.planDigest, baseGeneration: 0n };
  await first.prepare(control.command(id, 1n, { case: "prepare", value }));
  await first.execute(control.command(id, 1n, { case: "execute", value: { nonce } }));
  const second = await control.session(1);
  const done = await second.confirm(control.command(id, 1n, { case: "confirm", value: { nonce } }));
  expect(done.phase).toBe(TransactionPhase.FINALIZED);
  const { port } = control;
  await control.crash();
  agent.remove("/etc/motd");
  writeFileSync(agent.paths.movedFile("system"), "");
  await expect.poll(() => agent.server().system, { timeout: 20_000 }).toBe("confirmed");
  // Whoever comes next is told, although nobody was there.
  await control.listen(port);
  const later = await control.session(control.sessions.length);
  const { domains } = await later.getState({});
  expect(domains.find(({ domain }) => domain === "system")).toMatchObject({
    drift: false,
    floor: { lost: [], whenLost: "repair", gaveUp: false, repairs: [{ failure: "" }] },
  });
});

test("the session may be killed at any time: another one dials, and the guard does not notice", async () => {
  await enroll();
  await agent.startGuard();
  const session = agent.start(["session"]);
  const first = await control.session(0);
  expect((await first.getState({})).generation).toBe(0n);
  await agent.kill(session);
  agent.start(["session"]);
  const second = await control.session(1);
  expect((await second.getState({})).generation).toBe(0n);
});

test("a certificate is renewed for a fresh key, over a connection of its own, from half life on", async () => {
  await enroll();
  const [identity, before] = [readIdentity(agent.paths), readCredentials(agent.paths)];
  if (!identity.ok || !before.ok) throw new Error("not enrolled");
  const { notBeforeMs, notAfterMs } = before.value;
  expect(isDueForRenewal(before.value, notBeforeMs + 1)).toBe(false);
  expect(isDueForRenewal(before.value, (notBeforeMs + notAfterMs) / 2)).toBe(true);
  expect(await renew(agent.paths, identity.value, before.value)).toEqual({ ok: true, value: null });
  expect(control.renewals).toBe(1);
  const after = readCredentials(agent.paths);
  expect(after.ok && after.value.keyPem !== before.value.keyPem).toBe(true);
  // And the new pair is one: a session over it stands.
  await agent.startGuard();
  agent.start(["session"]);
  expect((await (await control.session(0)).describe({})).serverId).toBe(SERVER_ID);
});

test("probes open new connections from the server and say what came of them", async () => {
  await enroll();
  await agent.startGuard();
  agent.start(["session"]);
  const host = await control.session(0);
  const target = { protocol: "tcp", address: "127.0.0.1", timeoutMs: 1_000 };
  const { outcomes } = await host.probe({
    targets: [
      { id: "open", ...target, port: control.port },
      { id: "shut", ...target, port: 1 },
      { id: "name", ...target, address: "localhost", port: 80 },
    ],
  });
  expect(outcomes.map(({ id, result }) => [id, result])).toEqual([
    ["open", "open"],
    ["shut", "closed"],
    ["name", "closed"],
  ]);
});
