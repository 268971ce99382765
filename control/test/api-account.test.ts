import { expect, test } from "vitest";
import { type ApiHouse, withApi } from "./api-house.ts";

const NEXT = "a password to keep";

/** As a browser does: the cookie it was given, and the token for requests that change something. */
async function browser(api: ApiHouse, user: string, password: string) {
  const answer = await api.app.inject({
    method: "POST",
    url: "/api/v1/session",
    headers: { origin: "http://127.0.0.1" },
    payload: { user, password },
  });
  const [cookie] = answer.cookies;
  return { status: answer.statusCode, cookie, json: answer.json<Record<string, unknown>>() };
}

test("the first start makes one account with every permission as its own grant, and its password is for once", async () => {
  await withApi(async (api) => {
    const signedIn = await api.ask(null, "login", { body: { user: "admin", password: api.firstPassword } });
    expect(signedIn).toMatchObject({
      status: 200,
      json: {
        user: "admin",
        mustChangePassword: true,
        permissions: ["admin", "apply", "approve", "audit", "edit", "probe", "view", "watch"],
      },
    });
    const session = signedIn.json.sessionToken as string;
    expect(await api.ask(session, "listServers")).toMatchObject({
      status: 403,
      json: { code: "account.must_change_password" },
    });
    expect((await api.ask(session, "me")).status).toBe(200);
    expect(
      await api.ask(session, "changePassword", { body: { current: "wrong wrong wrong", next: NEXT } }),
    ).toMatchObject({ status: 401, json: { code: "account.wrong_password" } });
    expect(
      await api.ask(session, "changePassword", { body: { current: api.firstPassword, next: api.firstPassword } }),
    ).toMatchObject({ status: 422 });
    expect(
      (await api.ask(session, "changePassword", { body: { current: api.firstPassword, next: NEXT } })).status,
    ).toBe(200);
    expect((await api.ask(session, "listServers")).status).toBe(200);
    expect(await api.ask(null, "login", { body: { user: "admin", password: api.firstPassword } })).toMatchObject({
      status: 401,
      json: { code: "account.wrong_password" },
    });
    const [admin] = (await api.done(session, "listUsers")).items;
    expect(admin?.permissions.length).toBe(8);
    expect(admin?.permissions.every((grant) => grant.scope["all"] === true && grant.domains === null)).toBe(true);
  });
});

test("a browser's session is a cookie that no script reads; a request of it that changes something carries its CSRF token", async () => {
  await withApi(async (api) => {
    await api.account("kim", ["view", "edit"]);
    const kim = await browser(api, "kim", "a long enough password");
    expect(kim.json["sessionToken"]).toBeNull();
    expect(kim.cookie).toMatchObject({ name: "holdfast", httpOnly: true, sameSite: "Strict", path: "/" });
    const cookie = `${kim.cookie?.name ?? ""}=${kim.cookie?.value ?? ""}`;
    const csrf = kim.json["csrfToken"] as string;
    const post = (headers: Record<string, string>) =>
      api.app.inject({
        method: "POST",
        url: "/api/v1/documents/validate",
        headers: { cookie, ...headers },
        payload: { text: "x" },
      });
    expect((await api.app.inject({ method: "GET", url: "/api/v1/me", headers: { cookie } })).json()).toMatchObject({
      user: "kim",
      csrfToken: csrf,
    });
    expect((await post({})).json()).toMatchObject({ status: 403, code: "access.csrf" });
    expect((await post({ "x-holdfast-csrf": `${csrf}x` })).statusCode).toBe(403);
    expect((await post({ "x-holdfast-csrf": csrf })).statusCode).toBe(200);
    // The cookie of one, the token of another.
    await api.account("lee", ["view"]);
    const lee = await browser(api, "lee", "a long enough password");
    expect((await post({ "x-holdfast-csrf": lee.json["csrfToken"] as string })).statusCode).toBe(403);
    const out = await api.app.inject({
      method: "DELETE",
      url: "/api/v1/session",
      headers: { cookie, "x-holdfast-csrf": csrf },
    });
    expect(out.statusCode).toBe(200);
    expect((await api.app.inject({ method: "GET", url: "/api/v1/me", headers: { cookie } })).statusCode).toBe(401);
  });
});

test("wrong passwords make that place wait, not the owner elsewhere, and waiting ends", async () => {
  await withApi(async (api) => {
    await api.account("kim", ["view"]);
    const sign = async (password: string, remoteAddress: string) =>
      (
        await api.app.inject({
          method: "POST",
          url: "/api/v1/session",
          remoteAddress,
          payload: { user: "kim", password },
        })
      ).json<{ code?: string }>().code ?? "in";
    const tries: string[] = [];
    for (let count = 0; count < 7; count++) tries.push(await sign("wrong", "192.0.2.66"));
    expect(tries).toEqual([
      ...Array<string>(5).fill("account.wrong_password"),
      "account.locked_out",
      "account.locked_out",
    ]);
    expect(await sign("a long enough password", "192.0.2.66")).toBe("account.locked_out");
    expect(await sign("a long enough password", "192.0.2.1")).toBe("in");
    api.clock.aheadMs = 3_000;
    expect(await sign("a long enough password", "192.0.2.66")).toBe("in");
    const nobody = await api.ask(null, "login", { body: { user: "nobody", password: "x" } });
    expect(nobody).toMatchObject({
      status: 401,
      json: { code: "account.wrong_password", detail: "The user or the password is wrong." },
    });
  });
});

