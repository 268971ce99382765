import { type Permission, PERMISSIONS } from "@holdfast/core/api/account.ts";
import { expect, test, vi } from "vitest";
import { sql } from "../src/store/sql.ts";
import { bodyOf, planned } from "./api-changes.ts";
import { EVERYTHING, withApi } from "./api-house.ts";
import { twoServers, WEB } from "./two-servers.ts";

/** Real rollouts over real TLS and a real database. */
vi.setConfig({ testTimeout: 60_000 });

test("S16: with any condition or none, the database shows a narrowed reader the rows of their servers and of no other", async () => {
  await withApi(async (api) => {
    await twoServers(api);
    const { app } = api.test;
    const servers = await app.rows<{ id: never; name: string }>(sql`select id, name from servers order by name`);
    const web = servers.find((row) => row.name === "web-1");
    const seen = app.seenBy(web === undefined ? [] : [web.id]);
    // Every table that says of which server a row is, found by the column: a new one without row security fails here.
    const tables = await app.rows<{ name: string; secured: boolean }>({
      text: `select c.relname as name, c.relrowsecurity as secured from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where n.nspname = 'holdfast' and c.relkind = 'r' and exists (
               select from pg_attribute a where a.attrelid = c.oid and a.attname = 'server_id' and not a.attisdropped) order by 1`,
      values: [],
    });
    // Entries are cut by whether one may audit a server, not by whether one may see it: listAudit asks for that.
    const cutElsewhere = ["audit_log"];
    expect(tables.filter((one) => !one.secured).map((one) => one.name)).toEqual(cutElsewhere);
    for (const { name } of tables.filter((one) => one.secured)) {
      const rows = await seen.rows<{ server_id: string }>({ text: `select server_id from ${name}`, values: [] });
      expect(new Set(rows.map((row) => row.server_id)).size, name).toBeLessThanOrEqual(1);
      expect(
        rows.every((row) => row.server_id === web?.id),
        name,
      ).toBe(true);
    }
    const count = async (from: string, reader = seen) =>
      (await reader.one<{ n: number }>({ text: `select count(*)::int as n from ${from}`, values: [] })).n;
    expect(await count("applies")).toBe(1);
    expect(await count("servers")).toBe(1);
    expect(await count("server_status")).toBe(1);
    expect(await count("server_policies where server_name = 'db-1'")).toBe(0);
    expect(await count("apply_events")).toBe(
      await count(
        "apply_events where apply_id in (select id from applies where server_id = any(current_setting('holdfast.visible')::uuid[]))",
      ),
    );
    expect(await count("apply_events")).toBeGreaterThan(0);
    const nobody = app.seenBy([]);
    for (const { name } of tables.filter((one) => one.secured)) expect(await count(name, nobody), name).toBe(0);
    expect(await count("apply_events", nobody)).toBe(0);
    // A reader changes nothing that it does not see, and the session that it used sees the whole house again.
    expect(await nobody.run({ text: "update servers set paused_reason = 'x'", values: [] })).toBe(0);
    for (let index = 0; index < 20; index++) expect(await count("servers", app)).toBe(2);
    await expect(seen.rows({ text: "select nothing from nowhere", values: [] })).rejects.toThrow("nowhere");
    for (let index = 0; index < 20; index++) expect(await count("servers", app)).toBe(2);
  });
});

