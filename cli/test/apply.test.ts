import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { ApiDouble } from "./api-double.ts";
import { runCli } from "./run-cli.ts";
import { apply, change, danger, plan, rollout } from "./specimens.ts";

let folder = "";
let file = "";
let api: ApiDouble;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "holdfast-documents-"));
  file = path.join(folder, "web-host.yaml");
  writeFileSync(file, "apiVersion: holdfast/v1\nkind: Policy\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  api = await ApiDouble.start();
});
afterEach(() => api.close());

function planned(...plans: ReturnType<typeof plan>[]): void {
  api.on("POST /changes", { json: change([]) }).on("POST /changes/change-1/plan", { json: change(plans) });
}

test("apply --yes applies exactly the plans that were shown, and ends 0", async () => {
  planned(plan());
  api.on("POST /changes/change-1/apply", { json: rollout(null, { state: "RUNNING" }) });
  api.on(
    "GET /rollouts/rollout-1",
    { json: rollout(apply({ state: "APPLYING", phase: "armed", serverIs: "unknown" }), { state: "RUNNING" }) },
    { json: rollout(apply()) },
  );
  const ran = await runCli(["apply", "-f", file, "--yes"], { url: api.url });
  expect(ran.exitCode).toBe(0);
  expect(api.bodyOf("POST /changes/change-1/apply")).toEqual({
    plans: [{ planId: "plan-1", planDigest: "d1" }],
    acknowledge: [],
    overwriteDrift: false,
  });
  expect(ran.stdout).toContain("web-1: 1 step");
  expect(ran.stdout).toContain("+ tcp dport 80 accept");
  expect(ran.stderr).toContain("APPLYING armed");
  expect(ran.stderr).toContain("APPLIED, server as requested");
  const keys = api.asked.filter((one) => one.route.startsWith("POST")).map((one) => one.headers["idempotency-key"]);
  expect(new Set(keys).size, "every unsafe call has a key of its own").toBe(3);
});

test("what was undone ends 3 and says both facts", async () => {
  planned(plan());
  api.on("POST /changes/change-1/apply", { json: rollout(null, { state: "RUNNING" }) });
  const undone = apply({
    state: "ROLLED_BACK",
    serverIs: "as_before",
    code: "apply.probe_failed",
    message: "it was cut",
  });
  api.on("GET /rollouts/rollout-1", { json: rollout(undone, { state: "HALTED" }) });
  const ran = await runCli(["apply", "-f", file, "--yes"], { url: api.url });
  expect(ran.exitCode).toBe(3);
  expect(ran.stderr).toContain("ROLLED_BACK, server as before");
  expect(ran.stderr).toContain("it was cut (apply.probe_failed)");
});

test("a failure ends 1 and tells what it left behind", async () => {
  planned(plan());
  api.on("POST /changes/change-1/apply", { json: rollout(null, { state: "RUNNING" }) });
  api.on("GET /rollouts/rollout-1", {
    json: rollout(apply({ state: "FAILED", effect: "restore_failed", serverIs: "mixed", code: "x.y", message: "m" }), {
      state: "HALTED",
    }),
  });
  const ran = await runCli(["apply", "-f", file, "--yes"], { url: api.url });
  expect(ran.exitCode).toBe(1);
  expect(ran.stderr).toContain("FAILED, server MIXED (the undo failed)");
});

test("--yes alone does not accept a danger: nothing is applied", async () => {
  planned(plan({ findings: [danger] }));
  const ran = await runCli(["apply", "-f", file, "--yes"], { url: api.url });
  expect(ran.exitCode).toBe(1);
  expect(ran.stderr).toContain("change.danger_not_accepted");
  expect(api.asked.map((one) => one.route)).toEqual(["POST /changes", "POST /changes/change-1/plan"]);
});

test("a person accepts a danger by typing the server's name, and it is acknowledged one by one", async () => {
  planned(plan({ findings: [danger] }));
  api
    .on("POST /changes/change-1/apply", { json: rollout(apply()) })
    .on("GET /rollouts/rollout-1", { json: rollout(apply()) });
  const ran = await runCli(["apply", "-f", file], { url: api.url, typed: ["web-1"] });
  expect(ran.exitCode).toBe(0);
  expect(api.bodyOf("POST /changes/change-1/apply")).toMatchObject({
    acknowledge: [{ server: "web-1", code: "compose.expect_broken", path: "expect[0]" }],
  });
});

