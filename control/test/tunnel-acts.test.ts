/** Acts on tunnels through API, database, signer and gateway: written down before they are sent, done once, and never guessed at. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { TunnelActResponseSchema } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { expect, test, vi } from "vitest";
import { forgottenActs } from "../src/reconcilers/forgotten-acts.ts";
import { newId } from "../src/store/new-id.ts";
import { sql } from "../src/store/sql.ts";
import { bodyOf, planned, policy } from "./api-changes.ts";
import { type ApiHouse, EVERYTHING, withApi } from "./api-house.ts";

vi.setConfig({ testTimeout: 60_000 });

const PARAMS = { name: "gw-1", tunnel: "pair" };
const finding = (severity: string, code: string) => ({
  severity,
  code,
  path: "vpn.tunnels.pair",
  message: code,
  remedy: "",
});
const CUTS = finding("warning", "vpn.act_cuts");
const OPENS = finding("danger", "vpn.act_opens_clear_text");

/** As a guard with a vpn module decides. */
const judged =
  (...findings: readonly ReturnType<typeof finding>[]) =>
  ({
    acknowledged,
  }: {
    readonly acknowledged: readonly string[];
  }): MessageInitShape<typeof TunnelActResponseSchema> => ({
    outcome: findings.some(({ severity, code }) => severity === "danger" && !acknowledged.includes(code))
      ? "refused"
      : "done",
    findings: [...findings],
  });

/** An answer, or the problem in its place. */
interface Said {
  readonly code?: string;
  readonly outcome?: string;
  readonly findings?: readonly { readonly code: string }[];
}

async function rows(api: ApiHouse) {
  return api.test.owner.rows<{ act: string; of: string; outcome: string | null; code: string | null; fence: number }>(
    sql`select act, of, outcome, code, fence from holdfast.tunnel_acts order by requested_at`,
  );
}

async function said(api: ApiHouse): Promise<readonly string[]> {
  const entries = await api.test.owner.rows<{ action: string; result_code: string }>(
    sql`select action, result_code from holdfast.audit_log where action like 'tunnel.%' order by id`,
  );
  return entries.map(({ action, result_code }) => `${action} ${result_code}`);
}

test("done: the intent and its end stand in the audit log, and what is signed is what the row says, with a fence of its own", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "gw-1", {});
    agent.onTunnel = judged(CUTS);
    const asking = { params: PARAMS, body: { act: "terminate" }, headers: { "idempotency-key": "press-once-1" } };
    const done = await api.done(kim, "actOnTunnel", asking);
    expect(done).toMatchObject({ outcome: "done", findings: [CUTS] });
    const [command] = agent.commands;
    expect(command).toMatchObject({
      requestId: done.id,
      verb: { case: "tunnel", value: { tunnel: "pair", act: "terminate", of: "ike", acknowledged: [] } },
    });
    expect(await rows(api)).toEqual([
      { act: "terminate", of: "ike", outcome: "done", code: null, fence: Number(command?.fence) },
    ]);
    expect(await said(api)).toEqual(["tunnel.act_begun ok", "tunnel.act_ended ok"]);
    // The same press twice: the answer comes again, and the agent hears nothing.
    expect(await api.done(kim, "actOnTunnel", asking)).toEqual(done);
    expect(agent.commands).toHaveLength(1);
  });
});

test("a preview says what it would do, to whoever may do it, and leaves nothing", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "gw-1", {});
    agent.onTunnel = () => ({ outcome: "possible", findings: [OPENS, CUTS] });
    const asking = { params: PARAMS, body: { act: "terminate", of: "child", preview: true } };
    expect(await api.done(kim, "actOnTunnel", asking)).toMatchObject({
      id: null,
      outcome: "possible",
      findings: [OPENS, CUTS],
    });
    expect([await rows(api), await said(api), agent.commands]).toEqual([[], [], []]);

    const viewer = await api.account("lee", ["view"]);
    expect((await api.ask(viewer, "actOnTunnel", asking)).json.code).toBe("access.permission_missing");
    const elsewhere = { permission: "apply", scope: { all: true }, domains: ["firewall"] } as const;
    const other = await api.account("park", ["view", elsewhere]);
    expect((await api.ask(other, "actOnTunnel", asking)).json.code).toBe("access.out_of_scope");
    const whole = { params: PARAMS, body: { act: "initiate", of: "ike" } };
    expect((await api.ask(kim, "actOnTunnel", whole)).json.code).toBe("request.invalid");
  });
});