test("S16: changes of a hidden server's own document are not there; of others its document is left out", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.done(kim, "createServer", { body: { name: "web-1", labels: WEB } });
    await api.done(kim, "createServer", { body: { name: "db-1", labels: { role: "db" } } });
    const lee = await api.account("lee", [{ permission: "view", scope: WEB, domains: null }]);
    const server = (name: string, role: string) =>
      `apiVersion: holdfast/v1\nkind: Server\nname: ${name}\nlabels: { role: ${role}, tier: gold }\n`;
    const write = (title: string, ...texts: string[]) =>
      api.done(kim, "createChange", { body: { title, documents: texts.map((text) => ({ text })) } });
    const hidden = await write("gold for db-1", server("db-1", "db"));
    const mixed = await write("gold for all", server("db-1", "db"), server("web-1", "web"));
    const seen = (await api.done(lee, "listChanges")).items;
    expect(seen.map(({ title }) => title)).toEqual(["gold for all", "Expect web-1"]);
    expect(JSON.stringify(seen)).not.toContain("db-1");
    expect((await api.ask(lee, "getChange", { params: { id: hidden.id } })).status).toBe(404);
    const detail = await api.done(lee, "getChange", { params: { id: mixed.id } });
    expect([detail.items.length, JSON.stringify(detail).includes("db-1")]).toEqual([1, false]);
    expect((await api.done(kim, "listChanges")).items.length).toBe(4);
    // Page by page nothing is lost and nothing more is told.
    const titles: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query: Record<string, string> = { limit: "1", ...(cursor === "" ? {} : { cursor }) };
      const page = await api.done(lee, "listChanges", { query });
      titles.push(...page.items.map(({ title }) => title));
      cursor = page.nextCursor;
    }
    expect(titles).toEqual(["gold for all", "Expect web-1"]);
  });
});

test("S13: roles are sets of permissions with a place; changing one changes it for all who hold it, and nobody climbs by it", async () => {
  await withApi(async (api) => {
    const root = await api.account("root", ["admin"]);
    const all = await api.account("all", EVERYTHING);
    await api.done(all, "createServer", { body: { name: "web-1", labels: WEB } });
    await api.done(all, "createServer", { body: { name: "db-1", labels: { role: "db" } } });
    const lee = await api.account("lee", []);
    const give = async (token: string, name: string, body: object) => {
      const user = (await api.done(token, "listUsers")).items.find((one) => one.name === name);
      const headers = { "if-match": `"${user?.etag ?? ""}"` };
      return api.ask(token, "setUserPermissions", { params: { name }, body, headers });
    };
    const roles = (await api.done(root, "listRoles")).items;
    expect(roles.map((role) => [role.name, role.permissions])).toEqual([
      ["administrator", ["admin"]],
      ["approver", ["view", "approve"]],
      ["auditor", ["audit"]],
      ["author", ["view", "edit"]],
      ["operator", ["view", "apply"]],
      ["viewer", ["view"]],
    ]);
    const operator = { role: "operator", scope: WEB, domains: ["firewall"] };
    expect((await give(root, "lee", { permissions: [], roles: [operator] })).status).toBe(200);
    expect((await api.done(lee, "me")).permissions).toEqual(["apply", "view"]);
    expect((await api.done(lee, "listServers")).items.map((server) => server.name)).toEqual(["web-1"]);
    // A body without roles leaves them: an old client takes nothing away that it does not know.
    expect((await give(root, "lee", { permissions: [] })).json.roles).toEqual([operator]);
    expect((await give(root, "lee", { permissions: [], roles: [{ ...operator, role: "nobody" }] })).json.code).toBe(
      "account.role_unknown",
    );
    expect((await give(root, "lee", { permissions: [], roles: [operator, operator] })).status).toBe(400);
    const save = (token: string, name: string, permissions: readonly Permission[], etag: string) =>
      api.ask(token, "saveRole", { params: { name }, body: { permissions }, headers: { "if-match": `"${etag}"` } });
    const etag = roles.find((role) => role.name === "operator")?.etag ?? "";
    expect((await save(root, "operator", ["view"], "new")).json.code).toBe("etag.moved");
    expect((await save(root, "operator", ["view"], etag)).status).toBe(200);
    expect((await save(root, "operator", ["view", "apply"], etag)).json.code).toBe("etag.moved");
    expect((await api.done(lee, "me")).permissions).toEqual(["view"]);
    expect((await api.ask(root, "deleteRole", { params: { name: "operator" } })).json.code).toBe("account.role_in_use");
    expect((await api.ask(root, "deleteRole", { params: { name: "nobody" } })).status).toBe(404);
    expect((await save(root, "Not A Name", ["view"], "new")).status).toBe(400);
    // No way from admin to apply by oneself: not directly, not by a role, not by what a role that one holds becomes.
    expect(
      (
        await give(root, "root", {
          permissions: [
            { permission: "admin", scope: { all: true } },
            { permission: "apply", scope: { all: true } },
          ],
        })
      ).json.code,
    ).toBe("account.own_permissions");
    expect(
      (
        await give(root, "root", {
          permissions: [{ permission: "admin", scope: { all: true } }],
          roles: [{ role: "viewer", scope: { all: true } }],
        })
      ).json.code,
    ).toBe("account.own_permissions");
    expect(
      (
        await give(all, "root", {
          permissions: [{ permission: "admin", scope: { all: true } }],
          roles: [{ role: "viewer", scope: { all: true } }],
        })
      ).status,
    ).toBe(200);
    expect((await save(root, "viewer", ["view", "apply"], "1")).json.code).toBe("account.own_permissions");
    expect((await api.done(root, "me")).permissions).toEqual(["admin", "view"]);
    // Who administers some servers administers no accounts.
    const some = await api.account("some", [{ permission: "admin", scope: WEB, domains: null }]);
    expect((await api.ask(some, "listUsers")).json.code).toBe("access.out_of_scope");
    expect((await api.ask(some, "resetUserPassword", { params: { name: "all" }, body: {} })).json.code).toBe(
      "access.out_of_scope",
    );
    expect((await save(some, "mine", ["apply"], "new")).json.code).toBe("access.out_of_scope");
    const log = (await api.done(await api.account("aud", ["audit"]), "listAudit", { query: { limit: "200" } })).items;
    expect(log.map((entry) => [entry.action, entry.resultCode])).toEqual(
      expect.arrayContaining([
        ["role.changed", "ok"],
        ["user.roles_set", "ok"],
        ["api.setUserPermissions", "account.own_permissions"],
      ]),
    );
  });
});

