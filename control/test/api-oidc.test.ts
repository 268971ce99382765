import { generateKeyPairSync } from "node:crypto";
/** Sign-in by a provider, against a real one over HTTP; its lies and delays are made on the way. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLIENT_ID, CLIENT_SECRET, type IdentityProvider, startProvider } from "@holdfast/testkit/identity-provider.ts";
import { expect, test } from "vitest";
import { newSecret } from "../src/account/secret.ts";
import { totpCode } from "../src/account/totp.ts";
import { oidcProvider } from "../src/oidc/provider.ts";
import { type NewAccounts, readOidcSettings } from "../src/oidc/settings.ts";
import { type Answer, type ApiHouse, withApi } from "./api-house.ts";

const REDIRECT = "http://127.0.0.1/login/oidc";
const PASSWORD = "a long enough password";
/** The first one waits for the database's start. */
const FIRST_MS = 60_000;

interface Stage {
  readonly api: ApiHouse;
  readonly provider: IdentityProvider;
  readonly root: string;
  link(name: string, subject: string): Promise<Answer>;
}

async function withProvider(
  body: (stage: Stage) => Promise<void>,
  { newAccounts = null, withinMs }: { newAccounts?: NewAccounts | null; withinMs?: number } = {},
): Promise<void> {
  const provider = await startProvider(REDIRECT);
  const settings = {
    issuer: new URL(provider.issuer),
    issuerText: provider.issuer,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    label: "Company",
    newAccounts,
  };
  try {
    await withApi(
      async (api) => {
        const root = await api.account("root", ["admin", "audit"]);
        const link: Stage["link"] = (name, subject) =>
          api.ask(root, "linkUser", { params: { name }, body: { subject } });
        await body({ api, provider, root, link });
      },
      {
        oidc: (nowMs) =>
          oidcProvider({ settings, redirectUri: REDIRECT, nowMs, ...(withinMs === undefined ? {} : { withinMs }) }),
      },
    );
  } finally {
    await provider.close();
  }
}

/** One browser of somebody's: what it keeps, and nothing that another keeps. */
class Browser {
  readonly #api: ApiHouse;
  readonly cookies = new Map<string, string>();
  readonly attributes = new Map<string, unknown>();

  constructor(api: ApiHouse) {
    this.#api = api;
  }

  async post(path: string, payload: object) {
    const answer = await this.#api.app.inject({
      method: "POST",
      url: `/api/v1${path}`,
      headers: { origin: "http://127.0.0.1", cookie: [...this.cookies].map((pair) => pair.join("=")).join("; ") },
      payload,
    });
    for (const cookie of answer.cookies) {
      this.attributes.set(cookie.name, cookie);
      if (cookie.value === "") this.cookies.delete(cookie.name);
      else this.cookies.set(cookie.name, cookie.value);
    }
    return { status: answer.statusCode, json: answer.json() };
  }

  begin(next?: string) {
    return this.post("/session/oidc", next === undefined ? {} : { next });
  }

  finish(returned: URL) {
    return this.post("/session/oidc/finish", Object.fromEntries(returned.searchParams));
  }

  async me() {
    const cookie = [...this.cookies].map((pair) => pair.join("=")).join("; ");
    return this.#api.app.inject({ method: "GET", url: "/api/v1/me", headers: { cookie } });
  }
}

async function comesBack({ api, provider }: Stage, login: string | null, next?: string) {
  const browser = new Browser(api);
  const begun = await browser.begin(next);
  if (begun.status !== 200) throw new Error(JSON.stringify(begun.json));
  return { browser, returned: await provider.person(begun.json.url as string, login) };
}

async function signsIn(stage: Stage, login: string | null) {
  const { browser, returned } = await comesBack(stage, login);
  const { status, json } = await browser.finish(returned);
  return { browser, status, code: (json.code ?? "in") as string, json };
}

async function auditOf({ api, root }: Stage, action: string) {
  const { items } = await api.done(root, "listAudit", { query: { limit: "200", action } });
  return items.map((entry) => [entry.object, entry.resultCode] as const);
}