test("a session that nobody uses is over, and so is every session of a closed account", async () => {
  await withApi(async (api) => {
    const admin = await api.account("root", ["admin"]);
    await api.account("kim", ["view"]);
    const { sessionToken } = (
      await api.ask(null, "login", { body: { user: "kim", password: "a long enough password" } })
    ).json as { sessionToken: string };
    expect((await api.ask(sessionToken, "listServers")).status).toBe(200);
    api.clock.aheadMs = 61 * 60_000;
    expect(await api.ask(sessionToken, "listServers")).toMatchObject({
      status: 401,
      json: { code: "access.credential_invalid" },
    });
    api.clock.aheadMs = 0;
    expect((await api.ask(sessionToken, "listServers")).status).toBe(200);
    await api.done(admin, "disableUser", { params: { name: "kim" }, body: {} });
    expect((await api.ask(sessionToken, "listServers")).status).toBe(401);
    expect((await api.ask(null, "login", { body: { user: "kim", password: "a long enough password" } })).status).toBe(
      401,
    );
  });
});

test("a token holds at most what its maker holds, and loses what its maker loses", async () => {
  await withApi(async (api) => {
    const admin = await api.account("root", ["admin"]);
    const kim = await api.account("kim", ["view", "edit"]);
    expect(await api.ask(kim, "createToken", { body: { name: "ci", permissions: ["view", "apply"] } })).toMatchObject({
      status: 403,
      json: { code: "account.more_than_own" },
    });
    const made = await api.done(kim, "createToken", { body: { name: "ci", permissions: ["view"], days: 30 } });
    // Made by a token that ends in an hour, it ends no later.
    expect(Date.parse(made.expiresAt ?? "") - Date.now()).toBeLessThanOrEqual(3_600_000);
    expect((await api.done(made.secret, "me")).permissions).toEqual(["view"]);
    expect((await api.ask(made.secret, "createServer", { body: { name: "web-1" } })).status).toBe(403);
    const before = (await api.done(admin, "listUsers")).items.find((user) => user.name === "kim");
    const put = (permissions: unknown[], etag = before?.etag ?? "") =>
      api.ask(admin, "setUserPermissions", {
        params: { name: "kim" },
        body: { permissions },
        headers: { "if-match": `"${etag}"` },
      });
    expect((await put([{ permission: "edit", scope: { all: true } }])).status).toBe(200);
    expect((await put([{ permission: "view", scope: { all: true } }])).status).toBe(412);
    expect((await api.ask(made.secret, "listServers")).status).toBe(403);
    expect(
      (
        await api.ask(admin, "setUserPermissions", {
          params: { name: "kim" },
          body: { permissions: [{ permission: "view", scope: {} }] },
          headers: { "if-match": '"x"' },
        })
      ).status,
    ).toBe(400);
    await api.done(kim, "revokeToken", { params: { id: made.id } });
    expect((await api.ask(made.secret, "me")).status).toBe(401);
    expect((await api.ask(admin, "revokeToken", { params: { id: made.id } })).status).toBe(404);
  });
});

test("somebody can always give permissions: the last administrator stays one", async () => {
  await withApi(async (api) => {
    const root = await api.account("root", ["admin"]);
    const made = await api.done(root, "createUser", { body: { name: "kim", permissions: ["view"] } });
    expect(made.password).toMatch(/^[a-z2-9-]{23}$/);
    expect(await api.ask(root, "createUser", { body: { name: "kim", permissions: [] } })).toMatchObject({
      status: 409,
      json: { code: "account.exists" },
    });
    await api.done(root, "disableUser", { params: { name: "admin" }, body: {} });
    expect(await api.ask(root, "disableUser", { params: { name: "root" }, body: {} })).toMatchObject({
      status: 409,
      json: { code: "account.last_admin" },
    });
    const [own] = (await api.done(root, "listUsers")).items.filter((user) => user.name === "root");
    const taken = await api.ask(root, "setUserPermissions", {
      params: { name: "root" },
      body: { permissions: [{ permission: "admin", scope: { role: "web" } }] },
      headers: { "if-match": `"${own?.etag ?? ""}"` },
    });
    expect(taken).toMatchObject({ status: 409, json: { code: "account.last_admin" } });
    expect((await api.ask(root, "listUsers")).status).toBe(200);
    const again = await api.done(root, "resetUserPassword", { params: { name: "kim" }, body: {} });
    expect(again.password).not.toBe(made.password);
  });
});