test("S13: a token reaches no further than its account, than it says itself, or than the token that made it", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.done(kim, "createServer", { body: { name: "web-1", labels: { role: "web", site: "seoul" } } });
    await api.done(kim, "createServer", { body: { name: "web-2", labels: { role: "web", site: "busan" } } });
    await api.done(kim, "createServer", { body: { name: "db-1", labels: { role: "db" } } });
    const names = async (token: string) => (await api.done(token, "listServers")).items.map((server) => server.name);
    const make = (token: string, body: object) =>
      api.ask(token, "createToken", { body: { name: "t", permissions: ["view", "apply"], ...body } });
    const web = (await make(kim, { scope: WEB, domains: ["firewall"] })).json;
    expect(web).toMatchObject({ scope: WEB, domains: ["firewall"] });
    expect(await names(web.secret)).toEqual(["web-1", "web-2"]);
    expect((await api.ask(web.secret, "getServer", { params: { name: "db-1" } })).status).toBe(404);
    expect(
      (await api.ask(web.secret, "pauseServer", { params: { name: "db-1" }, body: { seconds: 60, reason: "x" } }))
        .status,
    ).toBe(404);
    const wider = (await make(web.secret, { scope: { all: true } })).json;
    expect(wider).toMatchObject({ scope: WEB, domains: ["firewall"] });
    const seoul = (await make(web.secret, { scope: { site: "seoul" } })).json;
    expect(await names(seoul.secret)).toEqual(["web-1"]);
    expect((await make(web.secret, { scope: { role: "db" } })).json.code).toBe("account.more_than_own");
    expect((await make(web.secret, { domains: ["vpn"] })).json.code).toBe("account.more_than_own");
    expect((await make(web.secret, { permissions: ["edit"] })).json.code).toBe("account.more_than_own");
    expect((await make(kim, { scope: {} })).status).toBe(400);
    expect((await api.ask(wider.secret, "createServer", { body: { name: "web-3", labels: WEB } })).json.code).toBe(
      "access.permission_missing",
    );
  });
});