test(
  "a linked person signs in, with a session as after a password; the log says by what, and who linked whom",
  { timeout: FIRST_MS },
  async () => {
    await withProvider(async (stage) => {
      const { api, link } = stage;
      await api.account("kim", ["view", "edit"]);
      expect((await api.ask(null, "signInMethods")).json).toEqual({ oidc: { label: "Company" } });
      expect((await link("kim", "sub-kim")).status).toBe(201);
      const { browser, returned } = await comesBack(stage, "sub-kim", "/changes?state=open");
      // A session that somebody has put there beforehand is not taken over.
      browser.cookies.set("holdfast", "chosen-by-another");
      expect(returned.href.startsWith(`${REDIRECT}?`)).toBe(true);
      expect(browser.attributes.get("holdfast-sign-in")).toMatchObject({
        httpOnly: true,
        sameSite: "Strict",
        path: "/",
        maxAge: 600,
      });
      const { status, json } = await browser.finish(returned);
      expect(status).toBe(200);
      expect(json).toMatchObject({ me: { user: "kim", permissions: ["edit", "view"] }, next: "/changes?state=open" });
      expect(json.me.csrfToken).not.toBeNull();
      expect(browser.cookies.has("holdfast-sign-in")).toBe(false);
      expect(browser.attributes.get("holdfast")).toMatchObject({ httpOnly: true, sameSite: "Strict" });
      expect(browser.cookies.get("holdfast")).toMatch(/^hf_/);
      expect((await browser.me()).json()).toMatchObject({ user: "kim" });
      expect(await auditOf(stage, "session.")).toContainEqual(["account/kim", "ok"]);
      expect((await auditOf(stage, "user.linked")).length).toBe(1);
    });
  },
);

test("S24 S42: only the browser that began a sign-in ends it, once, and in time", async () => {
  await withProvider(async (stage) => {
    const { api, link } = stage;
    await api.account("kim", ["view"]);
    await link("kim", "sub-kim");
    // A link that somebody else's browser began: signing a person in to another's account.
    const other = await comesBack(stage, "sub-kim");
    const victim = new Browser(api);
    expect((await victim.finish(other.returned)).json.code).toBe("oidc.not_begun_here");
    const begunToo = await comesBack(stage, "sub-kim");
    expect((await begunToo.browser.finish(other.returned)).json.code).toBe("oidc.not_begun_here");
    const wrong = new URL(other.returned);
    wrong.searchParams.set("state", "made-up");
    expect((await other.browser.finish(wrong)).json.code).toBe("oidc.not_begun_here");
    // What was kept is neither ours when it was changed, nor good for the other step.
    const forged = new Browser(api);
    forged.cookies.set("holdfast-sign-in", `${other.browser.cookies.get("holdfast-sign-in") ?? ""}A`);
    expect((await forged.finish(other.returned)).json.code).toBe("oidc.not_begun_here");
    expect((await other.browser.post("/session/oidc/code", { code: "123456" })).json.code).toBe("oidc.not_begun_here");
    // Twice at the same moment, and once more with the cookie of before.
    const kept = other.browser.cookies.get("holdfast-sign-in") ?? "";
    const both = await Promise.all([other.browser.finish(other.returned), other.browser.finish(other.returned)]);
    expect(new Set(both.map(({ json }) => String(json.code ?? "in")))).toEqual(new Set(["in", "oidc.used"]));
    other.browser.cookies.set("holdfast-sign-in", kept);
    expect((await other.browser.finish(other.returned)).json.code).toBe("oidc.used");
    // A browser has one sign-in under way: what it keeps of another kind opens nothing, and beginning that ended this one.
    const changed = await comesBack(stage, "sub-kim");
    changed.browser.cookies.set("holdfast-sign-in", newSecret());
    expect((await changed.browser.finish(changed.returned)).json.code).toBe("oidc.not_begun_here");
    const late = await comesBack(stage, "sub-kim");
    api.clock.aheadMs = 10 * 60_000 + 1_000;
    expect((await late.browser.finish(late.returned)).json.code).toBe("oidc.too_late");
    const codes = (await auditOf(stage, "session.asked")).map(([, code]) => code);
    for (const code of ["oidc.not_begun_here", "oidc.used", "oidc.too_late"]) expect(codes).toContain(code);
  });
});