test.each(["yes", "", "web-2"])("a danger is not accepted by typing %j", async (answer) => {
  planned(plan({ findings: [danger] }));
  const ran = await runCli(["apply", "-f", file], { url: api.url, typed: [answer] });
  expect(ran.exitCode).toBe(1);
  expect(api.bodyOf("POST /changes/change-1/apply")).toBeUndefined();
});

test("without a person and without --yes nothing is applied", async () => {
  planned(plan());
  const ran = await runCli(["apply", "-f", file], { url: api.url });
  expect(ran.exitCode).toBe(2);
  expect(api.bodyOf("POST /changes/change-1/apply")).toBeUndefined();
});

test("a server that cannot be planned stops all of it, unless it is left out with --on", async () => {
  planned(plan(), plan({ id: "plan-2", server: "web-2", status: "unreachable", planDigest: null }));
  api
    .on("POST /changes/change-1/apply", { json: rollout(apply()) })
    .on("GET /rollouts/rollout-1", { json: rollout(apply()) });
  const whole = await runCli(["apply", "-f", file, "--yes"], { url: api.url });
  expect(whole.exitCode).toBe(1);
  expect(whole.stderr).toContain("web-2 (unreachable)");
  const some = await runCli(["apply", "-f", file, "--yes", "--on", "web-1"], { url: api.url });
  expect(some.exitCode).toBe(0);
});

test("a server that the change does not concern is a mistake of usage", async () => {
  planned(plan());
  const ran = await runCli(["apply", "-f", file, "--yes", "--on", "web-9"], { url: api.url });
  expect(ran.exitCode).toBe(2);
  expect(ran.stderr).toContain("It concerns: web-1");
});

test("errors of the documents stop it before any server is asked", async () => {
  const error = { ...danger, severity: "error" as const, code: "policy.unknown_key" };
  api.on("POST /changes", { json: change([], { findings: [error] }) });
  const ran = await runCli(["apply", "-f", file, "--yes"], { url: api.url });
  expect(ran.exitCode).toBe(1);
  expect(api.asked.map((one) => one.route)).toEqual(["POST /changes"]);
});

test("a control plane that goes away while it is on trial is waited for, and the outcome is asked for", async () => {
  planned(plan());
  api.on("POST /changes/change-1/apply", { json: rollout(null, { state: "RUNNING" }) });
  api.on("GET /rollouts/rollout-1", "hang_up", "hang_up", {
    json: rollout(apply({ state: "ROLLED_BACK", serverIs: "as_before" })),
  });
  const ran = await runCli(["apply", "-f", file, "--yes"], { url: api.url });
  expect(ran.exitCode).toBe(3);
  expect(ran.stderr.match(/does not answer/g), "said once").toHaveLength(1);
  expect(ran.stderr).toContain("The control plane is back.");
});

test("--json is one document and nothing else on standard output", async () => {
  planned(plan());
  api
    .on("POST /changes/change-1/apply", { json: rollout(apply()) })
    .on("GET /rollouts/rollout-1", { json: rollout(apply()) });
  const ran = await runCli(["apply", "-f", file, "--yes", "--json"], { url: api.url });
  expect(JSON.parse(ran.stdout)).toMatchObject({ changeId: "change-1", rollout: { state: "DONE" } });
});

test("plan --exit-code tells a pipeline whether there is something to do", async () => {
  planned(plan());
  expect((await runCli(["plan", "-f", file, "--exit-code"], { url: api.url })).exitCode).toBe(3);
  planned(plan({ status: "nothing_to_do", steps: [], nativeDiff: {} }));
  expect((await runCli(["plan", "-f", file, "--exit-code"], { url: api.url })).exitCode).toBe(0);
  planned(plan({ status: "refused" }));
  expect((await runCli(["plan", "-f", file, "--exit-code"], { url: api.url })).exitCode).toBe(1);
});

test("nobody there: exit code 4 and what to do", async () => {
  const url = api.url;
  await api.close();
  const ran = await runCli(["server", "list"], { url });
  expect(ran.exitCode).toBe(4);
  expect(ran.stderr).toContain("cli.unreachable");
  api = await ApiDouble.start();
});

test("something that is not Holdfast is said so", async () => {
  api.on("GET /servers", { json: { hello: "there" } });
  const ran = await runCli(["server", "list"], { url: api.url });
  expect(ran.exitCode).toBe(4);
  expect(ran.stderr).toContain("cli.answer_not_understood");
});
