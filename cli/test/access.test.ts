import { afterEach, beforeEach, expect, test } from "vitest";
import { ApiDouble } from "./api-double.ts";
import { runCli } from "./run-cli.ts";

let api: ApiDouble;
beforeEach(async () => {
  api = await ApiDouble.start();
});
afterEach(() => api.close());

const everywhere = { scope: { all: true }, domains: null };
const kim = {
  name: "kim",
  kind: "person",
  disabled: false,
  mustChangePassword: false,
  secondFactor: true,
  passkeys: 0,
  permissions: [
    { permission: "view", ...everywhere },
    { permission: "apply", scope: { role: "db" }, domains: null },
  ],
  roles: [{ role: "author", ...everywhere }],
  etag: "e1",
};

test("a grant adds to what is there, in its own place only, and says what it has read", async () => {
  api
    .on("GET /users", { json: { items: [kim], nextCursor: null } })
    .on("PUT /users/kim/permissions", { json: { ...kim, etag: "e2" } });
  const argv = [
    "user",
    "grant",
    "kim",
    "--role",
    "operator",
    "--may",
    "apply",
    "--on",
    "role=web",
    "--domain",
    "firewall",
  ];
  const ran = await runCli(argv, { url: api.url });
  expect(ran.exitCode).toBe(0);
  const place = { scope: { role: "web" }, domains: ["firewall"] };
  expect(api.bodyOf("PUT /users/kim/permissions")).toEqual({
    permissions: [...kim.permissions, { permission: "apply", ...place }],
    roles: [...kim.roles, { role: "operator", ...place }],
  });
  expect(api.asked.find((one) => one.route.startsWith("PUT"))?.headers["if-match"]).toBe("e1");
});

test("what is revoked goes wherever it holds, and nothing else", async () => {
  api.on("GET /users", { json: { items: [kim], nextCursor: null } }).on("PUT /users/kim/permissions", { json: kim });
  expect((await runCli(["user", "revoke", "kim", "--may", "apply"], { url: api.url })).exitCode).toBe(0);
  expect(api.bodyOf("PUT /users/kim/permissions")).toEqual({ permissions: [kim.permissions[0]], roles: kim.roles });
  const nobody = await runCli(["user", "revoke", "lee", "--may", "apply"], { url: api.url });
  expect([nobody.exitCode, nobody.stderr]).toEqual([1, expect.stringContaining("resource.not_found")]);
});

test("a role alone, everywhere, and a token that is not narrowed, need no other word", async () => {
  const token = {
    id: "i",
    name: "ci",
    permissions: ["view"],
    ...everywhere,
    createdAt: "",
    expiresAt: null,
    lastUsedAt: null,
  };
  api
    .on("GET /users", { json: { items: [kim], nextCursor: null } })
    .on("PUT /users/kim/permissions", { json: kim })
    .on("POST /tokens", { status: 201, json: { ...token, secret: "hf_x" } });
  expect((await runCli(["user", "grant", "kim", "--role", "viewer"], { url: api.url })).exitCode).toBe(0);
  expect(api.bodyOf("PUT /users/kim/permissions")).toEqual({
    permissions: kim.permissions,
    roles: [...kim.roles, { role: "viewer", ...everywhere }],
  });
  expect((await runCli(["token", "create", "ci", "--may", "view"], { url: api.url })).exitCode).toBe(0);
  expect(api.bodyOf("POST /tokens")).toMatchObject({ permissions: ["view"], ...everywhere });
});

test("a new role says that it is new, one that is there what was read", async () => {
  const role = { name: "night", description: "Nights", permissions: ["view"], heldBy: [], etag: "3" };
  api
    .on("GET /roles", { json: { items: [role] } })
    .on("PUT /roles/night", { json: role })
    .on("PUT /roles/day", { json: role });
  await runCli(["role", "save", "night", "--may", "view", "--may", "apply"], { url: api.url });
  await runCli(["role", "save", "day", "--may", "view"], { url: api.url });
  expect(api.bodyOf("PUT /roles/night")).toEqual({ description: "Nights", permissions: ["view", "apply"] });
  const puts = api.asked.filter((one) => one.route.startsWith("PUT")).map((one) => one.headers["if-match"]);
  expect(puts).toEqual(["3", "new"]);
});

test("a sign-in asks for a code only where one is needed", async () => {
  const me = {
    user: "kim",
    permissions: ["view"],
    mustChangePassword: false,
    secondFactor: true,
    passkeys: 0,
    csrfToken: null,
  };
  const problem = {
    type: "about:blank",
    title: "A code is needed",
    status: 401,
    code: "account.code_needed",
    detail: "x",
    remedy: "y",
    requestId: "r",
  };
  const token = {
    id: "i",
    name: "n",
    permissions: ["view"],
    ...everywhere,
    createdAt: "",
    expiresAt: null,
    lastUsedAt: null,
  };
  api
    .on("POST /session", { status: 401, json: problem }, { json: { ...me, sessionToken: "s" } })
    .on("POST /tokens", { status: 201, json: { ...token, secret: "hf_x" } })
    .on("DELETE /session", { json: { done: true } });
  const ran = await runCli(["login", "--url", api.url], { url: api.url, typed: ["kim", "pw", "123456"] });
  expect(ran.exitCode).toBe(0);
  expect(ran.stdout).toContain("Code of your authenticator");
  expect(api.asked.filter((one) => one.route === "POST /session").map((one) => one.body)).toEqual([
    { user: "kim", password: "pw" },
    { user: "kim", password: "pw", code: "123456" },
  ]);
});

test("a log that is not what was written ends 1 and says what was found", async () => {
  const verdict = {
    entries: 6,
    intact: false,
    firstBroken: 7,
    reason: "cut_off",
    head: "h",
    anchors: 2,
    newestAnchor: null,
  };
  api.on("GET /audit/verify", { json: verdict });
  const ran = await runCli(["audit", "verify"], { url: api.url });
  expect([ran.exitCode, ran.stdout]).toEqual([1, expect.stringContaining("BROKEN at entry 7: the end was cut off")]);
});

test("an export is handed on as it comes; a refused one ends 1, one without an answer 4", async () => {
  api.on("GET /audit/export", { json: { id: 1 } }, "hang_up");
  expect((await runCli(["audit", "export", "--actor", "kim"], { url: api.url })).stdout).toBe('{"id":1}');
  expect((await runCli(["audit", "export"], { url: api.url })).exitCode).toBe(4);
  expect((await runCli(["user", "grant", "kim", "--on", "web"], { url: api.url })).exitCode).toBe(2);
});
