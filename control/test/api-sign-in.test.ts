import { expect, test } from "vitest";
import { totpCode } from "../src/account/totp.ts";
import { type ApiHouse, withApi } from "./api-house.ts";

const PASSWORD = "a long enough password";

async function signIn(api: ApiHouse, user: string, code?: string) {
  return api.ask(null, "login", { body: { user, password: PASSWORD, ...(code === undefined ? {} : { code }) } });
}

/** As an authenticator does: the text it was given back to bytes. */
function bytesOf(base32: string): Buffer {
  const bits = base32
    .split("")
    .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"));
  const bytes = bits.join("").match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}

async function withTotp(api: ApiHouse, token: string): Promise<{ secret: Buffer; codes: string[]; used: string }> {
  const offered = await api.done(token, "offerTotp", { body: { password: PASSWORD } });
  const secret = bytesOf(offered.secret);
  const used = totpCode(secret, Math.floor(api.house.nowMs() / 30_000));
  const { codes } = await api.done(token, "confirmTotp", { body: { code: used } });
  return { secret, codes, used };
}

test("S40: with a second factor the password alone opens nothing; a code opens once, a recovery code once", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", ["view"]);
    expect((await api.ask(kim, "confirmTotp", { body: { code: "000000" } })).json.code).toBe("account.totp_not_now");
    expect((await api.ask(kim, "offerTotp", { body: { password: "wrong" } })).json.code).toBe("account.wrong_password");
    // Offered and not confirmed: nobody is locked out by a picture that was never read.
    await api.done(kim, "offerTotp", { body: { password: PASSWORD } });
    expect((await signIn(api, "kim")).status).toBe(200);
    expect((await api.ask(kim, "confirmTotp", { body: { code: "000000" } })).json.code).toBe("account.wrong_code");
    const { secret, codes, used } = await withTotp(api, kim);
    expect((await api.done(kim, "me")).secondFactor).toBe(true);
    expect((await api.ask(kim, "offerTotp", { body: { password: PASSWORD } })).json.code).toBe("account.totp_not_now");
    expect((await signIn(api, "kim")).json).toMatchObject({ status: 401, code: "account.code_needed" });
    const now = (): number => Math.floor(api.house.nowMs() / 30_000);
    expect((await signIn(api, "kim", used)).json.code).toBe("account.wrong_code");
    api.clock.aheadMs += 60_000;
    const code = totpCode(secret, now());
    const both = await Promise.all([signIn(api, "kim", code), signIn(api, "kim", code)]);
    expect(both.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, 401]);
    expect(codes.length).toBe(10);
    expect((await signIn(api, "kim", codes[0]?.toUpperCase())).status).toBe(200);
    expect((await signIn(api, "kim", codes[0])).json.code).toBe("account.wrong_code");
    // The database alone makes no codes.
    const rows = await api.test.app.rows<{ totp_sealed: Buffer }>({
      text: "select totp_sealed from users where name = 'kim'",
      values: [],
    });
    expect(rows[0]?.totp_sealed.includes(secret)).toBe(false);
    await api.done(kim, "removeTotp", { body: { password: PASSWORD } });
    expect((await signIn(api, "kim")).status).toBe(200);
    const audit = await api.account("aud", ["audit"]);
    const actions = (await api.done(audit, "listAudit", { query: { limit: "200" } })).items;
    for (const action of ["user.totp_offered", "user.totp_on", "user.totp_off"])
      expect(actions.map((entry) => entry.action)).toContain(action);
    expect(JSON.stringify(actions)).not.toContain(codes[1]);
  });
});

test("S23 S41: guessed codes make one wait like guessed passwords; neither a right password nor a hostile name ends the wait", async () => {
  await withApi(async (api) => {
    await withTotp(api, await api.account("kim", ["view"]));
    const codes: string[] = [];
    for (let count = 0; count < 7; count++) {
      codes.push(String((await signIn(api, "kim", "123456")).json.code));
      // The wait is counted from fields of entries: no text that somebody types is ever read as one (OPNsense's lock-out was).
      await signIn(api, 'kim" result_code="ok", "object": "account/kim');
      if (count === 2) expect((await signIn(api, "kim")).json.code).toBe("account.code_needed");
    }
    expect(codes).toEqual([...Array<string>(5).fill("account.wrong_code"), "account.locked_out", "account.locked_out"]);
  });
});