test("a code of another sign-in, a token of another sign-in, key, issuer or client, and one from another time prove nothing", async () => {
  await withProvider(async (stage) => {
    const { api, provider, link } = stage;
    await api.account("kim", ["view"]);
    await link("kim", "sub-kim");
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const lies: Readonly<Record<string, IdentityProvider["lie"]>> = {
      nonce: (claims, resign) => resign({ ...claims, nonce: "another sign-in's" }),
      noNonce: (claims, resign) => resign({ ...claims, nonce: undefined }),
      key: (claims, resign) => resign(claims, { key: other }),
      unsigned: (claims, resign) => resign(claims, { alg: "none" }),
      issuer: (claims, resign) => resign({ ...claims, iss: "https://other.example" }),
      audience: (claims, resign) => resign({ ...claims, aud: "another-client" }),
      over: (claims, resign) =>
        resign({ ...claims, iat: Number(claims["iat"]) - 7_200, exp: Number(claims["iat"]) - 3_600 }),
      changed: (claims, resign) =>
        resign(claims).replace(
          /\.[^.]+\./,
          `.${Buffer.from(JSON.stringify({ ...claims, sub: "sub-kim" })).toString("base64url")}.`,
        ),
      subject: (claims, resign) => resign({ ...claims, sub: "sub\u0000kim" }),
    };
    for (const [name, lie] of Object.entries(lies)) {
      provider.lie = lie;
      const login = name === "changed" ? "somebody" : "sub-kim";
      expect((await signsIn(stage, login)).code, name).toBe("oidc.token_invalid");
    }
    provider.lie = null;
    // The code of one sign-in in the answer of another: PKCE.
    const [first, second] = [await comesBack(stage, "sub-kim"), await comesBack(stage, "sub-kim")];
    first.returned.searchParams.set("code", second.returned.searchParams.get("code") ?? "");
    expect((await first.browser.finish(first.returned)).json.code).toBe("oidc.token_invalid");
    // The answer of another provider (mix-up).
    const mixed = await comesBack(stage, "sub-kim");
    expect(mixed.returned.searchParams.get("iss")).toBe(provider.issuer);
    mixed.returned.searchParams.set("iss", "https://other.example");
    expect((await mixed.browser.finish(mixed.returned)).json.code).toBe("oidc.token_invalid");
    const unnamed = await comesBack(stage, "sub-kim");
    unnamed.returned.searchParams.delete("iss");
    expect((await unnamed.browser.finish(unnamed.returned)).json.code).toBe("oidc.token_invalid");
    // Clocks that are a little apart are no reason; ones that are far apart are.
    api.clock.aheadMs = -45_000;
    expect((await signsIn(stage, "sub-kim")).code).toBe("in");
    api.clock.aheadMs = 3 * 3_600_000;
    expect((await signsIn(stage, "sub-kim")).code).toBe("oidc.token_invalid");
    api.clock.aheadMs = 0;
    const session = await api.test.app.rows<{ count: number }>({
      text: "select count(*) as count from tokens where opened_with = 'oidc'",
      values: [],
    });
    expect(session[0]?.count).toBe(1);
  });
});

test("who is not linked, says no at the provider, or has a closed account is told so and is not in", async () => {
  await withProvider(async (stage) => {
    const { api, provider, root, link } = stage;
    await api.account("kim", ["view"]);
    // Neither the same name nor the same address of mail is the same person.
    provider.claims.set("stranger", { preferred_username: "kim", email: "kim@example.org", email_verified: true });
    const stranger = await signsIn(stage, "stranger");
    expect(stranger.json).toMatchObject({ status: 403, code: "oidc.not_linked" });
    expect(stranger.json.detail).toContain("the subject stranger");
    expect((await signsIn(stage, null)).code).toBe("oidc.provider_refused");
    await link("kim", "sub-kim");
    await api.done(root, "disableUser", { params: { name: "kim" }, body: {} });
    expect((await signsIn(stage, "sub-kim")).code).toBe("oidc.account_closed");
    await api.done(root, "enableUser", { params: { name: "kim" }, body: {} });
    expect((await signsIn(stage, "sub-kim")).code).toBe("in");
    const codes = (await auditOf(stage, "session.asked")).map(([, code]) => code);
    for (const code of ["oidc.not_linked", "oidc.provider_refused", "oidc.account_closed"])
      expect(codes).toContain(code);
    expect((await api.done(root, "listUsers")).items.map((user) => user.name)).not.toContain("stranger");
  });
});

