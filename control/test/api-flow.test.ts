import { expect, test, vi } from "vitest";
import { applied, bodyOf, ended, planned, policy } from "./api-changes.ts";
import { EVERYTHING, withApi } from "./api-house.ts";

/** Each test runs several rollouts over real TLS and a real database; on a busy machine they are slow, and a hang is still seen. */
vi.setConfig({ testTimeout: 60_000 });

/** A second policy that leaves the inbound default to the first. */
const FLOOR = (approvals: number): string => `apiVersion: holdfast/v1
kind: Floor
name: house
selector: { all: true }
management:
  - { name: ops, networks: 198.51.100.0/24, tcpPorts: 22 }
approvals: ${approvals}
`;

test("S37: a policy goes from the API to APPLIED and back, and everything that was asked stands in the audit log", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.server(kim, "web-1", { role: "web" });
    const change = await planned(api, kim, [policy("web", 443)]);
    expect(change.state).toBe("DRAFT");
    expect(change.plans).toMatchObject([{ server: "web-1", status: "planned", kind: "forward" }]);
    expect(change.actions).toMatchObject({ apply: null, edit: null, withdraw: null });
    // Planning makes no revision: nobody else's draft is disturbed by it.
    expect((await api.done(kim, "listDocuments", { query: { kind: "Policy" } })).items).toEqual([]);

    const rollout = await applied(api, kim, change);
    expect(rollout).toMatchObject({
      state: "DONE",
      waves: [{ servers: [{ server: "web-1", apply: { state: "APPLIED", serverIs: "as_requested" } }] }],
    });
    const server = await api.done(kim, "getServer", { params: { name: "web-1" } });
    expect(server.policies).toContainEqual({ kind: "Policy", name: "web", revision: 1 });
    expect(server.lastSuccess?.changeId).toBe(change.id);
    const config = await api.done(kim, "getServerConfig", { params: { name: "web-1" } });
    expect(config.native["firewall"]).toContain("443");
    expect(config.provenance.map((entry) => entry.from.document)).toContain("Policy/web");
    const packet = { direction: "inbound", protocol: "tcp", source: "203.0.113.9", destination: "192.0.2.10" };
    expect(
      await api.done(kim, "explainPacket", { params: { name: "web-1" }, body: { ...packet, port: 443 } }),
    ).toMatchObject({ verdict: "allow", rule: "web-open", from: { document: "Policy/web", revision: 1 } });
    expect(
      await api.done(kim, "explainPacket", { params: { name: "web-1" }, body: { ...packet, port: 25 } }),
    ).toMatchObject({ verdict: "drop", rule: "default" });

    const again = await planned(api, kim, [policy("web", 443)], "the same once more");
    expect(again.plans).toMatchObject([{ status: "nothing_to_do", takesOver: false }]);

    const back = await api.done(kim, "planRollback", { params: { id: change.id }, body: {} });
    expect(back.plans.filter((plan) => plan.kind === "rollback")).toMatchObject([
      { status: "planned", server: "web-1" },
    ]);
    const rollback = await api.done(kim, "rollbackChange", {
      params: { id: change.id },
      body: bodyOf(back, "rollback"),
    });
    await ended(api, kim, rollback.id);
    const after = await api.done(kim, "getChange", { params: { id: change.id } });
    expect(after).toMatchObject({ state: "ROLLED_BACK", applies: [{ state: "ROLLED_BACK", serverIs: "as_before" }] });
    expect((await api.done(kim, "getServer", { params: { name: "web-1" } })).policies).toEqual([
      { kind: "Server", name: "web-1", revision: 1 },
    ]);
    const story = await api.done(kim, "getApply", { params: { id: after.applies[0]?.id ?? "" } });
    expect(story.transactions.map((one) => [one.kind, one.outcome])).toEqual([
      ["forward", "finalized"],
      ["rollback", "finalized"],
    ]);
    expect(await api.done(kim, "verifyAudit")).toMatchObject({ intact: true });
    const actions = (await api.done(kim, "listAudit", { query: { limit: "200" } })).items.map((entry) => entry.action);
    for (const action of [
      "server.expected",
      "enrolment.key_activated",
      "change.created",
      "change.ready",
      "rollout.started",
      "apply.applying",
      "apply.applied",
      "apply.rolled_back",
    ])
      expect(actions).toContain(action);
  });
});