test("S23: tries that come at once are counted one after another; a wrong code stands in the log as one", async () => {
  await withApi(async (api) => {
    await withTotp(api, await api.account("kim", ["view"]));
    const codes = await Promise.all(
      Array.from({ length: 10 }, async () => String((await signIn(api, "kim", "123456")).json.code)),
    );
    expect(codes.toSorted()).toEqual([
      ...Array<string>(5).fill("account.locked_out"),
      ...Array<string>(5).fill("account.wrong_code"),
    ]);
    // A name that nobody has answers alike, or the waits would tell which names there are.
    const nobody = await Promise.all(
      Array.from({ length: 10 }, async () => String((await signIn(api, "nobody", "123456")).json.code)),
    );
    expect(nobody.toSorted()).toEqual([
      ...Array<string>(5).fill("account.locked_out"),
      ...Array<string>(5).fill("account.wrong_password"),
    ]);
    const audit = await api.account("aud", ["audit"]);
    const said = (await api.done(audit, "listAudit", { query: { object: "account/kim" } })).items;
    expect(said.map((entry) => entry.resultCode).toSorted()).toEqual(codes.toSorted());
  });
});

test.each([
  ["a new password", "resetUserPassword", "account.wrong_password"],
  ["the account's end", "disableUser", "account.wrong_password"],
] as const)("a sign-in that began before %s does not outlive it", async (_, route, code) => {
  await withApi(async (api) => {
    const root = await api.account("root", ["admin"]);
    await api.account("kim", ["view"]);
    const { passwords } = api.house;
    const meanwhile = async (password: string, hash: string | null) => {
      const matches = await passwords.matches(password, hash);
      await api.done(root, route, { params: { name: "kim" }, body: {} });
      return matches;
    };
    Object.assign(api.house, { passwords: { hash: passwords.hash.bind(passwords), matches: meanwhile } });
    expect((await signIn(api, "kim")).json.code).toBe(code);
  });
});

test("a second factor that was begun while somebody signs in is asked for", async () => {
  await withApi(async (api) => {
    const kim = await api.account("kim", ["view"]);
    const { passwords } = api.house;
    const hash = passwords.hash.bind(passwords);
    const matches = passwords.matches.bind(passwords);
    const meanwhile = async (password: string, stored: string | null) => {
      Object.assign(api.house, { passwords: { hash, matches } });
      await withTotp(api, kim);
      return matches(password, stored);
    };
    Object.assign(api.house, { passwords: { hash, matches: meanwhile } });
    expect((await signIn(api, "kim")).json.code).toBe("account.code_needed");
  });
});

test("S42: what somebody is signed in with is listed and ended, by them and by an administrator; a closed account opens again without it", async () => {
  await withApi(async (api) => {
    const root = await api.account("root", ["admin"]);
    await api.account("kim", ["view"]);
    const lee = await api.account("lee", ["view"]);
    const open = async () => String((await signIn(api, "kim")).json.sessionToken);
    const [first, second] = [await open(), await open()];
    const mine = (await api.done(first, "listSessions")).items;
    expect(mine.map((one) => [one.kind, one.current])).toEqual([
      ["session", false],
      ["session", true],
      ["api", false],
    ]);
    expect(mine[0]?.source).toContain("127.0.0.1");
    const other = mine.find((one) => one.kind === "session" && !one.current)?.id ?? "";
    expect((await api.ask(lee, "revokeSession", { params: { id: other } })).status).toBe(404);
    await api.done(first, "revokeSession", { params: { id: other } });
    expect((await api.ask(second, "me")).status).toBe(401);
    const seen = (await api.done(root, "listUserSessions", { params: { name: "kim" } })).items;
    const id = seen.find((one) => one.kind === "session")?.id ?? "";
    expect((await api.ask(root, "revokeUserSession", { params: { name: "lee", id } })).status).toBe(404);
    await api.done(root, "revokeUserSession", { params: { name: "kim", id } });
    expect((await api.ask(first, "me")).status).toBe(401);
    const third = await open();
    await api.done(root, "disableUser", { params: { name: "kim" }, body: {} });
    expect((await signIn(api, "kim")).status).toBe(401);
    await api.done(root, "enableUser", { params: { name: "kim" }, body: {} });
    expect((await api.ask(third, "me")).status).toBe(401);
    expect((await signIn(api, "kim")).status).toBe(200);
    expect(await api.ask(root, "enableUser", { params: { name: "kim" }, body: {} })).toMatchObject({
      status: 409,
      json: { code: "account.not_now", detail: "kim is open already." },
    });
    // The absolute end, which no use puts off.
    const last = await open();
    await api.test.owner.run({
      text: "update holdfast.tokens set expires_at = now() - interval '1 second', last_used_at = now() where kind = 'session' and revoked_at is null",
      values: [],
    });
    expect((await api.ask(last, "me")).status).toBe(401);
  });
});

