import { applyDetailSchema } from "@holdfast/core/api/apply.ts";
import { type ChangeDetail, changeDetailSchema, rolloutSchema } from "@holdfast/core/api/change.ts";
/** What operators do day by day, on real servers: the console's and the command line's own API, real agents, the real kernel. */
import { liveStateSchema } from "@holdfast/core/api/server.ts";
import { policyText, PORTS, USUAL_RULES } from "@holdfast/testkit/house/documents.ts";
import type { HouseServer } from "@holdfast/testkit/house/house-server.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { ApiRefusal } from "@holdfast/testkit/operator/operator.ts";
import { tcpConnect } from "@holdfast/testkit/servers/probes.ts";
import { Flood, PersistentTcp } from "@holdfast/testkit/servers/traffic.ts";
import { ASK_API_EVERY_MS, until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applyPlanned, endOf, planOn } from "../one-apply.ts";

let house: House;
let close: () => Promise<void> = () => Promise.resolve();
beforeAll(async () => {
  house = await House.open({
    servers: [
      { name: "web-1", kind: "systemd" },
      { name: "nat-1", kind: "plain", behindNat: true },
    ],
  });
  close = () => house.close();
}, 240_000);
afterAll(() => close(), 60_000);

const rulesWith = (extra: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({
  ...USUAL_RULES,
  ...extra,
});

/** A second policy for the same server. */
const second = (server: string, port: number): string =>
  policyText({ server, inbound: { more: `allow: tcp/${port}, from: any` } }).replace(
    `name: host-${server}`,
    `name: more-${server}`,
  );

async function applied(server: HouseServer, text: string): Promise<{ change: ChangeDetail; applyId: string }> {
  const change = await planOn(house, server, text);
  const { applyId } = await applyPlanned(house, server, change);
  const end = await endOf(house, applyId);
  expect(end, JSON.stringify(end)).toMatchObject({ state: "APPLIED", server_is: "as_requested" });
  return { change, applyId };
}

async function refusalOf(act: Promise<unknown>): Promise<string> {
  try {
    await act;
    return "none";
  } catch (error) {
    if (error instanceof ApiRefusal) return error.code;
    throw error;
  }
}

test("a server that nobody can dial takes a change all the same", async () => {
  const server = house.server("nat-1");
  await applied(
    server,
    policyText({ server: server.name, inbound: rulesWith({ nat: "allow: tcp/20100, from: any" }) }),
  );
  expect(await server.ownTable()).toContain("tcp dport 20100");
});

test("a change is rolled back after APPLIED, and a later one stays; what the later one stands on is named", async () => {
  const server = house.server("web-1");
  const first = await applied(
    server,
    policyText({ server: server.name, inbound: rulesWith({ early: "allow: tcp/20001, from: any" }) }),
  );
  await applied(server, second(server.name, 20_002));
  const rollout = await house.operator.call("rollbackApply", {
    params: { id: first.applyId },
    body: {},
    answer: rolloutSchema,
  });
  await house.operator.waitRollout(rollout.id);
  const end = await house.operator.call("getApply", { params: { id: first.applyId }, answer: applyDetailSchema });
  expect(end).toMatchObject({ state: "ROLLED_BACK", serverIs: "as_before" });
  expect(end.transactions.map(({ kind, outcome }) => [kind, outcome])).toEqual([
    ["forward", "finalized"],
    ["rollback", "finalized"],
  ]);
  const table = await server.ownTable();
  expect(table).not.toContain("tcp dport 20001");
  expect(table).toContain("tcp dport 20002");
  expect(await tcpConnect(house.networks.visitor, server.address, PORTS.app)).toBe("open");

  const older = await applied(
    server,
    policyText({ server: server.name, inbound: rulesWith({ a: "allow: tcp/20003, from: any" }) }),
  );
  await applied(server, policyText({ server: server.name, inbound: rulesWith({ b: "allow: tcp/20004, from: any" }) }));
  const planned = await house.operator.call("planRollback", {
    params: { id: older.change.id },
    body: {},
    answer: changeDetailSchema,
  });
  const findings = planned.plans.flatMap((plan) => (plan.kind === "rollback" ? plan.findings : []));
  expect(findings.map(({ code }) => code)).toContain("rollback.built_upon");
});

test("what only lost its confirmation is tried again as it is; what cut people off is quarantined", async () => {
  const server = house.server("web-1");
  const change = await planOn(
    house,
    server,
    policyText({ server: server.name, inbound: rulesWith({ again: "allow: tcp/20010, from: any" }) }),
  );
  const gate = await server.gate();
  await gate.hold();
  const lost = await applyPlanned(house, server, change);
  await gate.passTo("step_begin", "step_done");
  await house.killControl();
  await gate.release();
  await gate.watch("reverted");
  await gate.close();
  await house.makeWhole();
  expect(await endOf(house, lost.applyId)).toMatchObject({ state: "ROLLED_BACK", server_is: "as_before" });
  const retried = await house.operator.call("retryApply", {
    params: { id: lost.applyId },
    body: {},
    answer: rolloutSchema,
  });
  await house.operator.waitRollout(retried.id);
  const after = await house.operator.call("getChange", { params: { id: change.id }, answer: changeDetailSchema });
  expect(after.applies.find(({ retryOf }) => retryOf === lost.applyId)).toMatchObject({
    state: "APPLIED",
    retryCount: 1,
  });
  expect(await server.ownTable()).toContain("tcp dport 20010");

  const { app: _closed, ...others } = USUAL_RULES;
  const cutting = policyText({ server: server.name, inbound: others, expectOpen: ["tcp/8080"] });
  const bad = await planOn(house, server, cutting);
  const undone = await applyPlanned(house, server, bad);
  expect(await endOf(house, undone.applyId)).toMatchObject({ state: "ROLLED_BACK", code: "apply.probe_failed" });
  expect(await tcpConnect(house.networks.visitor, server.address, PORTS.app)).toBe("open");
  const [again] = (await planOn(house, server, cutting)).plans;
  expect(again?.status).toBe("refused");
  expect(again?.findings.map(({ code }) => code)).toContain("plan.quarantined");
});

test("two applies at once on one server: the second is refused, the first is not disturbed", async () => {
  const server = house.server("web-1");
  const mine = await planOn(
    house,
    server,
    policyText({ server: server.name, inbound: rulesWith({ mine: "allow: tcp/20020, from: any" }) }),
  );
  const theirs = await planOn(house, server, second(server.name, 20_021));
  const gate = await server.gate();
  await gate.hold();
  const first = await applyPlanned(house, server, mine);
  await gate.passTo("prepared");
  expect(await refusalOf(house.operator.applyPlanned(theirs, [server.name]))).toBe("apply.server_busy");
  await gate.release();
  await gate.close();
  expect(await endOf(house, first.applyId)).toMatchObject({ state: "APPLIED" });
  const table = await server.ownTable();
  expect(table).toContain("tcp dport 20020");
  expect(table).not.toContain("tcp dport 20021");
});

test("what both the old and the new policy allow loses no packet, and no standing connection stalls or ends", async () => {
  const server = house.server("web-1");
  const target = { address: server.address, port: PORTS.app };
  const datagramPolicy = (port: number): string =>
    policyText({
      server: server.name,
      inbound: rulesWith({ echo: `allow: udp/${PORTS.app}, from: any`, moving: `allow: tcp/${port}, from: any` }),
    });
  await applied(server, datagramPolicy(20_030));
  // On a busy machine an answer takes its time; what was dropped never comes. So few that the sockets of a program which has to wait for the
  // processor for a second hold them all: what overflows there was not dropped by a firewall.
  const datagrams = await Flood.start(house.networks.visitor, {
    ...target,
    protocol: "udp",
    perSecond: 150,
    timeoutMs: 5_000,
  });
  const connections = await Flood.start(house.networks.visitor, {
    ...target,
    protocol: "tcp",
    perSecond: 50,
    timeoutMs: 10_000,
  });
  const standing = await PersistentTcp.start(house.networks.visitor, { ...target, everyMs: 20 });
  for (const port of [20_031, 20_032, 20_033]) await applied(server, datagramPolicy(port));
  const [udp, tcp, one] = [await datagrams.stop(), await connections.stop(), await standing.stop()];
  expect(udp.sent).toBeGreaterThan(100);
  expect(udp).toMatchObject({ lost: 0, errors: {} });
  expect(tcp.sent).toBeGreaterThan(30);
  expect(tcp).toMatchObject({ lost: 0, errors: {} });
  expect(one.state).toBe("open");
});

test("what somebody changes by hand is seen as drift, stops a plan that touches it, and is put back when asked", async () => {
  const server = house.server("web-1");
  await server.machine.must(["nft", "flush", "chain", "inet", "holdfast", "rules_inbound"]);
  await until(
    "the drift to be known",
    async () =>
      (await house.operator.servers()).find(({ name }) => name === server.name)?.drift.includes("firewall") ?? false,
    60_000,
    ASK_API_EVERY_MS,
  );
  const live = await house.operator.call("getServerLive", { params: { name: server.name }, answer: liveStateSchema });
  expect(live.domains.find(({ domain }) => domain === "firewall")).toBeDefined();
  const text = policyText({
    server: server.name,
    inbound: rulesWith({ echo: `allow: udp/${PORTS.app}, from: any`, moving: "allow: tcp/20034, from: any" }),
  });
  const change = await planOn(house, server, text);
  const [plan] = change.plans;
  expect(plan?.findings.map(({ code }) => code)).toContain("plan.overwrites_drift");
  const unread = house.operator.call("applyChange", {
    params: { id: change.id },
    body: { plans: [{ planId: plan?.id, planDigest: plan?.planDigest }], acknowledge: [] },
    answer: rolloutSchema,
  });
  expect(await refusalOf(unread)).toBe("change.danger_not_acknowledged");
  const { applyId } = await applyPlanned(house, server, change);
  expect(await endOf(house, applyId)).toMatchObject({ state: "APPLIED" });
  expect(await server.ownTable()).toContain("tcp dport 20034");
  expect(await tcpConnect(house.networks.visitor, server.address, PORTS.app)).toBe("open");
});