test("what moved since the plan refuses the apply and is named; a second apply is refused and counted", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "web-1", { role: "web" });
    const first = await planned(api, kim, [policy("web", 443)], "first");
    const rival = await planned(api, kim, [policy("web", 8443)], "rival");
    await applied(api, kim, first);
    const moved = await api.ask(kim, "applyChange", { params: { id: rival.id }, body: bodyOf(rival) });
    expect(moved).toMatchObject({ status: 409, json: { code: "change.base_moved" } });
    expect(moved.json.detail).toContain('by kim with "first"');

    const waiting = Promise.withResolvers<void>();
    agent.pauseInStep = waiting.promise;
    const slow = await planned(api, kim, [policy("web", 80)], "slow");
    const other = await planned(api, kim, [FLOOR(0)], "other");
    const rollout = await api.done(kim, "applyChange", { params: { id: slow.id }, body: bodyOf(slow) });
    await api.until(
      async () =>
        (await api.done(kim, "getServer", { params: { name: "web-1" } })).open?.phase === "changing" ||
        agent.calls.filter((call) => call === "execute").length === 2
          ? true
          : undefined,
      "the apply to begin",
    );
    const busy = await api.ask(kim, "applyChange", { params: { id: other.id }, body: bodyOf(other) });
    expect(busy).toMatchObject({ status: 409, json: { code: "apply.server_busy" } });
    expect(api.refusedConcurrent()).toBe(1);
    waiting.resolve();
    await ended(api, kim, rollout.id);
    const late = await api.ask(kim, "applyChange", { params: { id: other.id }, body: bodyOf(other) });
    expect(late).toMatchObject({ status: 409, json: { code: "apply.base_moved" } });
    expect(late.json.detail).toContain("web-1");
    const withAnotherDigest = await api.ask(kim, "applyChange", {
      params: { id: other.id },
      body: { plans: [{ planId: other.plans[0]?.id, planDigest: "0".repeat(64) }] },
    });
    expect(withAnotherDigest).toMatchObject({ status: 409, json: { code: "change.plan_unknown" } });
  });
});

test("a dangerous finding is acknowledged by name, or nothing happens", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.server(kim, "web-1", { role: "web" });
    const change = await planned(api, kim, [
      policy("web", 443, "expect:\n  - { from: any, to: self, service: tcp/25, is: open }\n"),
    ]);
    const dangers = change.plans[0]?.findings.filter((finding) => finding.severity === "danger") ?? [];
    expect(dangers.map((finding) => finding.code)).toContain("compose.expect_broken");
    const plans = bodyOf(change).plans;
    const refused = await api.ask(kim, "applyChange", { params: { id: change.id }, body: { plans } });
    expect(refused).toMatchObject({
      status: 409,
      json: { code: "change.danger_not_acknowledged", findings: [{ code: "compose.expect_broken" }] },
    });
    expect(await applied(api, kim, change)).toMatchObject({ state: "DONE" });
  });
});

test("the floor's approvals come from others, for this very content, also when the change would lift the floor", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const lee = await api.account("lee", ["view", "approve"]);
    await api.server(kim, "web-1", { role: "web" });
    const floor = await planned(api, kim, [FLOOR(1), policy("web", 443)], "the floor");
    await api.done(lee, "approveChange", { params: { id: floor.id }, body: { digest: floor.digest } });
    await applied(api, kim, floor);
    const change = await planned(api, kim, [FLOOR(0)], "lift the floor");
    expect(change.approvals).toMatchObject({ needed: 1, given: [] });
    expect(await api.ask(kim, "applyChange", { params: { id: change.id }, body: bodyOf(change) })).toMatchObject({
      status: 409,
      json: { code: "change.needs_approval" },
    });
    expect(
      await api.ask(kim, "approveChange", { params: { id: change.id }, body: { digest: change.digest } }),
    ).toMatchObject({ status: 403, json: { code: "change.approval_of_own" } });
    expect(
      await api.ask(lee, "approveChange", { params: { id: change.id }, body: { digest: "another" } }),
    ).toMatchObject({ status: 412 });
    const approved = await api.done(lee, "approveChange", {
      params: { id: change.id },
      body: { digest: change.digest },
    });
    expect(approved).toMatchObject({ state: "READY", approvals: { given: [{ user: "lee" }] } });
    expect(await applied(api, kim, change)).toMatchObject({ state: "DONE" });
  });
});

