import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiDouble } from "./api-double.ts";
import { runCli } from "./run-cli.ts";
import { apply, change, plan, rollout } from "./specimens.ts";

let folder = "";
let file = "";
let api: ApiDouble;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "holdfast-documents-"));
  file = path.join(folder, "web-host.yaml");
  writeFileSync(file, "apiVersion: holdfast/v1\nkind: Policy\n");
  api = await ApiDouble.start();
  api.on("POST /changes", { json: change([]) }).on("POST /changes/change-1/plan", { json: change([plan()]) });
  api.on("GET /rollouts/rollout-1", { json: rollout(apply()) });
  api.on("GET /me", { json: me(1) }).on("DELETE /session", { json: { done: true } });
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await api.close();
});

const me = (passkeys: number, secondFactor = false) => ({
  user: "kim",
  permissions: ["apply"],
  mustChangePassword: false,
  secondFactor,
  passkeys,
  csrfToken: null,
});

const refusal = (status: number, code: string) => ({
  status,
  json: { type: "about:blank", title: "t", status, code, detail: "The floor asks.", remedy: "Do it.", requestId: "r" },
});

const applies = () => api.asked.filter((one) => one.route === "POST /changes/change-1/apply");

test("where a floor asks for a person, the terminal asks for password and code, sends the same in a session, and ends it", async () => {
  api
    .on("POST /changes/change-1/apply", refusal(403, "access.step_up_by_token"), {
      json: rollout(null, { state: "RUNNING" }),
    })
    .on("POST /session", refusal(401, "account.code_needed"), { json: { ...me(0, true), sessionToken: "s" } });
  const ran = await runCli(["apply", "-f", file], { url: api.url, typed: ["yes", "pw", "123456"] });
  expect(ran.stderr).toContain("The floor asks.");
  expect(ran.exitCode).toBe(0);
  const [first, second] = applies();
  expect(second?.body).toEqual(first?.body);
  expect(second?.headers["authorization"]).toBe("Bearer s");
  expect(first?.headers["authorization"]).not.toBe("Bearer s");
  expect(api.asked.filter((one) => one.route === "DELETE /session")).toHaveLength(1);
});

test("without a second factor nothing is sent again, and the session ends all the same; without a terminal nobody is asked", async () => {
  api
    .on("POST /changes/change-1/apply", refusal(403, "access.step_up_needed"))
    .on("POST /session", { json: { ...me(0), sessionToken: "s" } });
  const ran = await runCli(["apply", "-f", file], { url: api.url, typed: ["yes", "pw"] });
  expect(ran.exitCode).toBe(1);
  expect(ran.stderr).toContain("no second factor");
  expect(applies()).toHaveLength(1);
  expect(api.asked.filter((one) => one.route === "DELETE /session")).toHaveLength(1);
  const script = await runCli(["apply", "-f", file, "--yes"], { url: api.url });
  expect(script.exitCode).toBe(1);
  expect(script.stderr).toContain("access.step_up_needed");
});

test("passkeys are listed, and given up with the password; a recovery code stands for one at a sign-in", async () => {
  const passkey = { id: "p1", name: "laptop", createdAt: "2026-01-01T00:00:00Z", lastUsedAt: null, synced: true };
  api
    .on("GET /me/passkeys", { json: { items: [passkey] } }, { json: { items: [] } })
    .on("POST /me/passkeys/p1/remove", { json: { done: true } });
  expect((await runCli(["me", "passkeys", "list"], { url: api.url })).stdout).toMatch(/p1 +laptop +synchronised/);
  expect((await runCli(["me", "passkeys", "list"], { url: api.url })).stdout).toContain("in the console");
  await runCli(["me", "passkeys", "remove", "p1"], { url: api.url, typed: ["pw"] });
  expect(api.bodyOf("POST /me/passkeys/p1/remove")).toEqual({ password: "pw" });
  api
    .on("POST /changes/change-1/apply", refusal(403, "access.step_up_needed"), {
      json: rollout(null, { state: "RUNNING" }),
    })
    .on("POST /session", refusal(401, "account.passkey_needed"), { json: { ...me(1), sessionToken: "s" } });
  const ran = await runCli(["apply", "-f", file], { url: api.url, typed: ["yes", "pw", "abcde-fghij"] });
  expect(ran.stdout).toContain("a recovery code");
  expect(ran.exitCode).toBe(0);
});