test("a danger that was not acknowledged is answered with its findings; acknowledged, it goes to the agent signed", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "gw-1", {});
    agent.onTunnel = judged(OPENS, CUTS);
    const refused = await api.ask(kim, "actOnTunnel", { params: PARAMS, body: { act: "terminate" } });
    expect([refused.status, refused.json.code]).toEqual([409, "tunnel.danger_not_acknowledged"]);
    expect(refused.json.findings).toMatchObject([OPENS, CUTS]);
    const body = { act: "terminate", acknowledge: [OPENS.code] };
    expect(await api.done(kim, "actOnTunnel", { params: PARAMS, body })).toMatchObject({ outcome: "done" });
    expect((await rows(api)).map(({ outcome, code }) => [outcome, code])).toEqual([
      ["refused", OPENS.code],
      ["done", null],
    ]);
    expect(await said(api)).toEqual([
      "tunnel.act_begun ok",
      `tunnel.act_ended ${OPENS.code}`,
      "tunnel.act_begun ok",
      "tunnel.act_ended ok",
    ]);
  });
});

test("a lost answer is asked for again and got, done once; lost twice, nobody guesses", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "gw-1", {});
    let done = 0;
    agent.onTunnel = (wish) => {
      done += 1;
      return judged(CUTS)(wish);
    };
    const asking = { params: PARAMS, body: { act: "rekey" } };
    agent.fault("actOnTunnel", "lose_answer");
    expect(await api.done(kim, "actOnTunnel", asking)).toMatchObject({ outcome: "done" });
    expect([done, agent.commands.length]).toEqual([1, 2]);

    agent.fault("actOnTunnel", "lose_answer", "lose_answer");
    const lost = await api.ask(kim, "actOnTunnel", asking);
    expect([lost.status, lost.json.code]).toEqual([503, "tunnel.outcome_unknown"]);

    // The agent does it and forgets it: its refusal of the fence says nothing of what it did.
    agent.fault("actOnTunnel", "lose_answer");
    agent.onCall = () => agent.tunnelActs.clear();
    expect((await api.ask(kim, "actOnTunnel", asking)).json.code).toBe("tunnel.outcome_unknown");
    expect((await rows(api)).map(({ outcome }) => outcome)).toEqual(["done", "unknown", "unknown"]);
    expect(done).toBe(3);

    // The wire breaks with the answer on it, as it does when the tunnel carries it.
    agent.onCall = () => undefined;
    agent.fault("actOnTunnel", "cut_after", "cut_after");
    expect((await api.ask(kim, "actOnTunnel", asking)).json.code).toBe("tunnel.outcome_unknown");
  });
});

test("refused by the agent, failed there, or unknown to an old one: each is said as what it is", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "gw-1", {});
    const press = async () =>
      (await api.ask(kim, "actOnTunnel", { params: PARAMS, body: { act: "initiate" } })).json as Said;
    const old = await press();
    expect([old.code, old.findings?.[0]?.code]).toEqual(["tunnel.refused", "tunnel.agent_too_old"]);
    agent.onTunnel = () => ({ outcome: "failed", findings: [finding("error", "vpn.act_no_answer")] });
    expect((await press()).code).toBe("tunnel.failed");
    agent.onTunnel = () => ({ outcome: "danced", findings: [] });
    expect((await press()).code).toBe("tunnel.failed");
    agent.onTunnel = () => ({ outcome: "nothing_to_do", findings: [] });
    expect((await press()).outcome).toBe("nothing_to_do");
    // Something else has claimed the server since: a higher fence is there.
    agent.ledger.maxFence += 10;
    const stale = await press();
    expect([stale.code, stale.findings?.[0]?.code]).toEqual(["tunnel.refused", "guard.fence_stale"]);
    agent.stop();
    await api.until(
      async () => ((await api.done(kim, "getServer", { params: { name: "gw-1" } })).connected ? undefined : true),
      "the agent to be away",
    );
    expect((await press()).code).toBe("server.unreachable");
    expect((await rows(api)).filter(({ outcome }) => outcome === null)).toEqual([]);
  });
});