test("a later change that was built on the same document stands in the way of a rollback, by name", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.server(kim, "web-1", { role: "web" });
    const first = await planned(api, kim, [policy("web", 443)], "first");
    await applied(api, kim, first);
    await applied(api, kim, await planned(api, kim, [policy("web", 8443)], "later"));
    const back = await api.done(kim, "planRollback", { params: { id: first.id }, body: {} });
    const [plan] = back.plans.filter((one) => one.kind === "rollback");
    expect(plan).toMatchObject({ status: "refused", planDigest: null });
    expect(plan?.findings).toMatchObject([{ code: "rollback.built_upon" }]);
    expect(plan?.findings[0]?.message).toContain('"later" by kim');
    const [apply] = back.applies;
    expect(await api.ask(kim, "rollbackApply", { params: { id: apply?.id ?? "" }, body: {} })).toMatchObject({
      status: 409,
      json: { code: "rollback.conflict" },
    });
  });
});

test("a rollback leaves a later change of something else in force", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.server(kim, "web-1", { role: "web" });
    const first = await planned(api, kim, [policy("web", 443)], "first");
    await applied(api, kim, first);
    await applied(api, kim, await planned(api, kim, [FLOOR(0)], "floor"));
    const [apply] = (await api.done(kim, "getChange", { params: { id: first.id } })).applies;
    const rollout = await api.done(kim, "rollbackApply", { params: { id: apply?.id ?? "" }, body: {} });
    expect(await ended(api, kim, rollout.id)).toMatchObject({ state: "DONE" });
    const { policies } = await api.done(kim, "getServer", { params: { name: "web-1" } });
    expect(policies).toEqual([
      { kind: "Floor", name: "house", revision: 1 },
      { kind: "Server", name: "web-1", revision: 1 },
    ]);
  });
});

test("an apply that failed is tried again as a new one; what is undone for a lasting reason is not", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "web-1", { role: "web" });
    agent.ledger.faults.refusePrepare = { code: "guard.busy", message: "somebody else was first" };
    const change = await planned(api, kim, [policy("web", 443)]);
    await applied(api, kim, change);
    const failed = await api.done(kim, "getChange", { params: { id: change.id } });
    expect(failed).toMatchObject({
      state: "FAILED",
      applies: [{ state: "FAILED", effect: "none", serverIs: "as_before" }],
    });
    agent.ledger.faults.refusePrepare = null;
    const [first] = failed.applies;
    const rollout = await api.done(kim, "retryApply", { params: { id: first?.id ?? "" }, body: {} });
    expect(await ended(api, kim, rollout.id)).toMatchObject({ state: "DONE" });
    const after = await api.done(kim, "getChange", { params: { id: change.id } });
    expect(after.state).toBe("APPLIED");
    expect(after.applies[0]).toMatchObject({ state: "APPLIED", retryOf: first?.id, retryCount: 1 });
    expect(await api.ask(kim, "retryApply", { params: { id: first?.id ?? "" }, body: {} })).toMatchObject({
      status: 409,
      json: { code: "apply.not_now" },
    });
    // It did not look as asked afterwards: the same revision would not either, and the button says so before it is pressed.
    agent.ledger.faults.failStep = { code: "verify.mismatch", message: "it is not there" };
    const second = await planned(api, kim, [policy("web", 8443)]);
    await applied(api, kim, second);
    const [undone] = (await api.done(kim, "getChange", { params: { id: second.id } })).applies;
    const { state, actions, transactions } = await api.done(kim, "getApply", { params: { id: undone?.id ?? "" } });
    const [sent] = transactions;
    expect(sent?.links).toEqual({
      logs: `https://logs.example/${sent?.requestId}`,
      trace: sent?.traceId === null ? null : `https://traces.example/${sent?.traceId}`,
    });
    expect([state, actions.retry]).toEqual([
      "ROLLED_BACK",
      "It was undone for a reason that trying again does not change (verify.mismatch): mend the document in a new change.",
    ]);
    agent.ledger.faults.failStep = null;
    expect(await api.ask(kim, "retryApply", { params: { id: undone?.id ?? "" }, body: {} })).toMatchObject({
      status: 409,
      json: { code: "apply.quarantined", detail: actions.retry },
    });
  });
});

