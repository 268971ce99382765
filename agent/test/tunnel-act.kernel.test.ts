import { type Transaction, TransactionPhase } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { Lab } from "@holdfast/testkit/servers/lab.ts";
import type { LabServer } from "@holdfast/testkit/servers/server.ts";
import { useOwnDataPlane } from "@holdfast/testkit/servers/strongswan.ts";
import { until } from "@holdfast/testkit/until.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeNonce, makeRequestId } from "./commander.ts";
import { SystemdAgent } from "./systemd-agent.ts";
import { bothEnds, INSIDE, passes, vpnPair } from "./vpn-pair.ts";

/** An operator's acts on a tunnel between two real daemons: what each does, what refuses it, and what a second press of it does. */

interface End {
  readonly server: LabServer;
  readonly agent: SystemdAgent;
}

let lab: Lab;
let a: End;
let b: End;

const TRIAL = { windowSeconds: 100, reconnectSeconds: 100 };
/** This end begins, and the timer that begins it again would come between. */
const OPENS = ["vpn.act_opens_clear_text"];

beforeAll(async () => {
  lab = Lab.open({ prefix: `hfo-${process.pid}` });
  const pair = await vpnPair(lab);
  a = { server: pair.a, agent: new SystemdAgent(pair.a) };
  b = { server: pair.b, agent: new SystemdAgent(pair.b) };
  for (const { agent, server } of [a, b]) {
    await agent.install();
    await server.must(["systemctl", "disable", "--now", "holdfast-tend.timer"]);
  }
  // Without a word in the document, a tunnel that is ended lets clear text through: the danger that has to be said to have been read.
  const ends = bothEnds({ clearText: "allow" });
  const trials = [await onTrial(a, ends.a), await onTrial(b, ends.b)];
  await until("packets to pass", () => passes(b.server, INSIDE.b, INSIDE.a), 60_000);
  for (const [index, end] of [a, b].entries()) {
    const { id, nonce } = trials[index] ?? { id: "", nonce: "" };
    expect(await end.agent.confirm(id, nonce)).toMatchObject({ phase: TransactionPhase.FINALIZED });
  }
});
afterAll(async () => {
  a.agent.letGo();
  b.agent.letGo();
  await lab.close();
});

function words({ code, message }: Pick<Transaction, "code" | "message">): string {
  return `${code}: ${message}`;
}

async function onTrial(end: End, vpn: Parameters<SystemdAgent["prepareDomains"]>[1][string]) {
  const [id, nonce] = [makeRequestId(), makeNonce()];
  const prepared = await end.agent.prepareDomains(id, { vpn }, TRIAL);
  expect(prepared, words(prepared)).toMatchObject({ phase: TransactionPhase.PREPARED });
  const executed = await end.agent.execute(id, nonce);
  expect(executed, words(executed)).toMatchObject({ phase: TransactionPhase.ON_TRIAL });
  return { id, nonce };
}

/** Outcome and codes, the worst first. */
async function act(end: End, verb: string, of: string, acknowledged: readonly string[] = OPENS, tunnel = "pair") {
  const { answer } = await end.agent.tunnel(verb, of, acknowledged, tunnel);
  return [answer.outcome, ...answer.findings.map(({ code }) => code)];
}

async function sas(end: End): Promise<string> {
  return end.server.must(["swanctl", "--list-sas"]);
}

const ikeOf = (text: string): string | undefined => /holdfast-pair: #(\d+), ESTABLISHED/.exec(text)?.[1];
const childrenOf = (text: string): readonly string[] =>
  [...text.matchAll(/c-[0-9a-f]{16}: #(\d+),.* INSTALLED/g)].map((found) => found[1] ?? "");

async function upAgain(): Promise<void> {
  await until(
    "the tunnel to be agreed on both ends",
    async () => childrenOf(await sas(a)).length > 0 && childrenOf(await sas(b)).length > 0,
    60_000,
  );
}

test("asked what it would do, it says what is cut and what leaves in clear text, and does nothing", async () => {
  const before = await sas(b);
  const wish = { tunnel: "pair", act: "terminate", of: "ike", acknowledged: [] };
  const { outcome, findings } = await (await b.agent.guard()).previewTunnelAct(wish);
  expect(outcome).toBe("possible");
  expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
    "danger vpn.act_opens_clear_text",
    "warning vpn.act_cuts",
    "note vpn.act_comes_back",
  ]);
  expect(findings[1]?.message).toMatch(/packets between 10\.72\.0\.0\/24 and 10\.71\.0\.0\/24 leave unencrypted/);
  expect(ikeOf(await sas(b))).toBe(ikeOf(before));
});

test("a danger that nobody has said to have read refuses it; read, the tunnel is ended, and ending it twice is nothing", async () => {
  expect(await act(b, "terminate", "ike", [])).toEqual([
    "refused",
    "vpn.act_opens_clear_text",
    "vpn.act_cuts",
    "vpn.act_comes_back",
  ]);
  expect(ikeOf(await sas(b))).toBeDefined();
  const [outcome] = await act(b, "terminate", "ike");
  expect(outcome).toBe("done");
  expect(ikeOf(await sas(b))).toBeUndefined();
  expect(await act(b, "terminate", "ike")).toEqual(["nothing_to_do", "vpn.act_is_so"]);
  expect(await act(b, "rekey", "child")).toEqual(["refused", "vpn.act_nothing_agreed"]);
});

