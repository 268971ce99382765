/** Passkeys through the whole door, with an authenticator written for the test: real keys, real CBOR, and every lie a false one could tell. */
import { expect, test } from "vitest";
import { look } from "../src/alerts/look.ts";
import { recordAlerts } from "../src/alerts/record.ts";
import { systemActor } from "../src/store/actor.ts";
import { sql } from "../src/store/sql.ts";
import { type Answer, type ApiHouse, EVERYTHING, withApi } from "./api-house.ts";
import { type Bent, SoftwareAuthenticator } from "./software-authenticator.ts";

const URL_ = "https://holdfast.example";
const PASSWORD = "a long enough password";
const BROWSER = { origin: URL_ };

/** A browser's cookies, as far as they matter here. */
function cookieOf(answer: Answer): Record<string, string> {
  const set = answer.headers["set-cookie"];
  const lines = Array.isArray(set) ? set.map(String) : [String(set)];
  return { cookie: lines.map((line) => line.split(";", 1)[0]).join("; ") };
}

async function sessionOf(api: ApiHouse, user: string, code?: string): Promise<string> {
  const body = { user, password: PASSWORD, ...(code === undefined ? {} : { code }) };
  const answer = await api.ask(null, "login", { body });
  expect(answer.status, JSON.stringify(answer.json)).toBe(200);
  return String(answer.json.sessionToken);
}

async function newPasskey(api: ApiHouse, session: string, authenticator: SoftwareAuthenticator, name = "laptop") {
  const { options } = await api.done(session, "beginPasskey", { body: { password: PASSWORD } });
  return api.done(session, "addPasskey", { body: { name, passkey: authenticator.register(options) } });
}

interface Begun {
  readonly options: Record<string, unknown>;
  readonly cookie: Record<string, string>;
}

async function beginSignIn(api: ApiHouse): Promise<Begun> {
  const begun = await api.ask(null, "beginPasskeySignIn", { body: {}, headers: BROWSER });
  expect(begun.status).toBe(200);
  return { options: begun.json.options, cookie: cookieOf(begun) };
}

async function signIn(
  api: ApiHouse,
  authenticator: SoftwareAuthenticator,
  bent: Bent = {},
  begun?: Begun,
): Promise<Answer> {
  const { options, cookie } = begun ?? (await beginSignIn(api));
  return api.ask(null, "signInWithPasskey", {
    body: { passkey: authenticator.assert(options, bent) },
    headers: cookie,
  });
}

async function results(api: ApiHouse, action: string): Promise<string[]> {
  const rows = await api.test.app.rows<{ result_code: string }>(
    sql`select result_code from audit_log where action = ${action} order by id`,
  );
  return rows.map((row) => row.result_code);
}

test("S40: a passkey signs in without a password, and asks for itself where the password alone is known; recovery codes stand for it", async () => {
  await withApi(
    async (api) => {
      await api.account("kim", ["view"]);
      const authenticator = new SoftwareAuthenticator(URL_);
      const first = await sessionOf(api, "kim");
      expect((await api.ask(first, "beginPasskey", { body: { password: "wrong" } })).json.code).toBe(
        "account.wrong_password",
      );
      // A session that lies open makes no passkey.
      expect((await api.ask(first, "beginPasskey", { body: {} })).json.code).toBe("account.password_needed");
      const made = await newPasskey(api, first, authenticator);
      expect(made.recoveryCodes.length).toBe(10);
      expect(made).toMatchObject({ name: "laptop", synced: false, lastUsedAt: null });
      expect(await api.done(first, "me")).toMatchObject({ passkeys: 1, secondFactor: false });

      const browser = await api.ask(null, "beginPasskeySignIn", { body: {}, headers: BROWSER });
      expect(String(browser.headers["set-cookie"])).toMatch(
        /^__Host-holdfast-sign-in=.*Max-Age=300; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
      );
      const answer = await signIn(api, authenticator);
      expect(answer.status, JSON.stringify(answer.json)).toBe(200);
      const session = String(answer.json.sessionToken);
      expect((await api.done(session, "me")).user).toBe("kim");
      // It has shown two factors just now, so it may make another passkey without the password; the codes stay those that were shown.
      const { options } = await api.done(session, "beginPasskey", { body: {} });
      expect(options["excludeCredentials"]).toHaveLength(1);
      const phone = new SoftwareAuthenticator(URL_, true);
      const second = await api.done(session, "addPasskey", {
        body: { name: "phone", passkey: phone.register(options) },
      });
      expect(second).toMatchObject({ synced: true, recoveryCodes: [] });
      // One that does not count says 0 each time.
      for (let time = 0; time < 2; time++) expect((await signIn(api, phone)).status).toBe(200);

      const password = { user: "kim", password: PASSWORD };
      expect((await api.ask(null, "login", { body: password })).json).toMatchObject({
        status: 401,
        code: "account.passkey_needed",
      });
      expect((await api.ask(null, "login", { body: { ...password, code: "123456" } })).json.code).toBe(
        "account.wrong_code",
      );
      const [code = ""] = made.recoveryCodes;
      expect((await api.ask(null, "login", { body: { ...password, code } })).status).toBe(200);
      expect((await api.ask(null, "login", { body: { ...password, code } })).json.code).toBe("account.wrong_code");
    },
    { url: URL_ },
  );
});