test("an auditor of some servers reads of those alone", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    await api.done(kim, "createServer", { body: { name: "web-1", labels: WEB } });
    await api.done(kim, "createServer", { body: { name: "db-1", labels: { role: "db" } } });
    const some = await api.account("some", [{ permission: "audit", scope: WEB, domains: null }]);
    const entries = (await api.done(some, "listAudit", { query: { limit: "200" } })).items;
    expect(entries.length).toBeGreaterThan(0);
    expect(new Set(entries.map((entry) => entry.server))).toEqual(new Set(["web-1"]));
    expect((await api.ask(some, "listAudit", { query: { server: "db-1" } })).status).toBe(404);
    expect(PERMISSIONS).toContain("audit");
  });
});

test("S5: a server that was released is never another one: its name is not used again", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", EVERYTHING);
    const before = await api.done(kim, "createServer", { body: { name: "web-1", labels: WEB } });
    await api.done(kim, "releaseServer", { params: { name: "web-1" }, body: { reason: "gone" } });
    expect((await api.ask(kim, "createServer", { body: { name: "web-1", labels: WEB } })).json.code).toBe(
      "server.exists",
    );
    expect((await api.ask(kim, "enrolServer", { params: { name: "web-1" }, body: {} })).json.code).toBe(
      "server.not_now",
    );
    const after = await api.done(kim, "createServer", { body: { name: "web-2", labels: WEB } });
    expect(after.id).not.toBe(before.id);
  });
});

test("labels are access: a change of them shows what the server gains and loses, and takes rights in the old place and in the new one", async () => {
  await withApi(async (api) => {
    const kim = await twoServers(api);
    const text = (role: string): string =>
      `apiVersion: holdfast/v1\nkind: Server\nname: web-1\nlabels: { role: ${role} }\n`;
    const change = await planned(api, kim, [text("db")], "web-1 becomes a database");
    const [plan] = change.plans;
    const said = (plan?.findings ?? []).map((finding) => [finding.code, finding.severity]);
    expect(said).toEqual(
      expect.arrayContaining([
        ["plan.labels_move", "warning"],
        ["plan.joins", "note"],
        ["plan.leaves", "warning"],
      ]),
    );
    const words = (plan?.findings ?? []).map((finding) => finding.message).join(" ");
    expect(words).toContain("role web \u2192 db");
    expect(words).toContain("newly comes under Policy/db");
    expect(words).toContain("leaves Policy/web");
    const half = (role: string) => PERMISSIONS.map((permission) => ({ permission, scope: { role }, domains: null }));
    const fromWeb = await api.account("from-web", half("web"));
    const toDb = await api.account("to-db", half("db"));
    for (const token of [fromWeb, toDb]) {
      const refusals = [
        await api.ask(token, "applyChange", { params: { id: change.id }, body: bodyOf(change) }),
        await api.ask(token, "approveChange", { params: { id: change.id }, body: { digest: change.digest } }),
        await api.ask(token, "planChange", { params: { id: change.id }, body: {} }),
      ];
      expect(refusals.map((answer): unknown => answer.json.code)).toEqual(Array<string>(3).fill("access.out_of_scope"));
    }
    const both = await api.account("both", [...half("web"), ...half("db")]);
    const { id } = await api.done(both, "applyChange", { params: { id: change.id }, body: bodyOf(change) });
    await api.until(
      async () => ((await api.done(both, "getRollout", { params: { id } })).state === "DONE" ? true : undefined),
      "the labels to move",
    );
    expect((await api.ask(fromWeb, "getServer", { params: { name: "web-1" } })).status).toBe(404);
    expect((await api.done(toDb, "getServer", { params: { name: "web-1" } })).labels).toEqual({ role: "db" });
  });
});