test("the end that knows the other's address begins it, the other one cannot, and beginning it twice is nothing", async () => {
  expect(await act(a, "initiate", "child")).toEqual(["refused", "vpn.act_other_end_begins"]);
  expect(await act(b, "initiate", "child")).toEqual(["done", "vpn.act_begins"]);
  expect(await passes(b.server, INSIDE.b, INSIDE.a)).toBe(true);
  expect(await act(b, "initiate", "child")).toEqual(["nothing_to_do", "vpn.act_is_so"]);
});

test("new keys of the child, then of the association: numbers change, packets pass", async () => {
  const before = await sas(b);
  expect(await act(b, "rekey", "child")).toEqual(["done", "vpn.act_renews"]);
  const between = await sas(b);
  expect(childrenOf(between)).not.toEqual(childrenOf(before));
  expect(ikeOf(between)).toBe(ikeOf(before));
  expect(await act(b, "rekey", "ike")).toEqual(["done", "vpn.act_renews"]);
  const after = await sas(b);
  expect(ikeOf(after)).not.toBe(ikeOf(before));
  expect(childrenOf(after)).toEqual(childrenOf(between));
  expect(await passes(b.server, INSIDE.b, INSIDE.a)).toBe(true);
});

test("the child alone is ended: what was agreed with the other end stays, and the child is begun again", async () => {
  const before = await sas(a);
  const { answer } = await a.agent.tunnel("terminate", "child", OPENS);
  expect(answer.outcome, answer.findings[0]?.message).toBe("done");
  const after = await sas(a);
  expect(ikeOf(after)).toBe(ikeOf(before));
  expect(childrenOf(after)).not.toEqual(childrenOf(before));
  // The other end was told, and its connection says that it begins again what was closed.
  await upAgain();
});

test("S12: the same signed command again is answered and not done again; once the guard has forgotten it, it is refused", async () => {
  const { signed, answer } = await b.agent.tunnel("rekey", "child");
  expect(answer.outcome).toBe("done");
  const children = childrenOf(await sas(b));
  const again = await (await b.agent.guard()).actOnTunnel({ command: signed });
  expect(again.outcome).toBe("done");
  b.agent.letGo();
  await b.server.must(["systemctl", "kill", "--kill-who=all", "--signal=KILL", "holdfast-guard.service"]);
  await expect((await b.agent.guard()).actOnTunnel({ command: signed })).rejects.toThrow("guard.fence_stale");
  expect(childrenOf(await sas(b))).toEqual(children);
});

test("while a transaction is open it is refused, and that one can be confirmed all the same", async () => {
  const trial = await onTrial(b, bothEnds({ clearText: "block" }).b);
  await upAgain();
  // A signed command with a fence above the transaction's: it must not keep the confirmation out.
  const { answer } = await b.agent.tunnel("terminate", "ike", OPENS, "pair", 1n);
  expect([answer.outcome, answer.findings[0]?.code]).toEqual(["refused", "vpn.act_transaction_open"]);
  expect(await b.agent.confirm(trial.id, trial.nonce)).toMatchObject({ phase: TransactionPhase.FINALIZED });
});

test("what the server's own floor protects is refused, whatever was read", async () => {
  const floor = { controlPlane: [], inbound: [{ networks: ["10.71.0.0/16"], tcpPorts: [22] }] };
  await b.server.writeFile("/etc/holdfast/floor.json", JSON.stringify(floor));
  const everything = [...OPENS, "vpn.act_cuts_management"];
  expect(await act(b, "terminate", "ike", everything)).toEqual(["refused", "vpn.local_floor_cut"]);
  await b.server.must(["rm", "/etc/holdfast/floor.json"]);
  expect(ikeOf(await sas(b))).toBeDefined();
});

test("a tunnel that is not in force, one that is not loaded, a daemon that is away: said, and nothing is done", async () => {
  expect(await act(b, "terminate", "ike", OPENS, "other")).toEqual(["refused", "vpn.act_no_tunnel"]);
  await b.server.writeFile("/run/empty.conf", "");
  await b.server.must(["swanctl", "--load-conns", "--file", "/run/empty.conf"]);
  expect(await act(b, "initiate", "child")).toEqual(["refused", "vpn.act_not_loaded"]);
  await b.server.must(["systemctl", "stop", "strongswan.service"]);
  expect(await act(b, "initiate", "child")).toEqual(["refused", "vpn.charon_down"]);
  await useOwnDataPlane(b.server, true);
});

test("the other end refuses, or is silent: the answer says which", async () => {
  await until(
    "strongSwan to have its tunnels again",
    async () => (await act(b, "rekey", "ike"))[1] !== "vpn.act_not_loaded",
    30_000,
  );
  // The other end forgets the tunnel: it hears the exchange and has nothing that fits.
  await act(b, "terminate", "ike");
  await a.server.must(["swanctl", "--load-conns", "--file", "/dev/null"]);
  const refused = await b.agent.tunnel("initiate", "child", OPENS);
  expect([refused.answer.outcome, refused.answer.findings[0]?.code]).toEqual(["failed", "vpn.act_refused_there"]);
  expect(refused.answer.findings[0]?.message).toMatch(/the other end refuses: [A-Z_]+/);
  await a.server.must(["systemctl", "stop", "strongswan.service"]);
  const silent = await b.agent.tunnel("initiate", "child", OPENS);
  expect([silent.answer.outcome, silent.answer.findings[0]?.code]).toEqual(["failed", "vpn.act_no_answer"]);
});