test("while an apply is open or another act is under way it is refused, and nothing is signed", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "gw-1", { role: "web" });
    agent.onTunnel = judged(CUTS);
    let letGo = (): void => undefined;
    agent.onCall = (method) =>
      method === "actOnTunnel" ? new Promise((resolve) => (letGo = () => resolve())) : undefined;
    const press = () => api.ask(kim, "actOnTunnel", { params: PARAMS, body: { act: "rekey" } });
    const first = press();
    await api.until(async () => (agent.commands.length > 0 ? true : undefined), "the act to arrive");
    expect((await press()).json.code).toBe("tunnel.act_under_way");
    letGo();
    expect((await first).json.outcome).toBe("done");

    agent.onCall = () => undefined;
    agent.pauseInStep = new Promise((resolve) => (letGo = resolve));
    const change = await planned(api, kim, [policy("web", 443)]);
    await api.done(kim, "applyChange", { params: { id: change.id }, body: bodyOf(change) });
    await api.until(async () => (agent.calls.includes("execute") ? true : undefined), "the apply to be open");
    expect((await press()).json.code).toBe("apply.server_busy");
    expect(agent.commands.filter(({ verb }) => verb.case === "tunnel")).toHaveLength(1);
    letGo();
  });
});

test("an act whose instance died is ended as unknown, once, and the next one is let in", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "gw-1", {});
    agent.onTunnel = judged(CUTS);
    await api.test.owner.run(sql`
      insert into holdfast.tunnel_acts (id, server_id, tunnel, act, of, acknowledged, fence, requested_by, requested_at)
      select ${newId()}, s.id, 'pair', 'rekey', 'child', '{}', s.fence, u.id, now() - interval '3 minutes'
      from holdfast.servers s, holdfast.users u where u.name = 'kim'`);
    const press = async () =>
      (await api.ask(kim, "actOnTunnel", { params: PARAMS, body: { act: "rekey" } })).json as Said;
    expect((await press()).code).toBe("tunnel.act_under_way");
    const context = {
      database: api.test.app,
      instanceId: api.house.instanceId,
      sessions: api.sessions,
      log: api.house.log,
    };
    for (let count = 0; count < 2; count++)
      await forgottenActs.run({ ...context, signal: new AbortController().signal });
    expect(await said(api)).toEqual(["tunnel.act_ended tunnel.outcome_unknown"]);
    expect((await press()).outcome).toBe("done");
  });
});

test("S12: the signer signs no act that the database does not hold as begun and written down", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "gw-1", {});
    agent.onTunnel = judged(CUTS);
    await api.done(kim, "actOnTunnel", { params: PARAMS, body: { act: "rekey" } });
    const serverId = agent.identity.serverId as Parameters<ApiHouse["house"]["agents"]["tunnel"]>[0];
    const [{ id, fence } = { id: newId(), fence: 0 }] = await api.test.owner.rows<{ id: string; fence: number }>(
      sql`select id, fence from holdfast.tunnel_acts`,
    );
    const ask = async (row: object) =>
      (await api.house.agents.tunnel(serverId, row as never)) as { readonly code?: string };
    expect((await ask({ id, fence })).code, "it has ended").toBe("signer.no_act");
    expect((await ask({ id: newId(), fence })).code).toBe("signer.no_act");
    // Rows that a broken web process makes up: no audit entry, or another fence than the server's newest.
    const forged = newId();
    await api.test.owner.run(sql`
      insert into holdfast.tunnel_acts (id, server_id, tunnel, act, of, acknowledged, fence, requested_by)
      select ${forged}, s.id, 'pair', 'terminate', 'ike', '{}', s.fence, u.id from holdfast.servers s, holdfast.users u where u.name = 'kim'`);
    expect((await ask({ id: forged, fence })).code).toBe("signer.no_act");
    expect(agent.commands).toHaveLength(1);
  });
});
