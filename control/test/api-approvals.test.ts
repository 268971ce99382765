import { expect, test, vi } from "vitest";
import { look } from "../src/alerts/look.ts";
import { recordAlerts } from "../src/alerts/record.ts";
import { factsOf } from "../src/signer/store/facts.ts";
import { systemActor } from "../src/store/actor.ts";
import { applied, bodyOf, ended, planned, type Planned, policy } from "./api-changes.ts";
import { type ApiHouse, EVERYTHING, withApi } from "./api-house.ts";

/** Each test runs several rollouts over real TLS and a real database; on a busy machine they are slow, and a hang is still seen. */
vi.setConfig({ testTimeout: 90_000 });

const WHY = "the shop is down and nobody else is awake";

const floor = (more: string): string =>
  `apiVersion: holdfast/v1\nkind: Floor\nname: house\nselector: { role: web }\n${more}`;

function tryApply(api: ApiHouse, token: string, change: Planned, more: object = {}) {
  return api.ask(token, "applyChange", { params: { id: change.id }, body: { ...bodyOf(change), ...more } });
}

function approve(api: ApiHouse, token: string, change: Planned) {
  return api.done(token, "approveChange", { params: { id: change.id }, body: { digest: change.digest } });
}

async function standing({ house }: ApiHouse): Promise<readonly string[]> {
  const by = systemActor("alerts", house.instanceId);
  await recordAlerts(house.database, await look(house.database), by, house.log);
  const rows = await house.database.rows<{ message: string }>({
    text: "select message from alerts where kind = 'glass-broken' and state <> 'resolved'",
    values: [],
  });
  return rows.map(({ message }) => message);
}

test("S14: the floor asks for more where a change is risky: its way of management, its domains, how many servers", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const lee = await api.account("lee", ["view", "approve"]);
    const one = await api.server(kim, "web-1", { role: "web" });
    await applied(
      api,
      kim,
      await planned(api, kim, [
        floor(
          "approvalsWhen:\n  - { approvals: 2, managementPath: touched }\n  - { approvals: 1, servers: 2 }\n  - { approvals: 1, domains: [vpn] }\ntrial: { reconnect: 5s, soak: 0s, window: 10s }\n",
        ),
        policy("web", 443),
      ]),
    );
    // One server, no way of management, another domain: nobody is asked.
    const harmless = await planned(api, kim, [policy("web", 8443)]);
    expect(harmless.approvals).toEqual({ needed: 0, because: [], given: [] });
    expect(await applied(api, kim, harmless)).toMatchObject({ state: "DONE", breakGlass: null });

    await api.server(kim, "web-2", { role: "web" });
    const wide = await planned(api, kim, [policy("web", 9443)]);
    expect(wide.approvals).toMatchObject({
      needed: 1,
      because: ["It needs 1 approval, because it is for 2 servers (2 or more)."],
    });
    // Leaving a server out of the press of the button does not make the change smaller.
    const [first] = bodyOf(wide).plans;
    expect(await tryApply(api, kim, wide, { plans: [first] })).toMatchObject({
      status: 409,
      json: { code: "change.needs_approval" },
    });
    await approve(api, lee, wide);

    // Approved for what it was; planned again, it would touch the way of management: that is for another pair of eyes.
    const harmlessPlan = one.onPlan;
    one.onPlan = (request) => ({ ...harmlessPlan(request), touchesManagementPath: true });
    const again = await api.done(kim, "planChange", { params: { id: wide.id }, body: {} });
    expect(again).toMatchObject({ state: "READY", approvals: { needed: 2, given: [{ user: "lee" }] } });
    const refused = await tryApply(api, kim, again);
    expect(refused).toMatchObject({ status: 409, json: { code: "change.needs_approval" } });
    expect(JSON.stringify(refused.json)).toContain("touches the way by which a server is managed");
    const max = await api.account("max", ["view", "approve"]);
    await approve(api, max, again);
    expect(await applied(api, kim, again)).toMatchObject({ state: "DONE" });
    expect(
      await api.ask(await api.account("eve", ["view", "approve"]), "approveChange", {
        params: { id: again.id },
        body: { digest: again.digest },
      }),
    ).toMatchObject({ status: 409, json: { code: "change.not_now" } });
  });
});