test("S40: an answer is heard once, by the browser that asked, in its time; of two at once one", async () => {
  await withApi(
    async (api) => {
      await api.account("kim", ["view"]);
      const authenticator = new SoftwareAuthenticator(URL_);
      await newPasskey(api, await sessionOf(api, "kim"), authenticator);
      const { options, cookie } = await beginSignIn(api);
      const other = await beginSignIn(api);
      const passkey = authenticator.assert(options);
      const send = (headers: Record<string, string>) =>
        api.ask(null, "signInWithPasskey", { body: { passkey }, headers });
      // Read on its way and sent from another browser, or from none: no use, and the owner still gets in.
      expect((await send(other.cookie)).json.code).toBe("account.passkey_challenge");
      expect((await send({})).json.code).toBe("account.passkey_challenge");
      // Two instances, one database.
      const second = await api.another();
      const both = await Promise.all([
        send(cookie),
        second.ask(null, "signInWithPasskey", { body: { passkey }, headers: cookie }),
      ]);
      expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
      expect((await send(cookie)).json.code).toBe("account.passkey_challenge");
      // Begun at one, answered at the other.
      const elsewhere = await beginSignIn(second);
      expect((await signIn(api, authenticator, {}, elsewhere)).status).toBe(200);
      // Five minutes, by the database's clock.
      const late = await beginSignIn(api);
      await api.test.owner.run(sql`update holdfast.passkey_challenges set expires_at = now()`);
      expect((await signIn(api, authenticator, {}, late)).json.code).toBe("account.passkey_challenge");
      // What ended is not kept.
      await beginSignIn(api);
      const { count } = await api.test.app.one<{ count: number }>(
        sql`select count(*) as count from passkey_challenges`,
      );
      expect(count).toBe(1);
      expect((await results(api, "session.asked")).filter((code) => code === "account.passkey_challenge")).toHaveLength(
        5,
      );
    },
    { url: URL_ },
  );
});

test("S40: another origin, another name, no verified person, a bent signature, somebody else's handle: one answer, and it uses the challenge up", async () => {
  await withApi(
    async (api) => {
      await api.account("kim", ["view"]);
      const authenticator = new SoftwareAuthenticator(URL_);
      await newPasskey(api, await sessionOf(api, "kim"), authenticator);
      const lies: readonly Bent[] = [
        { origin: "https://holdfast.example.evil.test" },
        { origin: "https://holdfast.example:8443" },
        { rpId: "evil.test" },
        { userVerified: false },
        { type: "webauthn.create" },
        { userHandle: Buffer.alloc(16, 7).toString("base64url") },
        { signature: Buffer.from("3006020101020101", "hex") },
      ];
      for (const lie of lies) {
        const begun = await beginSignIn(api);
        expect((await signIn(api, authenticator, lie, begun)).json.code, JSON.stringify(lie)).toBe(
          "account.passkey_refused",
        );
        expect((await signIn(api, authenticator, {}, begun)).json.code).toBe("account.passkey_challenge");
      }
      expect((await signIn(api, authenticator, { challenge: "AAAA" })).json.code).toBe("account.passkey_challenge");
      // One that is known nowhere.
      const stranger = new SoftwareAuthenticator(URL_);
      stranger.register({ rp: { id: "holdfast.example" }, user: { id: "AAAA" }, challenge: "AAAA" });
      expect((await signIn(api, stranger)).json.code).toBe("account.passkey_refused");
      expect((await results(api, "session.asked")).filter((code) => code === "account.passkey_refused")).toHaveLength(
        8,
      );
      // None of it was in the owner's way.
      expect((await signIn(api, authenticator)).status).toBe(200);
    },
    { url: URL_ },
  );
});