test("an abort undoes, a confirmation by a person keeps, and each is refused with the button's own words elsewhere", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "web-1", { role: "web" });
    const plan = agent.onPlan;
    agent.onPlan = (request) => ({ ...plan(request), touchesManagementPath: true });
    const change = await api.done(kim, "createChange", {
      body: { title: "by a person", documents: [{ text: policy("web", 443) }] },
    });
    const asked = await api.done(kim, "planChange", {
      params: { id: change.id },
      body: { trial: { confirm: "person", soakSeconds: 15 } },
    });
    expect(asked.plans[0]?.trial).toMatchObject({ confirm: "person_when_management_path" });
    await api.done(kim, "applyChange", { params: { id: change.id }, body: bodyOf(asked) });
    const onTrial = await api.until(async () => {
      const [apply] = (await api.done(kim, "getChange", { params: { id: change.id } })).applies;
      return apply?.phase === "on_trial" && apply.waitingFor?.includes("a person") === true ? apply : undefined;
    }, "the trial to wait for a person");
    expect((await api.done(kim, "getApply", { params: { id: onTrial.id } })).actions).toMatchObject({
      confirm: null,
      abort: null,
    });
    await api.done(kim, "abortApply", { params: { id: onTrial.id }, body: { reason: "customers complain" } });
    const undone = await api.until(async () => {
      const apply = await api.done(kim, "getApply", { params: { id: onTrial.id } });
      return apply.state === "ROLLED_BACK" ? apply : undefined;
    }, "the undo");
    expect(undone).toMatchObject({ serverIs: "as_before", message: "customers complain" });
    const late = await api.ask(kim, "confirmApply", { params: { id: onTrial.id }, body: {} });
    expect(late).toMatchObject({ status: 409, json: { code: "apply.not_now", detail: undone.actions.confirm } });
  });
});

test("a trial may only be made stricter than the floor's", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.server(kim, "web-1", { role: "web" });
    const change = await api.done(kim, "createChange", {
      body: { title: "hasty", documents: [{ text: policy("web", 443) }] },
    });
    const plan = (await api.done(kim, "planChange", { params: { id: change.id }, body: { trial: { soakSeconds: 0 } } }))
      .plans[0];
    expect(plan).toMatchObject({ status: "refused", findings: [{ code: "compose.trial_looser" }] });
  });
});

test("labels are changes too: a new label brings a server under what is in force there, and nothing else moves", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.server(kim, "web-1", { role: "web" });
    await api.server(kim, "spare", { role: "none" });
    await applied(api, kim, await planned(api, kim, [policy("web", 443)]));
    const text = "apiVersion: holdfast/v1\nkind: Server\nname: spare\nlabels: { role: web }\n";
    const change = await planned(api, kim, [text], "put the spare to work");
    expect(change.plans).toMatchObject([{ server: "spare", status: "planned" }]);
    expect(change.plans[0]?.findings.map((finding) => finding.code)).toContain("plan.joins");
    await applied(api, kim, change);
    const spare = await api.done(kim, "getServer", { params: { name: "spare" } });
    expect(spare.labels).toEqual({ role: "web" });
    expect(spare.policies).toContainEqual({ kind: "Policy", name: "web", revision: 1 });

    const described = await planned(
      api,
      kim,
      ["apiVersion: holdfast/v1\nkind: Server\nname: spare\ndescription: the old one\nlabels: { role: web }\n"],
      "only words",
    );
    expect(described.plans).toMatchObject([{ server: "spare", status: "nothing_to_do", takesOver: true }]);
    const taken = await api.done(kim, "applyChange", { params: { id: described.id }, body: bodyOf(described) });
    expect(taken.state).toBe("DONE");
    expect((await api.done(kim, "getServer", { params: { name: "spare" } })).policies).toContainEqual({
      kind: "Server",
      name: "spare",
      revision: 3,
    });
    expect((await api.done(kim, "getChange", { params: { id: described.id } })).state).toBe("APPLIED");
  });
});

