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

test.each([
  ["everywhere in all domains stays all domains", null, ["firewall"], null],
  ["all domains after one", ["firewall"], [], null],
  ["one domain after another", ["firewall"], ["network"], ["firewall", "network"]],
  ["the same one again", ["network"], ["network"], ["network"]],
  ["several, sorted", ["vpn", "network"], ["firewall", "network"], ["firewall", "network", "vpn"]],
])("a grant on the same servers takes nothing away: %s", async (_, before, given, after) => {
  // The labels stand in another order than they are typed in.
  const scope = { site: "seoul", role: "web" };
  const held = {
    ...kim,
    permissions: [{ permission: "apply", scope, domains: before }, ...kim.permissions],
    roles: [{ role: "operator", scope, domains: before }],
  };
  api
    .on("GET /users", { json: { items: [held], nextCursor: null } })
    .on("PUT /users/kim/permissions", { json: { ...held, etag: "e2" } });
  const where = ["--on", "role=web", "--on", "site=seoul", ...given.flatMap((domain) => ["--domain", domain])];
  const ran = await runCli(["user", "grant", "kim", "--may", "apply", "--role", "operator", ...where], {
    url: api.url,
  });
  expect([ran.exitCode, ran.stderr]).toEqual([0, ""]);
  expect(api.bodyOf("PUT /users/kim/permissions")).toEqual({
    permissions: [{ permission: "apply", scope, domains: after }, ...kim.permissions],
    roles: [{ role: "operator", scope, domains: after }],
  });
});