test("S40: what is registered is held to the same: its session, its origin, its name, a verified person, once in the house", async () => {
  await withApi(
    async (api) => {
      await api.account("kim", ["view"]);
      await api.account("lee", ["view"]);
      const [kim, kim2, lee] = [await sessionOf(api, "kim"), await sessionOf(api, "kim"), await sessionOf(api, "lee")];
      const authenticator = new SoftwareAuthenticator(URL_);
      const begin = async (session: string) =>
        (await api.done(session, "beginPasskey", { body: { password: PASSWORD } })).options;
      const add = (session: string, passkey: Record<string, unknown>) =>
        api.ask(session, "addPasskey", { body: { name: "x", passkey } });
      for (const bent of [
        { origin: "https://evil.test" },
        { rpId: "evil.test" },
        { userVerified: false },
        { type: "webauthn.get" },
      ])
        expect((await add(kim, authenticator.register(await begin(kim), bent))).json.code, JSON.stringify(bent)).toBe(
          "account.passkey_refused",
        );
      const made = authenticator.register(await begin(kim));
      for (const session of [kim2, lee]) expect((await add(session, made)).json.code).toBe("account.passkey_challenge");
      const both = await Promise.all([add(kim, made), add(kim, made)]);
      expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
      // The same credential brought by somebody else, in a ceremony of their own.
      const stolen = authenticator.register(await begin(lee));
      await api.test.owner.run(
        sql`update holdfast.passkeys set credential_id = ${Buffer.from(String(stolen["id"]), "base64url")}`,
      );
      expect((await add(lee, stolen)).json.code).toBe("account.passkey_exists");
    },
    { url: URL_ },
  );
});

test("S40: a counter that goes back, or stands still, refuses, and is in the log with the account's name", async () => {
  await withApi(
    async (api) => {
      await api.account("kim", ["view"]);
      const authenticator = new SoftwareAuthenticator(URL_);
      await newPasskey(api, await sessionOf(api, "kim"), authenticator);
      expect((await signIn(api, authenticator, { counter: 10 })).status).toBe(200);
      for (const counter of [9, 10, 0]) {
        const refused = await signIn(api, authenticator, { counter });
        expect(refused.json).toMatchObject({ status: 401, code: "account.passkey_counter" });
        expect(refused.json.detail).toContain("laptop");
      }
      const [entry] = await api.test.app.rows<{ object: string }>(
        sql`select object from audit_log where action = 'session.asked' and result_code = 'account.passkey_counter' limit 1`,
      );
      expect(entry?.object).toBe("account/kim");
      expect((await signIn(api, authenticator, { counter: 11 })).status).toBe(200);
    },
    { url: URL_ },
  );
});

test("S40: a counter that goes back is an alert until the passkey goes, its account is closed, or somebody else has looked", async () => {
  await withApi(
    async (api) => {
      const { house } = api;
      await api.account("kim", EVERYTHING);
      const lee = await api.account("lee", EVERYTHING);
      const standing = async () => {
        await recordAlerts(
          house.database,
          await look(house.database),
          systemActor("alerts", house.instanceId),
          house.log,
        );
        return (await api.done(lee, "listAlerts")).items;
      };
      const authenticator = new SoftwareAuthenticator(URL_);
      const session = await sessionOf(api, "kim");
      const { id, recoveryCodes } = await newPasskey(api, session, authenticator);
      expect((await signIn(api, authenticator, { counter: 10 })).status).toBe(200);
      expect(await standing()).toEqual([]);
      for (const counter of [9, 8]) expect((await signIn(api, authenticator, { counter })).status).toBe(401);
      const [alert, ...others] = await standing();
      expect(others).toEqual([]);
      expect(alert).toMatchObject({ kind: "passkey-copied", subject: `passkey/${id}`, severity: "critical" });
      expect(alert?.message).toContain('The passkey "laptop" of kim');
      // Whoever is signed in as kim may be the one with the copy.
      const acknowledge = (token: string, alertId = "") =>
        api.ask(token, "acknowledgeAlert", { params: { id: alertId }, body: { reason: "it was reset" } });
      expect(await acknowledge(session, alert?.id)).toMatchObject({ status: 403, json: { code: "alert.own_passkey" } });
      expect((await standing()).map(({ state }) => state)).toEqual(["open"]);
      expect(await acknowledge(lee, alert?.id)).toMatchObject({ status: 200 });
      expect(await standing()).toEqual([]);
      expect((await signIn(api, authenticator, { counter: 11 })).status).toBe(200);
      expect(await standing()).toEqual([]);

      // Again, when one shows again who one is: another alert, which ends with the account, and comes back with it.
      const begun = await api.done(session, "beginStepUp", { body: {} });
      const passkey = authenticator.assert(begun.options, { counter: 3 });
      expect((await api.ask(session, "stepUp", { body: { passkey } })).json.code).toBe("account.passkey_counter");
      expect((await standing()).map(({ subject }) => subject)).toEqual([`passkey/${id}`]);
      await api.done(lee, "disableUser", { params: { name: "kim" }, body: {} });
      expect(await standing()).toEqual([]);
      await api.done(lee, "enableUser", { params: { name: "kim" }, body: {} });
      expect(await standing()).toHaveLength(1);
      const again = await sessionOf(api, "kim", recoveryCodes[0]);
      await api.done(again, "removePasskey", { params: { id }, body: { password: PASSWORD } });
      expect(await standing()).toEqual([]);
      const { items } = await api.done(lee, "listAudit", { query: { action: "passkey." } });
      expect(items.map(({ action }) => action)).toEqual([
        "passkey.removed",
        "passkey.counter_back",
        "passkey.looked_at",
        "passkey.counter_back",
        "passkey.counter_back",
        "passkey.added",
      ]);
    },
    { url: URL_ },
  );
});

