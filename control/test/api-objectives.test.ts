/** What is promised: counted over the same events as the metrics, and cut to the servers that the caller may see. */
import { readFileSync } from "node:fs";
import type { ServerId } from "@holdfast/core/base/id.ts";
import {
  OBJECTIVE_DAYS,
  OBJECTIVE_NAMES,
  OBJECTIVES,
  standingOf,
  WISHED_BACK,
} from "@holdfast/core/objective/objective.ts";
import { withDatabase } from "@holdfast/testkit/database.ts";
import { storedHouse, type StoredHouse } from "@holdfast/testkit/stored-house.ts";
import { expect, test } from "vitest";
import { metrics } from "../src/metrics/metrics.ts";
import { countObjectives } from "../src/metrics/store/objectives.ts";
import { move } from "../src/store/apply-move.ts";
import { recordOutcome } from "../src/store/host-transactions.ts";
import { withApi } from "./api-house.ts";

async function ends(
  house: StoredHouse,
  server: ServerId,
  how: "applied" | "wished_back" | "undone" | "cut_off",
): Promise<string> {
  const { apply, sent, said } = await house.applying(server);
  if (how === "applied") {
    await said("finalized");
    await house.do((tx) => move(tx, apply, { to: "APPLIED" }, house.by));
    return sent.request_id;
  }
  const code = { wished_back: "operator.aborted", undone: "verify.mismatch", cut_off: "trial.no_reconnect" }[how];
  await house.do((tx) => recordOutcome(tx, sent.request_id, { outcome: "reverted", code, receipt: { signed: true } }));
  const back = await house.do((tx) => move(tx, apply, { to: "ROLLBACKING", phase: "reverting", code }, house.by));
  await house.do((tx) => move(tx, back, { to: "ROLLED_BACK", code }, house.by));
  return sent.request_id;
}

test("each end counts once, what somebody wanted back does not, and only what is young enough", async () => {
  await withDatabase(async ({ app, owner }) => {
    const house = await storedHouse(app);
    expect(await countObjectives(app)).toEqual({
      success: { all: 0, good: 0 },
      in_time: { all: 0, good: 0 },
      recovery: { all: 0, good: 0 },
    });
    const server = await house.server("web-1");
    await ends(house, server, "applied");
    await ends(house, server, "undone");
    await ends(house, server, "wished_back");
    const cutOff = async (seconds: number, daysAgo: number): Promise<void> => {
      const request = await ends(house, server, "cut_off");
      await owner.run({
        text: `update holdfast.host_transactions set finished_at = now() - make_interval(days => $3), execute_sent_at = now() - make_interval(days => $3, secs => $2) where request_id = $1`,
        values: [request, seconds, daysAgo],
      });
    };
    await cutOff(20, 0);
    await cutOff(61, 0);
    await cutOff(20, OBJECTIVE_DAYS + 1);
    expect(await countObjectives(app)).toEqual({
      success: { all: 5, good: 1 },
      in_time: { all: 6, good: 6 },
      recovery: { all: 2, good: 1 },
    });
    // The metrics count the same ends, only for ever.
    const text = await metrics({
      database: app,
      sessions: () => 0,
      eventStreams: () => 0,
      onTrouble: () => undefined,
    }).text();
    expect(text).toContain('holdfast_applies_total{state="APPLIED",effect=""} 1\n');
    expect(text).toContain('holdfast_applies_total{state="ROLLED_BACK",effect=""} 5\n');
    expect(text).toContain('holdfast_rollbacks_total{code="operator.aborted"} 1\n');
    expect(text).toContain("holdfast_apply_duration_seconds_count 6\n");
  });
});

test("whoever sees some servers is shown what was kept on those, and nobody without view anything", async () => {
  await withApi(async (api) => {
    const all = await api.account("kim", ["view", "edit", "admin"]);
    const web = await api.account("lee", [{ permission: "view", scope: { role: "web" }, domains: null }]);
    const none = await api.account("park", ["audit"]);
    const stored = await storedHouse(api.test.app);
    for (const [name, role] of [
      ["web-1", "web"],
      ["db-1", "db"],
    ] as const) {
      await api.done(all, "createServer", { body: { name, labels: { role } } });
      const { id } = await api.test.owner.one<{ id: ServerId }>({
        text: "update holdfast.servers set enrolment = 'enrolled' where name = $1 returning id",
        values: [name],
      });
      await ends(stored, id, role === "web" ? "applied" : "undone");
    }
    const seenBy = async (token: string) =>
      (await api.done(token, "listObjectives")).items.find(({ name }) => name === "success");
    expect(await seenBy(all)).toMatchObject({
      counted: 2,
      good: 1,
      ...standingOf(OBJECTIVES.success, { all: 2, good: 1 }),
    });
    expect(await seenBy(web)).toMatchObject({ counted: 1, good: 1, budgetLeft: 1 });
    expect((await api.ask(none, "listObjectives")).status).toBe(403);
  });
});

test("the rules of Prometheus promise the same", () => {
  const rules = readFileSync(new URL("../../deploy/prometheus/holdfast.rules.yml", import.meta.url), "utf8");
  const slo = rules.slice(rules.indexOf("- name: holdfast-slo"), rules.indexOf("- name: holdfast-house"));
  const said = [...slo.matchAll(/labels: \{ slo: (\w+), objective: "([\d.]+)" \}([\s\S]*?)(?=- record|$)/g)];
  expect(said.map(([, name]) => name)).toEqual(OBJECTIVE_NAMES);
  for (const [, name, promised, expression = ""] of said) {
    const objective = OBJECTIVES[name as keyof typeof OBJECTIVES];
    expect(Number(promised), name).toBe(objective.promised);
    expect(expression.includes("_bucket{le"), name).toBe(objective.withinSeconds !== null);
    if (objective.withinSeconds !== null)
      expect(expression, name).toContain(`le=~"${String(objective.withinSeconds)}(`);
    expect(slo).toContain(
      `objective="${promised ?? ""}"}) / ${String(Math.round((1 - objective.promised) * 100) / 100)}`,
    );
  }
  expect(slo).toContain(`code=~"${WISHED_BACK}"`);
  for (const window of slo.matchAll(/\[(\d+)d\]/g)) expect(Number(window[1])).toBe(OBJECTIVE_DAYS);
});
