import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiDouble } from "./api-double.ts";
import { runCli } from "./run-cli.ts";

let api: ApiDouble;
beforeEach(async () => {
  api = await ApiDouble.start();
});
afterEach(() => api.close());

const AT = "2026-01-02T03:04:00.000Z";
const user = (name: string) => ({
  name,
  kind: "person",
  disabled: false,
  mustChangePassword: false,
  secondFactor: false,
  passkeys: 0,
  permissions: [],
  roles: [],
  etag: `of-${name}`,
});
const token = (id: string) => ({
  id,
  name: "ci",
  permissions: ["view"],
  scope: { all: true },
  domains: null,
  createdAt: AT,
  expiresAt: null,
  lastUsedAt: null,
});
const alert = (id: string) => ({
  id,
  kind: "drift",
  severity: "warning",
  state: "open",
  title: "t",
  message: "m",
  subject: "server/s1",
  server: "web-1",
  applyId: null,
  byItself: null,
  action: null,
  runbook: "docs/runbooks/drift.md",
  openedAt: AT,
  acknowledgedAt: null,
  acknowledgedBy: null,
  acknowledgement: null,
  resolvedAt: null,
  acknowledge: null,
});
const delivery = (id: string) => ({
  id: "d",
  alertId: id,
  event: "opened",
  channel: "ops",
  state: "delivered",
  tries: 1,
  nextTryAt: null,
  lastStatus: 200,
  lastError: null,
  createdAt: AT,
  finishedAt: AT,
});
const server = (name: string) => ({
  id: name,
  name,
  labels: {},
  enrolment: "expected",
  connected: false,
  lastSeenAt: null,
  generation: 0,
  locked: null,
  paused: null,
  drift: [],
  open: null,
  lastSuccess: null,
  lastFailure: null,
});
const document = (name: string) => ({
  kind: "Policy",
  name,
  revision: 1,
  digest: "d",
  author: "kim",
  at: AT,
  deleted: false,
  inForceOn: [],
});

test.each([
  ["user list", "GET /users", user],
  ["token list", "GET /tokens", token],
  ["alert list", "GET /alerts", alert],
  ["alert deliveries", "GET /deliveries", delivery],
  ["server list", "GET /servers", server],
  ["policy list", "GET /documents", document],
] as const)("%s shows all pages, not the first as if it were all", async (command, route, item) => {
  api.on(
    route,
    { json: { items: [item("first-one")], nextCursor: "c1" } },
    { json: { items: [item("second-one")], nextCursor: "c2" } },
    { json: { items: [item("third-one")], nextCursor: null } },
  );
  const { stdout, exitCode } = await runCli(command.split(" "), { url: api.url });
  expect(exitCode).toBe(0);
  for (const word of ["first-one", "second-one", "third-one"]) expect(stdout).toContain(word);
  expect(api.asked.map(({ query }) => query["cursor"])).toEqual([undefined, "c1", "c2"]);
  // What is asked stays asked on every page.
  if (command === "alert list") expect(api.asked.map(({ query }) => query["state"])).toEqual(Array(3).fill("standing"));
});

test("an account on a later page is there for a grant, with its own ETag", async () => {
  api
    .on(
      "GET /users",
      { json: { items: [user("ann")], nextCursor: "c1" } },
      { json: { items: [user("kim")], nextCursor: null } },
    )
    .on("PUT /users/kim/permissions", { json: user("kim") });
  expect((await runCli(["user", "grant", "kim", "--may", "view"], { url: api.url })).exitCode).toBe(0);
  expect(api.asked.at(-1)?.headers["if-match"]).toBe("of-kim");
});

test("a list that goes in a circle ends with a word why, and shows nothing as if it were all", async () => {
  api.on("GET /users", { json: { items: [user("ann")], nextCursor: "same" } });
  const ran = await runCli(["user", "list"], { url: api.url });
  expect([ran.exitCode, ran.stdout]).toEqual([4, ""]);
  expect(ran.stderr).toContain("cli.list_without_end");
});

test.each(["change list", "change list --json"])(
  "%s: that there is more is said, beside the answer",
  async (command) => {
    const summary = {
      id: "c",
      title: "t",
      reason: "",
      state: "READY",
      author: "kim",
      createdAt: AT,
      items: [],
      counts: {},
    };
    api.on(
      "GET /changes",
      { json: { items: [summary], nextCursor: "c1" } },
      { json: { items: [summary], nextCursor: null } },
    );
    const more = await runCli(command.split(" "), { url: api.url });
    expect([more.exitCode, more.stderr]).toEqual([0, "These are the newest 1; there are older ones.\n"]);
    expect(more.stdout).not.toContain("newest");
    expect((await runCli(command.split(" "), { url: api.url })).stderr).toBe("");
  },
);