test("after a failure the floor wants another pair of eyes, for a retry too", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "web-1", { role: "web" });
    const rule = "approvalsWhen: { approvals: 1, failedWithin: 7d }\ntrial: { reconnect: 2s, soak: 0s, window: 10s }\n";
    await applied(api, kim, await planned(api, kim, [floor(rule), policy("web", 443)]));
    const bad = await planned(api, kim, [policy("web", 8443)]);
    expect(bad.approvals.needed).toBe(0);
    agent.isCutWhileLive = true;
    await applied(api, kim, bad);
    agent.isCutWhileLive = false;
    const failed = await api.done(kim, "getChange", { params: { id: bad.id } });
    expect(failed.applies).toMatchObject([{ state: "ROLLED_BACK", code: "trial.deadline" }]);
    const retry = await api.ask(kim, "retryApply", { params: { id: failed.applies[0]?.id ?? "" }, body: {} });
    expect(retry).toMatchObject({ status: 409, json: { code: "change.needs_approval" } });
    expect(JSON.stringify(retry.json)).toContain("an apply failed in the last 7d");
    const other = await planned(api, kim, [policy("web", 9443)]);
    expect(other.approvals).toMatchObject({ needed: 1 });
  });
});

test("glass is broken only where the floor allows it, with a reason; it is alarmed until it is approved afterwards", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const lee = await api.account("lee", ["view", "approve"]);
    await api.server(kim, "web-1", { role: "web" });
    await applied(api, kim, await planned(api, kim, [policy("web", 443)]));
    const strict = await planned(api, kim, [floor("approvals: 1\n")]);
    await approve(api, lee, strict);
    await applied(api, kim, strict);

    const blocked = await planned(api, kim, [policy("web", 8443)]);
    expect(blocked.actions.breakGlass).toContain("does not let this go");
    expect(await tryApply(api, kim, blocked, { breakGlass: WHY })).toMatchObject({
      status: 403,
      json: { code: "change.break_glass_refused" },
    });
    // A change does not allow itself what the floor of now refuses.
    const selfish = await planned(api, kim, [floor("approvals: 1\nbreakGlass: allowed\n"), policy("web", 8443)]);
    expect(await tryApply(api, kim, selfish, { breakGlass: WHY })).toMatchObject({ status: 403 });
    const allow = await planned(api, kim, [floor("approvals: 1\nbreakGlass: allowed\n")]);
    await approve(api, lee, allow);
    await applied(api, kim, allow);

    const urgent = await planned(api, kim, [policy("web", 9443)]);
    expect(urgent.actions).toMatchObject({ breakGlass: null });
    expect(await tryApply(api, kim, urgent)).toMatchObject({ status: 409, json: { code: "change.needs_approval" } });
    const short = await tryApply(api, kim, urgent, { breakGlass: "now" });
    expect(short).toMatchObject({ status: 400 });
    expect(JSON.stringify(short.json)).toContain("why it cannot wait");
    expect(await standing(api)).toEqual([]);
    // Whoever may not apply breaks no glass either.
    expect(await tryApply(api, lee, urgent, { breakGlass: WHY })).toMatchObject({ status: 403 });
    expect(await applied(api, kim, urgent, { breakGlass: WHY })).toMatchObject({
      state: "DONE",
      breakGlass: { reason: WHY, needed: 1, given: 0 },
    });
    expect(await standing(api)).toEqual([expect.stringContaining(`kim applied "a change" with 0 of 1 approvals`)]);
    const entries = (await api.done(kim, "listAudit", { query: { action: "rollout.glass_broken" } })).items;
    expect(entries).toMatchObject([{ actor: "kim", new: { reason: WHY, needed: 1, given: 0 } }]);
    expect(
      await api.ask(kim, "approveChange", { params: { id: urgent.id }, body: { digest: urgent.digest } }),
    ).toMatchObject({ status: 403, json: { code: "change.approval_of_own" } });
    await approve(api, lee, urgent);
    expect(await standing(api)).toEqual([]);

    // With its approvals nothing is broken, whatever is sent along.
    const calm = await planned(api, kim, [policy("web", 10443)]);
    await approve(api, lee, calm);
    expect(await applied(api, kim, calm, { breakGlass: WHY })).toMatchObject({ breakGlass: null });
    // Taken back, it waits for nobody any more.
    const wrong = await planned(api, kim, [policy("web", 11443)]);
    await applied(api, kim, wrong, { breakGlass: WHY });
    expect(await standing(api)).toHaveLength(1);
    const back = await api.done(kim, "planRollback", { params: { id: wrong.id }, body: {} });
    const rollout = await api.done(kim, "rollbackChange", {
      params: { id: wrong.id },
      body: bodyOf(back, "rollback"),
    });
    await ended(api, kim, rollout.id);
    expect(await standing(api)).toEqual([]);
  });
});

