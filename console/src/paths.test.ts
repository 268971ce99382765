import { expect, test } from "vitest";
import { PATTERNS, paths, safeNext } from "./paths.ts";

test("every address of the console", () => {
  const all = {
    overview: paths.overview(),
    login: paths.login({ next: "/servers?q=a b" }),
    providerReturn: paths.providerReturn(),
    password: paths.password(),
    servers: paths.servers({ q: "role:web", show: "drift" }),
    server: paths.server("web-1", { tab: "live" }),
    documents: paths.documents({ kind: "Policy" }),
    document: paths.document("Policy", "web-host", { tab: "compare", from: "1", to: "2" }),
    editDocument: paths.editDocument("Server", "web-1", { view: "text", line: "3" }),
    changes: paths.changes(),
    change: paths.change("019a"),
    rollout: paths.rollout("019a"),
    apply: paths.apply("019a"),
    failures: paths.failures(),
    audit: paths.audit(),
    account: paths.account(),
    tokens: paths.tokens(),
    users: paths.users(),
    user: paths.user("kim"),
    roles: paths.roles(),
    secrets: paths.secrets(),
    agents: paths.agents(),
    notifications: paths.notifications(),
    retention: paths.retention(),
    doctor: paths.doctor(),
  } satisfies Record<keyof typeof paths, string>;
  expect(all).toMatchInlineSnapshot(`
    {
      "account": "/settings/account",
      "agents": "/settings/agents",
      "apply": "/applies/019a",
      "audit": "/audit",
      "change": "/changes/019a",
      "changes": "/changes",
      "doctor": "/doctor",
      "document": "/documents/Policy/web-host?tab=compare&from=1&to=2",
      "documents": "/documents?kind=Policy",
      "editDocument": "/documents/Server/web-1/edit?view=text&line=3",
      "failures": "/failures",
      "login": "/login?next=%2Fservers%3Fq%3Da+b",
      "notifications": "/settings/notifications",
      "overview": "/",
      "password": "/password",
      "providerReturn": "/login/oidc",
      "retention": "/settings/retention",
      "roles": "/settings/roles",
      "rollout": "/rollouts/019a",
      "secrets": "/settings/secrets",
      "server": "/servers/web-1?tab=live",
      "servers": "/servers?q=role%3Aweb&show=drift",
      "tokens": "/settings/tokens",
      "user": "/settings/users/kim",
      "users": "/settings/users",
    }
  `);
});

test("a name cannot leave its place in the address", () => {
  expect(paths.server("../../x?y#z")).toBe("/servers/..%2F..%2Fx%3Fy%23z");
});

test("each path fits the pattern of its page", () => {
  const shape = (pattern: string): RegExp => new RegExp(`^${pattern.replace(/\$\w+/g, "[^/]+")}$`);
  expect(paths.editDocument("Policy", "web-host")).toMatch(shape(PATTERNS.editDocument));
  expect(paths.server("web-1")).toMatch(shape(PATTERNS.server));
});

test.each([
  ["/servers/web-1?tab=live", "/servers/web-1?tab=live"],
  [undefined, "/"],
  ["https://elsewhere.example/", "/"],
  ["//elsewhere.example/", "/"],
  ["/\\elsewhere.example/", "/"],
  ["/login?next=/", "/"],
])("after signing in, %s leads to %s", (next, expected) => {
  expect(safeNext(next)).toBe(expected);
});
