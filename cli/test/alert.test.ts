import type { Alert } from "@holdfast/core/api/alert.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiDouble } from "./api-double.ts";
import { runCli } from "./run-cli.ts";

const ALERT: Alert = {
  id: "0199-alert",
  kind: "drift",
  severity: "warning",
  state: "open",
  title: "A server is not what was confirmed",
  message: "web-1 is not what was confirmed: firewall.\u001b[31m",
  subject: "server/s1",
  server: "web-1",
  applyId: null,
  byItself: "A change that would overwrite it without saying so is refused",
  action: null,
  runbook: "docs/runbooks/drift.md",
  openedAt: "2026-01-02T03:01:05.000Z",
  acknowledgedAt: null,
  acknowledgedBy: null,
  acknowledgement: null,
  resolvedAt: null,
  acknowledge: null,
};

let api: ApiDouble;
beforeEach(async () => {
  api = await ApiDouble.start();
});
afterEach(() => api.close());

test("what stands is one line each, and cannot paint the terminal", async () => {
  api.on("GET /alerts", { json: { items: [ALERT], nextCursor: null } });
  const ran = await runCli(["alert", "list"], { url: api.url });
  expect(ran.exitCode).toBe(0);
  expect(ran.stdout).toMatch(/0199-alert {2}warning {3}open {3}drift {2}3 min ago {2}web-1 is not what was confirmed/);
  expect(ran.stdout).not.toContain("\u001b");
  const machine = await runCli(["alert", "list", "--json"], { url: api.url });
  expect(JSON.parse(machine.stdout)).toEqual([ALERT]);
});

test("nothing that stands is said in words", async () => {
  api.on("GET /alerts", { json: { items: [], nextCursor: null } });
  expect((await runCli(["alert", "list"], { url: api.url })).stdout).toBe("Nothing stands.\n");
});

test("one alert says what is done by itself and which page says what to do", async () => {
  api.on("GET /alerts/0199-alert", {
    json: { ...ALERT, state: "acknowledged", acknowledgedBy: "kim", acknowledgement: "looking" },
  });
  const { stdout } = await runCli(["alert", "show", "0199-alert"], { url: api.url });
  expect(stdout).toContain("By itself: A change that would overwrite");
  expect(stdout).toContain("What to do: docs/runbooks/drift.md");
  expect(stdout).toContain("kim is at it");
});

test("acknowledging sends the reason; a refusal ends 1 with its code", async () => {
  api.on("POST /alerts/0199-alert/acknowledge", { json: ALERT });
  expect((await runCli(["alert", "ack", "0199-alert", "on it"], { url: api.url })).stdout).toContain("Acknowledged");
  expect(api.bodyOf("POST /alerts/0199-alert/acknowledge")).toEqual({ reason: "on it" });
  api.on("POST /alerts/0199-alert/acknowledge", {
    status: 409,
    json: {
      type: "t",
      title: "t",
      status: 409,
      code: "alert.not_now",
      detail: "It is resolved.",
      remedy: "",
      requestId: "r",
    },
  });
  const refused = await runCli(["alert", "ack", "0199-alert", "on it"], { url: api.url });
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain("alert.not_now: It is resolved.");
});