test("a service has tokens and no password; an administrator makes tokens for services and for nobody else", async () => {
  await withApi(async (api) => {
    const root = await api.account("root", ["admin"]);
    const kim = await api.account("kim", ["view", "edit"]);
    await api.done(kim, "createServer", { body: { name: "web-1", labels: { role: "web" } } });
    const web = { role: "viewer", scope: { role: "web" }, domains: null };
    const made = await api.done(root, "createService", { body: { name: "ci", roles: [web] } });
    expect(made).toMatchObject({ kind: "service", mustChangePassword: false, roles: [web] });
    expect((await api.ask(root, "createService", { body: { name: "cd", roles: [web, web] } })).status).toBe(400);
    const token = (permissions: string[], name = "ci") =>
      api.ask(root, "createServiceToken", { params: { name }, body: { name: "t", permissions } });
    const secret = String((await token(["view"])).json.secret);
    expect((await api.done(secret, "listServers")).items.map((server) => server.name)).toEqual(["web-1"]);
    expect((await token(["apply"])).json.code).toBe("account.more_than_own");
    expect((await token(["view"], "kim")).json.code).toBe("account.wrong_kind");
    expect((await api.ask(root, "resetUserPassword", { params: { name: "ci" }, body: {} })).json.code).toBe(
      "account.wrong_kind",
    );
    expect((await signIn(api, "ci")).json.code).toBe("account.wrong_password");
    expect((await api.ask(secret, "offerTotp", { body: { password: PASSWORD } })).json.code).toBe(
      "account.wrong_password",
    );
    await api.done(root, "disableUser", { params: { name: "ci" }, body: {} });
    expect((await api.ask(secret, "listServers")).status).toBe(401);
  });
});

test("a token of an administrator does not become a sign-in: nobody resets how they sign in themselves", async () => {
  await withApi(async (api) => {
    const root = await api.account("root", ["admin"]);
    const { codes } = await withTotp(api, root);
    const session = String((await signIn(api, "root", codes[0])).json.sessionToken);
    for (const credential of [root, session])
      for (const route of ["resetUserPassword", "resetUserTotp"] as const)
        expect(await api.ask(credential, route, { params: { name: "root" }, body: {} })).toMatchObject({
          status: 403,
          json: { code: "account.own_sign_in" },
        });
    expect((await api.done(root, "me")).secondFactor).toBe(true);
  });
});

test("an administrator who takes a second factor away ends what was signed in, and stands in the log", async () => {
  await withApi(async (api) => {
    const root = await api.account("root", ["admin"]);
    const kim = await api.account("kim", ["view"]);
    const { codes } = await withTotp(api, kim);
    await api.done(root, "resetUserTotp", { params: { name: "kim" }, body: {} });
    expect((await api.ask(kim, "me")).status).toBe(401);
    expect((await signIn(api, "kim", codes[0])).status).toBe(200);
    expect((await signIn(api, "kim")).status).toBe(200);
  });
});