test("S14: whoever approved takes their word back until a server moves by it, nobody else does, and both are in the log", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const lee = await api.account("lee", ["view", "approve"]);
    const max = await api.account("max", EVERYTHING);
    const web = await api.server(kim, "web-1", { role: "web" });
    const rules = "approvals: 1\ntrial: { reconnect: 2s, soak: 0s, window: 10s }\n";
    const first = await planned(api, kim, [floor(rules), policy("web", 443)]);
    await approve(api, lee, first);
    const takeBack = (token: string, { id }: Planned) =>
      api.ask(token, "withdrawApproval", { params: { id }, body: {} });

    // Another's word is nobody's to take: not an approver's, not an administrator's, and they do not learn of it.
    expect(await takeBack(max, first)).toMatchObject({ status: 404, json: { code: "resource.not_found" } });
    expect(await takeBack(max, { ...first, id: "01900000-0000-7000-8000-000000000000" })).toMatchObject({
      status: 404,
    });
    expect((await api.done(lee, "getChange", { params: { id: first.id } })).actions).toMatchObject({
      withdrawApproval: null,
    });
    await api.done(lee, "withdrawApproval", { params: { id: first.id }, body: {} });
    expect(await takeBack(lee, first)).toMatchObject({ status: 404 });
    // READY stays READY, and waits for somebody again.
    expect(await api.done(lee, "getChange", { params: { id: first.id } })).toMatchObject({
      state: "READY",
      approvals: { needed: 1, given: [] },
      actions: { approve: null, withdrawApproval: "You have not approved it." },
    });
    expect(await tryApply(api, kim, first)).toMatchObject({ status: 409, json: { code: "change.needs_approval" } });

    // At once with the press of apply: either it goes with its approval, or it does not go.
    await approve(api, lee, first);
    const [taken, pressed] = await Promise.all([takeBack(lee, first), tryApply(api, kim, first)]);
    expect([taken, pressed].map(({ status }) => status).toSorted((a, b) => a - b)).toEqual(
      taken.status === 200 ? [200, 409] : [202, 409],
    );
    if (taken.status === 200) {
      await approve(api, lee, first);
      await applied(api, kim, first);
    } else {
      expect(taken.json).toMatchObject({ code: "change.approval_used" });
      await ended(api, kim, String(pressed.json.id));
    }
    const used = await takeBack(lee, first);
    expect(used).toMatchObject({ status: 409, json: { code: "change.approval_used" } });
    expect(JSON.stringify(used.json)).toContain("It is in force; roll it back instead.");

    // What was undone by itself must not be applied again with a word that its giver regrets, who may not approve any more.
    const bad = await planned(api, kim, [policy("web", 8443)]);
    await approve(api, lee, bad);
    web.isCutWhileLive = true;
    await applied(api, kim, bad);
    web.isCutWhileLive = false;
    const { items: users } = await api.done(kim, "listUsers");
    const etag = users.find(({ name }) => name === "lee")?.etag ?? "";
    await api.done(kim, "setUserPermissions", {
      params: { name: "lee" },
      body: { permissions: [] },
      headers: { "if-match": `"${etag}"` },
    });
    await api.done(lee, "withdrawApproval", { params: { id: bad.id }, body: {} });
    expect(await tryApply(api, kim, bad)).toMatchObject({ status: 409, json: { code: "change.needs_approval" } });

    const entries = (await api.done(kim, "listAudit", { query: { action: "change.approval_withdrawn" } })).items;
    expect(entries.filter(({ resultCode }) => resultCode === "ok").length).toBeGreaterThanOrEqual(2);
    expect(entries.at(0)).toMatchObject({ actor: "lee", object: `change/${bad.id}`, old: { digest: bad.digest } });
    const refused = (await api.done(kim, "listAudit", { query: { result: "change.approval_used" } })).items;
    expect(refused.at(0)).toMatchObject({ actor: "lee" });
  });
});