test("a provider that is down, late or at fault costs a bounded time; the password signs in meanwhile, and a new key is believed", async () => {
  await withProvider(
    async (stage) => {
      const { api, provider, link } = stage;
      await api.account("kim", ["view"]);
      await link("kim", "sub-kim");
      expect((await signsIn(stage, "sub-kim")).code).toBe("in");
      await provider.rotateKeys();
      expect((await signsIn(stage, "sub-kim")).code).toBe("in");
      const late = await comesBack(stage, "sub-kim");
      provider.hold = "/token";
      expect((await late.browser.finish(late.returned)).json.code).toBe("oidc.provider_unreachable");
      provider.hold = null;
      provider.release();
      // What was answered too late is not taken up by a second try: the sign-in was used.
      expect((await late.browser.finish(late.returned)).json.code).toBe("oidc.used");
      const gone = await comesBack(stage, "sub-kim");
      await provider.close();
      expect((await gone.browser.finish(gone.returned)).json.code).toBe("oidc.provider_unreachable");
      expect((await new Browser(api).begin()).json).toMatchObject({ status: 503, code: "oidc.provider_unreachable" });
      expect((await api.ask(null, "login", { body: { user: "kim", password: PASSWORD } })).status).toBe(200);
    },
    { withinMs: 1_500 },
  );
});

test("S40: an account whose second factor is a passkey alone signs in with that; its provider opens nothing", async () => {
  await withProvider(async (stage) => {
    const { api, link } = stage;
    await api.account("kim", ["view"]);
    await link("kim", "sub-kim");
    await api.house.database.rows({
      text: `insert into passkeys (id, user_id, credential_id, public_key, sign_count, backup_eligible, backed_up, transports, name)
             select gen_random_uuid(), id, '\\x01', '\\x02', 0, false, false, '{}', 'laptop' from users where name = 'kim'`,
      values: [],
    });
    const { browser, json } = await signsIn(stage, "sub-kim");
    expect(json).toMatchObject({ status: 401, code: "account.passkey_needed" });
    expect((await browser.me()).statusCode).toBe(401);
    expect(await auditOf(stage, "session.")).toContainEqual(["account/kim", "account.passkey_needed"]);
  });
});