test("a passkey is named, and given up with the password or a factor; that ends other sessions and no token; nobody reaches another's", async () => {
  await withApi(
    async (api) => {
      const token = await api.account("kim", ["view"]);
      await api.account("lee", ["view"]);
      const authenticator = new SoftwareAuthenticator(URL_);
      const [session, other, lee] = [
        await sessionOf(api, "kim"),
        await sessionOf(api, "kim"),
        await sessionOf(api, "lee"),
      ];
      const { id } = await newPasskey(api, session, authenticator);
      const params = { id };
      const body = { password: PASSWORD };
      expect((await api.ask(lee, "renamePasskey", { params, body: { name: "mine" } })).status).toBe(404);
      expect((await api.ask(lee, "removePasskey", { params, body })).status).toBe(404);
      expect((await api.done(session, "renamePasskey", { params, body: { name: " old laptop " } })).name).toBe(
        "old laptop",
      );
      expect((await api.done(token, "listPasskeys")).items.map(({ name }) => name)).toEqual(["old laptop"]);
      expect((await api.ask(session, "removePasskey", { params, body: {} })).json.code).toBe("account.password_needed");
      await api.done(session, "removePasskey", { params, body });
      expect((await api.ask(session, "me")).status).toBe(200);
      expect((await api.ask(other, "me")).status).toBe(401);
      expect((await api.ask(token, "me")).status).toBe(200);
      expect((await signIn(api, authenticator)).json.code).toBe("account.passkey_refused");
      // Without a factor the password is enough again, and the slip of paper is worth nothing.
      expect((await api.ask(null, "login", { body: { user: "kim", password: PASSWORD } })).status).toBe(200);
      const { codes } = await api.test.app.one<{ codes: number }>(sql`select count(*) as codes from recovery_codes`);
      expect(codes).toBe(0);
      for (const action of ["passkey.added", "passkey.renamed", "passkey.removed", "session.ended_others"])
        expect(await results(api, action)).toContain("ok");
    },
    { url: URL_ },
  );
});

test("an administrator who takes the second factor away takes the passkeys too; a closed account's open nothing", async () => {
  await withApi(
    async (api) => {
      const root = await api.account("root", ["admin"]);
      await api.account("kim", ["view"]);
      const authenticator = new SoftwareAuthenticator(URL_);
      await newPasskey(api, await sessionOf(api, "kim"), authenticator);
      expect((await api.done(root, "listUsers")).items.find(({ name }) => name === "kim")?.passkeys).toBe(1);
      const params = { name: "kim" };
      await api.done(root, "disableUser", { params, body: {} });
      expect((await signIn(api, authenticator)).json.code).toBe("account.passkey_refused");
      await api.done(root, "enableUser", { params, body: {} });
      const session = String((await signIn(api, authenticator)).json.sessionToken);
      await api.done(root, "resetUserTotp", { params, body: {} });
      expect((await api.ask(session, "me")).status).toBe(401);
      expect((await signIn(api, authenticator)).json.code).toBe("account.passkey_refused");
      await sessionOf(api, "kim");
      expect(await results(api, "passkey.removed_all")).toEqual(["ok"]);
    },
    { url: URL_ },
  );
});

test("where the console is at an address there are no passkeys, and the answer says what to set", async () => {
  await withApi(async (api) => {
    await api.account("kim", ["view"]);
    const session = await sessionOf(api, "kim");
    for (const answer of [
      await api.ask(session, "beginPasskey", { body: { password: PASSWORD } }),
      await api.ask(null, "beginPasskeySignIn", { body: {} }),
    ]) {
      expect(answer.json).toMatchObject({ status: 409, code: "account.passkeys_impossible" });
      expect(answer.json.detail).toContain("http://127.0.0.1");
      expect(answer.json.remedy).toContain("HOLDFAST_PUBLIC_URL");
    }
  });
});