test("a permission of a new service is never given elsewhere than said: refused, with the words that do it", async () => {
  api.on("POST /services", { status: 201, json: { ...kim, name: "ci", kind: "service" } });
  for (const where of [
    ["--on", "role=web"],
    ["--domain", "firewall"],
  ]) {
    const ran = await runCli(["service", "create", "ci", "--may", "apply", "--role", "operator", ...where], {
      url: api.url,
    });
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toContain(`holdfast user grant ci --may apply ${where.join(" ")}`);
  }
  expect(api.asked).toEqual([]);
  expect((await runCli(["service", "create", "ci", "--may", "view"], { url: api.url })).exitCode).toBe(0);
  expect(
    (await runCli(["service", "create", "ci", "--role", "operator", "--on", "role=web"], { url: api.url })).exitCode,
  ).toBe(0);
  expect(api.asked.map(({ body }) => body)).toEqual([
    { name: "ci", permissions: ["view"], roles: [] },
    { name: "ci", permissions: [], roles: [{ role: "operator", scope: { role: "web" }, domains: null }] },
  ]);
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

test("a one-time password is changed within the one sign-in: a code of an authenticator is good for once", async () => {
  const me = {
    user: "kim",
    permissions: ["view"],
    mustChangePassword: true,
    secondFactor: true,
    passkeys: 0,
    csrfToken: null,
  };
  const problem = (code: string) => ({
    status: 401,
    json: { type: "about:blank", title: "t", status: 401, code, detail: "x", remedy: "y", requestId: "r" },
  });
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
    .on(
      "POST /session",
      problem("account.code_needed"),
      { json: { ...me, sessionToken: "first" } },
      problem("account.wrong_code"),
    )
    .on("POST /me/password", { json: { done: true } })
    .on("POST /tokens", { status: 201, json: { ...token, secret: "hf_x" } })
    .on("DELETE /session", { json: { done: true } });
  const ran = await runCli(["login", "--url", api.url], {
    url: api.url,
    typed: ["kim", "one-time", "a-new-long-password", "a-new-long-password"],
    env: { HOLDFAST_CODE: "123456" },
  });
  expect([ran.exitCode, ran.stderr]).toEqual([0, ""]);
  expect(api.asked.map(({ route, headers }) => [route, headers.authorization])).toEqual([
    ["POST /session", undefined],
    ["POST /session", undefined],
    ["POST /me/password", "Bearer first"],
    ["POST /tokens", "Bearer first"],
    ["DELETE /session", "Bearer first"],
  ]);
  expect(api.bodyOf("POST /me/password")).toEqual({ current: "one-time", next: "a-new-long-password" });
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
    epoch: 1,
    nextEpoch: 2,
    onServers: {
      counts: { holds: 3, none: 0, ahead: 2, forked: 0, unproven: 0, refuses: 0, unsupported: 1 },
      unasked: 1,
      notable: [
        {
          server: "web-1",
          standing: "ahead",
          from: "server",
          epoch: 1,
          entries: 40,
          head: "f",
          at: "2026-01-31T00:00:00Z",
        },
        {
          server: null,
          standing: "ahead",
          from: "receipt",
          epoch: 1,
          entries: 39,
          head: "e",
          at: "2026-01-31T00:00:00Z",
        },
        { server: "db-1", standing: "unsupported", from: "server", epoch: null, entries: null, head: null, at: null },
      ],
    },
  };
  api.on("GET /audit/verify", { json: verdict });
  const ran = await runCli(["audit", "verify"], { url: api.url });
  expect([ran.exitCode, ran.stdout]).toEqual([1, expect.stringContaining("BROKEN at entry 7: the end was cut off")]);
  expect(ran.stdout.split("\n").slice(1)).toEqual([
    "3 servers with a head that is in it",
    "2 servers KNOWING MORE OF IT: it was cut off, or an older one was put back",
    "  web-1: 40 entries, epoch 1, at 2026-01-31T00:00:00Z, head f",
    "  one that you may not see: 39 entries, epoch 1, at 2026-01-31T00:00:00Z, head e (by its last receipt)",
    "1 server with an agent from before heads were kept: upgrade it",
    "  db-1",
    "1 of them could not be asked now; what they last signed is counted",
    "Treat it as an intrusion until you know better: docs/runbooks/audit-heads.md",
    "Only if a backup was put back on purpose: holdfast audit accept 2 'REASON'",
    "",
  ]);
});

test("a log is accepted as it is by the epoch that was read, with a reason", async () => {
  api.on("POST /audit/epochs", { json: { epoch: 2, entries: 6, head: "h", at: "2026-01-31T00:00:00Z" } });
  const ran = await runCli(["audit", "accept", "2", "the disk died"], { url: api.url });
  expect([ran.exitCode, ran.stdout]).toEqual([0, expect.stringContaining("Epoch 2 is begun")]);
  expect(api.bodyOf("POST /audit/epochs")).toEqual({ epoch: 2, reason: "the disk died" });
});

test("an export is handed on as it comes; a refused one ends 1, one without an answer 4", async () => {
  api.on("GET /audit/export", { json: { id: 1 } }, "hang_up");
  expect((await runCli(["audit", "export", "--actor", "kim"], { url: api.url })).stdout).toBe('{"id":1}');
  expect((await runCli(["audit", "export"], { url: api.url })).exitCode).toBe(4);
  expect((await runCli(["user", "grant", "kim", "--on", "web"], { url: api.url })).exitCode).toBe(2);
});

test.each([
  [["user", "grant", "kim"], "--role or --may"],
  [["user", "revoke", "kim"], "--role or --may"],
  [["user", "grant", "kim", "--may", "view", "--on", "role=web", "--on", "role=db"], "role is said twice"],
  [["user", "grant", "kim", "--may", "view", "--on", "Role=web"], "Role=web is no label"],
  [["user", "grant", "kim", "--may", "view", "--on", "role="], "role= is no label"],
  [["user", "create", "kim", "--on", "role=web"], "--role"],
  [["user", "create", "kim", "--may", "view", "--on", "role=web"], "holdfast user grant kim --may view --on role=web"],
  [["token", "create", "ci"], "--may"],
  [["service", "token", "ci"], "--may"],
  [["role", "save", "night"], "--may"],
  [["token", "create", "ci", "--may", "view", "--days", "soon"], "no whole number from 1 to 366"],
  [["service", "token", "ci", "--may", "view", "--days", "367"], "no whole number from 1 to 366"],
  [["audit", "list", "--limit", "0"], "no whole number from 1 to 200"],
  [["user", "sign-out", "kim"], "id"],
  [["user", "disable", "kim", "lee"], "lee"],
])("%j is refused here, with the word that is missing or wrong, and nothing is sent", async (argv, word) => {
  const ran = await runCli(argv, { url: api.url });
  expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([2, "", expect.stringContaining(word)]);
  expect(api.asked).toEqual([]);
});

test("what is not held cannot be revoked: all stays, and the words say where it may come from", async () => {
  api.on("GET /users", { json: { items: [kim], nextCursor: null } });
  const ran = await runCli(["user", "revoke", "kim", "--may", "apply", "--may", "edit", "--role", "auditor"], {
    url: api.url,
  });
  expect([ran.exitCode, ran.stderr]).toEqual([
    1,
    expect.stringContaining(
      "kim does not hold edit, the role auditor itself; nothing was changed. It may come with a role: author.",
    ),
  ]);
  expect(api.asked.map(({ route }) => route)).toEqual(["GET /users"]);
});

test("a new account has its roles in their places from the first moment; a machine gets the answer itself", async () => {
  const made = { name: "lee", password: "one-time" };
  api.on("POST /users", { status: 201, json: made });
  const argv = ["user", "create", "lee", "--role", "author", "--on", "site=seoul", "--domain", "vpn", "--json"];
  const ran = await runCli(argv, { url: api.url });
  expect([ran.exitCode, JSON.parse(ran.stdout)]).toEqual([0, made]);
  expect(api.bodyOf("POST /users")).toEqual({
    name: "lee",
    permissions: [],
    roles: [{ role: "author", scope: { site: "seoul" }, domains: ["vpn"] }],
  });
});

test("a role that is saved says what it was before, and for whom it is another now", async () => {
  const role = { name: "operator", description: "d", permissions: ["view", "apply"], heldBy: ["ci", "kim"], etag: "1" };
  api
    .on("GET /roles", { json: { items: [role] } })
    .on("PUT /roles/operator", { json: { ...role, permissions: ["view"], etag: "2" } });
  const ran = await runCli(["role", "save", "operator", "--may", "view", "--may", "view"], { url: api.url });
  expect(ran.stdout).toBe("operator: view (before: view apply), for ci, kim\n");
  expect(api.bodyOf("PUT /roles/operator")).toEqual({ description: "d", permissions: ["view"] });
});

test("a new password is typed twice: after a slip nobody could sign in any more", async () => {
  const me = {
    user: "kim",
    permissions: ["view"],
    mustChangePassword: true,
    secondFactor: false,
    passkeys: 0,
    csrfToken: null,
  };
  api.on("POST /session", { json: { ...me, sessionToken: "first" } });
  const ran = await runCli(["login", "--url", api.url], {
    url: api.url,
    typed: ["kim", "one-time", "a-new-long-password", "a-new-long-passwort"],
  });
  expect([ran.exitCode, ran.stderr]).toEqual([1, expect.stringContaining("cli.values_differ")]);
  expect(api.asked.map(({ route }) => route)).toEqual(["POST /session"]);
});

test("a server that is there is not enrolled with labels that it would not get", async () => {
  const item = {
    id: "s",
    name: "web-1",
    labels: { role: "web" },
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
  };
  api.on("GET /servers", { json: { items: [item], nextCursor: null } });
  const ran = await runCli(["server", "enroll", "web-1", "--label", "role=db"], { url: api.url });
  expect([ran.exitCode, ran.stderr]).toEqual([2, expect.stringContaining("web-1 is there already, with other labels")]);
  expect(api.asked.map(({ route }) => route)).toEqual(["GET /servers"]);
});