test("the signer counts for the rollout at hand: what an earlier one needed, or whose glass was broken, says nothing of a later one", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const [lee, max] = [await api.account("lee", ["view", "approve"]), await api.account("max", ["view", "approve"])];
    const web = await api.server(kim, "web-1", { role: "web" });
    const rules = (approvals: number): string =>
      floor(`approvals: ${approvals}\nbreakGlass: allowed\ntrial: { reconnect: 2s, soak: 0s, window: 10s }\n`);
    const first = await planned(api, kim, [rules(2), policy("web", 443)]);
    for (const token of [lee, max]) await approve(api, token, first);
    await applied(api, kim, first);
    const urgent = await planned(api, kim, [policy("web", 8443)]);
    web.isCutWhileLive = true;
    await applied(api, kim, urgent, { breakGlass: WHY });
    web.isCutWhileLive = false;
    const signedFor = async () => {
      const { applies } = await api.done(kim, "getChange", { params: { id: urgent.id } });
      const [newest] = applies.toSorted((a, b) => (a.id < b.id ? 1 : -1));
      const { requestId } = await api.done(kim, "getApply", { params: { id: newest?.id ?? "" } });
      const facts = await factsOf(api.house.database, requestId ?? "");
      return [newest?.state, facts?.approvals_needed, facts?.approvals, facts?.glass_is_broken];
    };
    expect(await signedFor()).toEqual(["ROLLED_BACK", 2, 0, true]);

    // From here on the floor asks for one, and one is given: nothing is broken any more.
    const milder = await planned(api, kim, [rules(1)]);
    for (const token of [lee, max]) await approve(api, token, milder);
    await applied(api, kim, milder);
    await approve(api, lee, urgent);
    const again = await api.done(kim, "planChange", { params: { id: urgent.id }, body: {} });
    web.isCutWhileLive = true;
    await applied(api, kim, again);
    web.isCutWhileLive = false;
    expect(await signedFor()).toEqual(["ROLLED_BACK", 1, 1, false]);
    // A retry writes down what it needs as any other press does.
    const { applies } = await api.done(kim, "getChange", { params: { id: urgent.id } });
    const [newest] = applies.toSorted((a, b) => (a.id < b.id ? 1 : -1));
    const retry = await api.done(kim, "retryApply", { params: { id: newest?.id ?? "" }, body: {} });
    expect(await ended(api, kim, retry.id)).toMatchObject({ state: "DONE" });
    expect(await signedFor()).toEqual(["APPLIED", 1, 1, false]);
  });
});
