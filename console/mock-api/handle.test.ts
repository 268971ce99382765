import { type RouteName, ROUTES } from "@holdfast/core/api/route.ts";
import { expect, test } from "vitest";
import { CSRF_TOKEN } from "./call.ts";
import { handle } from "./handle.ts";
import { SCENARIOS, seed } from "./seed.ts";

const NOW = Date.parse("2026-11-22T10:00:00Z");

/** Calls a mock as a signed-in administrator; the answer has been held against the contract's schema on the way. */
function client(scenario: (typeof SCENARIOS)[number]) {
  const state = seed(scenario, NOW);
  let session: string | null = null;
  const call = (method: string, path: string, body?: unknown, nowMs = NOW): { status: number; body: unknown } => {
    const answer = handle(state, {
      method,
      url: `/api/v1${path}`,
      body,
      session,
      csrf: CSRF_TOKEN,
      ifMatch: null,
      nowMs,
    });
    if (answer.session !== undefined) session = answer.session;
    return answer;
  };
  expect(call("POST", "/session", { user: "admin", password: "correct horse" }).status).toBe(200);
  return call;
}

test.each(SCENARIOS)("%s: every list that a page reads keeps the contract", (scenario) => {
  const call = client(scenario);
  const lists = (Object.keys(ROUTES) as RouteName[]).filter(
    (name) => ROUTES[name].method === "GET" && !ROUTES[name].path.includes("{") && name !== "events",
  );
  for (const name of lists) expect(call("GET", ROUTES[name].path).status, name).toBe(200);
});

test("every server, change, rollout and apply of the busy fleet keeps the contract", () => {
  const call = client("busy");
  const items = (path: string): readonly { id: string; name: string }[] =>
    (call("GET", path).body as { items: { id: string; name: string }[] }).items;
  for (const { name } of items("/servers"))
    for (const rest of ["", "/config", "/applies"]) expect(call("GET", `/servers/${name}${rest}`).status).toBe(200);
  for (const { id } of items("/changes")) expect(call("GET", `/changes/${id}`).status).toBe(200);
  for (const { id } of items("/rollouts")) expect(call("GET", `/rollouts/${id}`).status).toBe(200);
  for (const { id } of items("/applies")) expect(call("GET", `/applies/${id}`).status).toBe(200);
});

test("nobody gets in without a session, and nothing moves without the CSRF token", () => {
  const state = seed("calm", NOW);
  const ask = (csrf: string | null, session: string | null, method = "GET", url = "/api/v1/servers") =>
    handle(state, { method, url, body: {}, session, csrf, ifMatch: null, nowMs: NOW }).status;
  expect(ask(null, null)).toBe(401);
  const { session } = handle(state, {
    method: "POST",
    url: "/api/v1/session",
    body: { user: "viewer", password: "only looking on" },
    session: null,
    csrf: null,
    ifMatch: null,
    nowMs: NOW,
  });
  expect(ask(null, session ?? null)).toBe(200);
  expect(ask(null, session ?? null, "POST", "/api/v1/servers/web-1/resume")).toBe(403);
  expect(ask(CSRF_TOKEN, session ?? null, "POST", "/api/v1/servers/web-1/resume")).toBe(403);
});