test("a server that is away, paused or locked is said in the plan and refused at apply", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const agent = await api.server(kim, "web-1", { role: "web" });
    await api.done(kim, "pauseServer", { params: { name: "web-1" }, body: { seconds: 3600, reason: "new disk" } });
    const change = await planned(api, kim, [policy("web", 443)]);
    expect(change.plans[0]?.findings.map((finding) => finding.code)).toContain("plan.server_paused");
    expect(await api.ask(kim, "applyChange", { params: { id: change.id }, body: bodyOf(change) })).toMatchObject({
      status: 409,
      json: { code: "apply.server_paused" },
    });
    expect((await api.done(kim, "getServer", { params: { name: "web-1" } })).paused).toMatchObject({
      reason: "new disk",
    });
    await api.done(kim, "resumeServer", { params: { name: "web-1" }, body: {} });
    expect(await api.ask(kim, "resumeServer", { params: { name: "web-1" }, body: {} })).toMatchObject({
      status: 409,
      json: { code: "server.not_now" },
    });
    agent.stop();
    await api.until(
      async () => ((await api.done(kim, "getServer", { params: { name: "web-1" } })).connected ? undefined : true),
      "web-1 to be away",
    );
    expect(await api.ask(kim, "getServerLive", { params: { name: "web-1" } })).toMatchObject({
      status: 503,
      json: { code: "server.unreachable" },
    });
    const away = await api.done(kim, "planChange", { params: { id: change.id }, body: {} });
    expect(away.plans[0]).toMatchObject({ status: "unreachable" });
    expect(away.plans[0]?.findings.map((finding) => finding.code)).toContain("plan.unreachable");
  });
});

test("a withdrawn change is over, and a draft is edited only by its author and only as it was read", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const lee = await api.account("lee", EVERYTHING);
    const change = await api.done(kim, "createChange", {
      body: { title: "draft", documents: [{ text: policy("web", 443) }] },
    });
    const body = { documents: [{ text: policy("web", 8443) }] };
    expect(await api.ask(kim, "editChange", { params: { id: change.id }, body })).toMatchObject({
      status: 428,
      json: { code: "etag.missing" },
    });
    expect(
      await api.ask(lee, "editChange", {
        params: { id: change.id },
        body,
        headers: { "if-match": `"${change.etag}"` },
      }),
    ).toMatchObject({ status: 403, json: { code: "change.not_author" } });
    const edited = await api.done(kim, "editChange", {
      params: { id: change.id },
      body,
      headers: { "if-match": `"${change.etag}"` },
    });
    expect(edited.content[0]?.text).toContain("8443");
    expect(edited.digest).not.toBe(change.digest);
    expect(
      await api.ask(kim, "editChange", {
        params: { id: change.id },
        body,
        headers: { "if-match": `"${change.etag}"` },
      }),
    ).toMatchObject({ status: 412, json: { code: "etag.moved" } });
    await api.done(kim, "withdrawChange", { params: { id: change.id }, body: {} });
    expect((await api.done(kim, "getChange", { params: { id: change.id } })).state).toBe("CANCELLED");
    expect(await api.ask(kim, "planChange", { params: { id: change.id }, body: {} })).toMatchObject({
      status: 409,
      json: { code: "change.not_now" },
    });
  });
});

test("S22: documents with errors are refused with every finding and nothing is kept", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const refused = await api.ask(kim, "createChange", {
      body: {
        title: "wrong",
        documents: [{ text: policy("web", 99_999) }, { text: "apiVersion: holdfast/v1\nkind: Polcy\nname: x\n" }],
      },
    });
    expect(refused).toMatchObject({ status: 422, json: { code: "change.invalid" } });
    expect(refused.json.findings.length).toBeGreaterThanOrEqual(2);
    expect((await api.done(kim, "listChanges")).items).toEqual([]);
    expect(await api.ask(kim, "createChange", { body: { title: "empty" } })).toMatchObject({
      status: 422,
      json: { code: "change.empty" },
    });
    const gone = await api.ask(kim, "createChange", {
      body: { title: "no such", deletes: [{ kind: "Policy", name: "nobody" }] },
    });
    expect(gone).toMatchObject({ status: 422, json: { findings: [{ code: "change.nothing_to_delete" }] } });
  });
});