test("S40: the account's own second factor is asked for after the provider; guessed codes make one wait, and its proof is good once", async () => {
  await withProvider(async (stage) => {
    const { api, root, link } = stage;
    const kim = await api.account("kim", ["view"]);
    await link("kim", "sub-kim");
    const { secret } = await api.done(kim, "offerTotp", { body: { password: PASSWORD } });
    const bits = secret
      .split("")
      .map((one) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(one).toString(2).padStart(5, "0"));
    const key = Buffer.from((bits.join("").match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
    const code = (): string => totpCode(key, Math.floor(api.house.nowMs() / 30_000));
    await api.done(kim, "confirmTotp", { body: { code: code() } });
    api.clock.aheadMs = 60_000;
    const { browser, json } = await signsIn(stage, "sub-kim");
    expect(json).toEqual({ me: null, next: "/" });
    expect((await browser.me()).statusCode).toBe(401);
    const proof = browser.cookies.get("holdfast-sign-in") ?? "";
    expect((await browser.post("/session/oidc/code", { code: "000000" })).json.code).toBe("account.wrong_code");
    expect((await browser.post("/session/oidc/code", { code: code() })).json).toMatchObject({ me: { user: "kim" } });
    expect((await browser.me()).statusCode).toBe(200);
    // The same proof with another code: whoever has copied the cookie and looks over a shoulder.
    api.clock.aheadMs = 120_000;
    const thief = new Browser(api);
    thief.cookies.set("holdfast-sign-in", proof);
    expect((await thief.post("/session/oidc/code", { code: code() })).json.code).toBe("oidc.used");
    // By the clock of the database's entries again.
    api.clock.aheadMs = 0;
    const guessing = (await signsIn(stage, "sub-kim")).browser;
    const guessed: string[] = [];
    for (let count = 0; count < 6; count++)
      guessed.push((await guessing.post("/session/oidc/code", { code: "000000" })).json.code as string);
    expect(guessed).toEqual([...Array<string>(5).fill("account.wrong_code"), "account.locked_out"]);
    // Between the provider's word and the code the link was taken away.
    api.clock.aheadMs = 300_000;
    const slow = (await signsIn(stage, "sub-kim")).browser;
    const [identity] = (await api.done(root, "listUserIdentities", { params: { name: "kim" } })).items;
    await api.done(root, "unlinkUser", { params: { name: "kim", id: identity?.id ?? "" } });
    expect((await slow.post("/session/oidc/code", { code: code() })).json.code).toBe("oidc.not_linked");
  });
});

test("linking and unlinking: one subject is one account, the owner notices, and what was opened by the link ends with it", async () => {
  await withProvider(async (stage) => {
    const { api, root, link } = stage;
    const kim = await api.account("kim", ["view"]);
    const lee = await api.account("lee", ["view"]);
    await api.done(root, "createService", { body: { name: "ci" } });
    const before = (await api.ask(null, "login", { body: { user: "kim", password: PASSWORD } })).json
      .sessionToken as string;
    expect((await api.ask(kim, "linkUser", { params: { name: "kim" }, body: { subject: "s" } })).status).toBe(403);
    // A token that was stolen does not become a sign-in of the one who stole it.
    expect((await link("root", "sub-thief")).json.code).toBe("account.own_sign_in");
    expect((await link("ci", "sub-ci")).json.code).toBe("account.wrong_kind");
    expect((await link("nobody", "sub-kim")).status).toBe(404);
    expect((await link("kim", "sub-kim")).status).toBe(201);
    // Its sessions have ended, its tokens not; pressed again it is the same.
    expect((await api.ask(before, "me")).status).toBe(401);
    expect((await api.ask(kim, "me")).status).toBe(200);
    expect((await link("kim", "sub-kim")).status).toBe(201);
    expect((await link("kim", "sub-other")).json.code).toBe("oidc.already_linked");
    expect((await link("lee", "sub-kim")).json.code).toBe("oidc.subject_taken");
    const { browser, json } = await signsIn(stage, "sub-kim");
    const made = await api.app.inject({
      method: "POST",
      url: "/api/v1/tokens",
      headers: {
        cookie: [...browser.cookies].map((pair) => pair.join("=")).join("; "),
        "x-holdfast-csrf": json.me.csrfToken as string,
      },
      payload: { name: "from there", permissions: ["view"] },
    });
    const token = made.json<{ secret: string }>().secret;
    expect((await api.ask(token, "me")).status).toBe(200);
    const [identity] = (await api.done(root, "listUserIdentities", { params: { name: "kim" } })).items;
    expect(identity).toMatchObject({ subject: "sub-kim", issuer: stage.provider.issuer });
    const id = identity?.id ?? "";
    // Everybody sees their own, and only their own.
    expect((await api.done(kim, "listIdentities")).items).toEqual([identity]);
    expect((await api.done(lee, "listIdentities")).items).toEqual([]);
    expect((await api.ask(root, "unlinkUser", { params: { name: "lee", id } })).status).toBe(404);
    await api.done(root, "unlinkUser", { params: { name: "kim", id } });
    expect((await api.ask(root, "unlinkUser", { params: { name: "kim", id } })).status).toBe(404);
    expect((await browser.me()).statusCode).toBe(401);
    expect((await api.ask(token, "me")).status).toBe(401);
    expect([(await api.ask(kim, "me")).status, (await api.ask(lee, "me")).status]).toEqual([200, 200]);
    expect((await signsIn(stage, "sub-kim")).code).toBe("oidc.not_linked");
    expect((await auditOf(stage, "user.unlinked")).length).toBe(1);
  });
});

test("a one-time password that was never used holds nobody up who comes by the provider, and still must be changed", async () => {
  await withProvider(async (stage) => {
    const { api, root, link } = stage;
    const { password } = await api.done(root, "createUser", { body: { name: "new", permissions: ["view"] } });
    await link("new", "sub-new");
    const { browser, json } = await signsIn(stage, "sub-new");
    expect(json.me).toMatchObject({ user: "new", mustChangePassword: false });
    expect((await browser.me()).json()).toMatchObject({ mustChangePassword: false });
    expect((await api.ask(null, "login", { body: { user: "new", password } })).json.mustChangePassword).toBe(true);
  });
});

test("accounts are made only for whom the settings say, once, with a role that only looks, under a name that is nobody's", async () => {
  await withProvider(
    async (stage) => {
      const { api, provider, root } = stage;
      await api.account("kim", ["view"]);
      const groups = ["staff", "ops"];
      expect((await signsIn(stage, "outsider")).code).toBe("oidc.not_linked");
      provider.claims.set("a", { groups, preferred_username: "kim" });
      provider.claims.set("b", { groups, preferred_username: "sora" });
      provider.claims.set("c", { groups, preferred_username: "Robert'); drop table users" });
      const both = await Promise.all([signsIn(stage, "b"), signsIn(stage, "b")]);
      expect(both.map((one) => one.json.me?.user as string)).toEqual(["sora", "sora"]);
      expect((await signsIn(stage, "a")).json.me.user).toMatch(/^person-[0-9a-f]{12}$/);
      expect((await signsIn(stage, "c")).json.me).toMatchObject({ permissions: ["view"] });
      const sora = (await api.done(root, "listUsers")).items.find((user) => user.name === "sora");
      expect(sora).toMatchObject({ permissions: [], roles: [{ role: "viewer", scope: { all: true } }] });
      // Without a password nothing of one opens it.
      expect((await api.ask(null, "login", { body: { user: "sora", password: "x" } })).status).toBe(401);
      const viewer = (await api.done(root, "listRoles")).items.find((role) => role.name === "viewer");
      const wider = { description: "", permissions: ["view", "edit"] };
      await api.done(root, "saveRole", {
        params: { name: "viewer" },
        body: wider,
        headers: { "if-match": `"${viewer?.etag ?? ""}"` },
      });
      provider.claims.set("d", { groups });
      expect((await signsIn(stage, "d")).code).toBe("oidc.role_unfit");
    },
    { newAccounts: { role: "viewer", claim: "groups", value: "ops" } },
  );
});

test("where to go afterwards is a path of the console; without a provider there is nothing to begin; too many are refused", async () => {
  await withProvider(async ({ api }) => {
    for (const next of ["https://evil.example", "//evil.example", "/\\evil.example", "/a\\b", "javascript:x", "/\tx"])
      expect((await new Browser(api).begin(next)).status, next).toBe(400);
    const statuses: number[] = [];
    for (let count = 0; count < 21; count++)
      statuses.push((await new Browser(api).post("/session/oidc/finish", { state: "x", code: "y" })).status);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
  });
  await withApi(async (api) => {
    const root = await api.account("root", ["admin"]);
    expect((await api.ask(null, "signInMethods")).json).toEqual({ oidc: null });
    expect((await api.ask(null, "beginOidc", { body: {} })).json.code).toBe("oidc.not_configured");
    expect((await api.ask(root, "linkUser", { params: { name: "root" }, body: { subject: "x" } })).json.code).toBe(
      "oidc.not_configured",
    );
  });
});

test("the file of the provider: whatever is wrong with it stops the start in words, without the secret", () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-oidc-"));
  try {
    const file = join(folder, "oidc.json");
    const secretFile = join(folder, "client.secret");
    writeFileSync(secretFile, "very secret\n", { mode: 0o600 });
    const written = (content: object, mode = 0o600, clientSecret: string | null = null) => {
      writeFileSync(file, JSON.stringify(content));
      chmodSync(file, mode);
      const read = readOidcSettings({ file, clientSecret });
      return read.ok ? "good" : read.error.join("; ");
    };
    const good = { issuer: "https://id.example", clientId: "holdfast", clientSecretFile: secretFile };
    expect(readOidcSettings(null)).toEqual({ ok: true, value: null });
    expect(written(good)).toBe("good");
    expect(written({ ...good, issuer: "http://127.0.0.1:9000" })).toBe("good");
    expect(written({ ...good, issuer: "http://id.example" })).toContain("expected an https address");
    expect(written({ ...good, issuer: "http://127.0.0.1.example" })).toContain("expected an https address");
    expect(written({ ...good, issuer: "https://169.254.169.254" })).toContain("no address of a receiver");
    expect(written({ ...good, issuer: "https://u:p@id.example" })).toContain("without user and password");
    expect(written({ ...good, issuer: "https://id.example?x" })).toContain("without ? and #");
    expect(written({ ...good, newAccounts: { role: "viewer" } })).toContain("newAccounts.claim");
    expect(written({ ...good, more: 1 })).toContain("more");
    expect(written(good, 0o622)).toContain("others may write it (mode 622)");
    expect(written(good, 0o600, "given")).toContain("not both");
    expect(written({ issuer: "https://id.example", clientId: "holdfast" })).toContain("HOLDFAST_OIDC_CLIENT_SECRET");
    expect(written({ issuer: "https://id.example", clientId: "holdfast" }, 0o600, "given")).toBe("good");
    chmodSync(secretFile, 0o640);
    expect(written(good)).toContain("others may read it (mode 640)");
    expect(written(good)).not.toContain("very secret");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
