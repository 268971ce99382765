/** S40: where a floor asks for it, whoever applies, rolls back, tries again or approves has just shown a second factor; at every instance. */
import { expect, test } from "vitest";
import { totpCode } from "../src/account/totp.ts";
import { sql } from "../src/store/sql.ts";
import { bodyOf, planned, policy } from "./api-changes.ts";
import { type Answer, type ApiHouse, EVERYTHING, withApi } from "./api-house.ts";
import { SoftwareAuthenticator } from "./software-authenticator.ts";

const URL_ = "https://holdfast.example";
const PASSWORD = "a long enough password";
/** Each goes through several trials with a simulated agent. */
const LONG_MS = 240_000;

const floor = (stepUp: string): string => `apiVersion: holdfast/v1
kind: Floor
name: house
selector: { all: true }
trial: { soak: 0s }
${stepUp}`;
const ASKS = "stepUp: { within: 15m }\n";

async function sessionOf(api: ApiHouse, user: string): Promise<string> {
  const answer = await api.ask(null, "login", { body: { user, password: PASSWORD } });
  expect(answer.status, JSON.stringify(answer.json)).toBe(200);
  return String(answer.json.sessionToken);
}

async function ended(api: ApiHouse, token: string, id: string): Promise<void> {
  await api.until(
    async () => ((await api.done(token, "getRollout", { params: { id } })).state !== "RUNNING" ? true : undefined),
    "the end of the rollout",
  );
}

async function applied(api: ApiHouse, token: string, texts: readonly string[]) {
  const change = await planned(api, token, texts);
  const rollout = await api.done(token, "applyChange", { params: { id: change.id }, body: bodyOf(change) });
  await ended(api, token, rollout.id);
  return api.done(token, "getChange", { params: { id: change.id } });
}

/** A passkey made in this session, and a way to show it. */
async function passkeyOf(api: ApiHouse, session: string) {
  const authenticator = new SoftwareAuthenticator(URL_);
  const { options } = await api.done(session, "beginPasskey", { body: { password: PASSWORD } });
  const body = { name: "laptop", passkey: authenticator.register(options) };
  await api.done(session, "addPasskey", { body });
  return {
    authenticator,
    show: async (at: ApiHouse, token: string): Promise<Answer> => {
      const begun = await at.done(token, "beginStepUp", { body: {} });
      return at.ask(token, "stepUp", { body: { passkey: authenticator.assert(begun.options) } });
    },
  };
}

/** As long ago as this, by the database's clock. */
async function grown(api: ApiHouse, minutes: number): Promise<void> {
  await api.test.owner.run(
    sql`update holdfast.tokens set fresh_at = now() - make_interval(mins => ${minutes}::int) where fresh_at is not null`,
  );
}

test(
  "S40: each verb that makes a server move is refused until a factor was shown, and then the same request passes, at any instance",
  { timeout: LONG_MS },
  async () => {
    await withApi(
      async (api) => {
        const token = await api.account("kim", EVERYTHING);
        const agent = await api.server(token, "web-1", { role: "web" });
        await applied(api, token, [floor("")]);
        const session = await sessionOf(api, "kim");
        // Nobody asks for it yet.
        await applied(api, session, [policy("web", 443)]);
        const asking = await planned(api, session, [floor(ASKS)]);
        // The floor that would ask asks already for its own change.
        const withFloor = { params: { id: asking.id }, body: bodyOf(asking) };
        const first = await api.ask(session, "applyChange", withFloor);
        expect(first.json).toMatchObject({ status: 403, code: "access.step_up_needed" });
        expect(first.json.detail).toContain("none was shown in this session");
        const password = { password: PASSWORD, code: "123456" };
        expect((await api.ask(session, "stepUp", { body: password })).json.code).toBe("account.factor_needed");
        expect((await api.ask(session, "beginStepUp", { body: {} })).json.code).toBe("account.factor_needed");
        const { show } = await passkeyOf(api, session);
        expect((await show(api, session)).status).toBe(200);
        await ended(api, session, (await api.done(session, "applyChange", withFloor)).id);

        const second = await api.another();
        const refusedThenDone = async (
          route: "applyChange" | "rollbackChange" | "retryApply" | "rollbackApply",
          asked: object,
        ) => {
          await grown(api, 16);
          const headers = { "idempotency-key": `the-same-for-${route}` };
          for (const at of [api, second]) {
            const refused = await at.ask(session, route, { ...asked, headers });
            expect(refused.json, route).toMatchObject({ status: 403, code: "access.step_up_needed" });
            expect(refused.json.detail).toContain("16m ago");
          }
          // Shown at one instance, good at the other.
          expect((await show(second, session)).status).toBe(200);
          const rollout = await api.ask(session, route, { ...asked, headers });
          expect(rollout.status, JSON.stringify(rollout.json)).toBe(202);
          await ended(api, session, rollout.json.id);
        };
        const change = await planned(api, session, [policy("web", 8443)]);
        await refusedThenDone("applyChange", { params: { id: change.id }, body: bodyOf(change) });
        const back = await api.done(session, "planRollback", { params: { id: change.id }, body: {} });
        await refusedThenDone("rollbackChange", { params: { id: change.id }, body: bodyOf(back, "rollback") });
        await grown(api, 0);
        const again = await applied(api, session, [policy("web", 9443)]);
        await refusedThenDone("rollbackApply", { params: { id: again.applies[0]?.id ?? "" }, body: {} });
        agent.ledger.faults.refusePrepare = { code: "guard.busy", message: "somebody else was first" };
        await grown(api, 0);
        const failing = await applied(api, session, [policy("web", 7443)]);
        agent.ledger.faults.refusePrepare = null;
        await refusedThenDone("retryApply", { params: { id: failing.applies[0]?.id ?? "" }, body: {} });
        const audit = await api.test.app.rows<{ action: string; result_code: string }>(
          sql`select action, result_code from audit_log where action in ('session.stepped_up', 'api.applyChange')`,
        );
        expect(audit).toContainEqual({ action: "session.stepped_up", result_code: "ok" });
        expect(audit).toContainEqual({ action: "api.applyChange", result_code: "access.step_up_needed" });
        // An act on a tunnel makes a server move as well.
        agent.onTunnel = () => ({ outcome: "done", findings: [] });
        const acting = { params: { name: "web-1", tunnel: "pair" }, body: { act: "rekey" } };
        expect((await api.ask(token, "actOnTunnel", acting)).json.code).toBe("access.step_up_by_token");
        expect((await api.ask(session, "actOnTunnel", acting)).json.outcome).toBe("done");
        await grown(api, 16);
        expect((await api.ask(session, "actOnTunnel", acting)).json.code).toBe("access.step_up_needed");
        // The floor that asks cannot be lifted without it, and its asker does not lose the last factor.
        await grown(api, 16);
        const lifting = await planned(api, session, [floor("")]);
        expect(
          (await api.ask(session, "applyChange", { params: { id: lifting.id }, body: bodyOf(lifting) })).json.code,
        ).toBe("access.step_up_needed");
        const [own] = (await api.done(session, "listPasskeys")).items;
        expect(
          (await api.ask(session, "removePasskey", { params: { id: own?.id ?? "" }, body: { password: PASSWORD } }))
            .json.code,
        ).toBe("account.last_factor");
        expect((await api.done(session, "listPasskeys")).items).toHaveLength(1);
      },
      { url: URL_ },
    );
  },
);

test(
  "S40: an approval asks for it too; a token is refused, or let through where the floor says so; a narrower floor is not loosened by another",
  { timeout: LONG_MS },
  async () => {
    await withApi(
      async (api) => {
        const kim = await api.account("kim", EVERYTHING);
        const leeToken = await api.account("lee", ["view", "approve"]);
        await api.server(kim, "web-1", { role: "web" });
        await applied(api, kim, [floor("")]);
        const session = await sessionOf(api, "kim");
        const { show } = await passkeyOf(api, session);
        expect((await show(api, session)).status).toBe(200);
        await applied(api, session, [floor("stepUp: { within: 15m, tokens: allowed }\n")]);
        // Let through: the pipeline goes on.
        await applied(api, kim, [policy("web", 443)]);
        const stricter = floor("stepUp: { within: 5m }\n").replace("name: house", "name: stricter");
        const draft = await planned(api, session, [stricter]);
        const asked = { params: { id: draft.id }, body: bodyOf(draft) };
        const refused = await api.ask(kim, "applyChange", asked);
        expect(refused.json).toMatchObject({ status: 403, code: "access.step_up_by_token" });
        expect((await api.ask(kim, "stepUp", { body: { password: PASSWORD, code: "1" } })).json.code).toBe(
          "account.session_needed",
        );
        await ended(api, session, (await api.done(session, "applyChange", asked)).id);
        await grown(api, 10);
        const change = await planned(api, session, [policy("web", 8443)]);
        const apply = { params: { id: change.id }, body: bodyOf(change) };
        expect((await api.ask(session, "applyChange", apply)).json.detail).toContain("within 5m");

        const lee = await sessionOf(api, "lee");
        const approve = { params: { id: change.id }, body: { digest: change.digest } };
        expect((await api.ask(leeToken, "approveChange", approve)).json.code).toBe("access.step_up_by_token");
        expect((await api.ask(lee, "approveChange", approve)).json.code).toBe("access.step_up_needed");
        const lees = await passkeyOf(api, lee);
        // Another person's passkey, and one shown for another session, are no use here.
        const begun = await api.done(lee, "beginStepUp", { body: {} });
        const own = lees.authenticator.assert(begun.options);
        expect((await api.ask(session, "stepUp", { body: { passkey: own } })).json.code).toBe(
          "account.passkey_challenge",
        );
        const kims = await api.done(session, "beginStepUp", { body: {} });
        expect(
          (await api.ask(session, "stepUp", { body: { passkey: lees.authenticator.assert(kims.options) } })).json.code,
        ).toBe("account.passkey_refused");
        expect((await api.ask(lee, "approveChange", approve)).json.code).toBe("access.step_up_needed");
        const both = await Promise.all([1, 2].map(() => api.ask(lee, "stepUp", { body: { passkey: own } })));
        expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
        expect((await api.ask(lee, "approveChange", approve)).status).toBe(200);
      },
      { url: URL_ },
    );
  },
);

test("S40 S41: the password with a code makes a session fresh, a sign-in with one opens it fresh; guessed codes make one wait", async () => {
  await withApi(
    async (api) => {
      await api.account("kim", EVERYTHING);
      const session = await sessionOf(api, "kim");
      const offered = await api.done(session, "offerTotp", { body: { password: PASSWORD } });
      const secret = bytesOf(offered.secret);
      const now = (): string => totpCode(secret, Math.floor(api.house.nowMs() / 30_000));
      await api.done(session, "confirmTotp", { body: { code: now() } });
      const fresh = async (): Promise<(boolean | null)[]> =>
        (
          await api.test.app.rows<{ fresh: boolean | null }>(
            sql`select fresh_at > now() - interval '1 minute' as fresh from tokens where kind = 'session' order by created_at`,
          )
        ).map((row) => row.fresh);
      expect(await fresh()).toEqual([null]);
      // The code that set it up has been used.
      const step = (code: string, password = PASSWORD) => api.ask(session, "stepUp", { body: { password, code } });
      expect((await step(now())).json.code).toBe("account.wrong_code");
      api.clock.aheadMs += 60_000;
      expect((await step(now(), "wrong")).json.code).toBe("account.wrong_password");
      const code = now();
      const both = await Promise.all([step(code), step(code)]);
      expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401]);
      expect(await fresh()).toEqual([true]);
      api.clock.aheadMs += 60_000;
      const body = { user: "kim", password: PASSWORD, code: now() };
      expect((await api.ask(null, "login", { body })).status).toBe(200);
      expect(await fresh()).toEqual([true, true]);
      api.clock.aheadMs = 0;
      const codes: string[] = [];
      for (let count = 0; count < 7; count++) codes.push(String((await step("123456")).json.code));
      expect(codes.at(-1)).toBe("account.locked_out");
    },
    { url: URL_ },
  );
});

/** As an authenticator does: the text it was given back to bytes. */
function bytesOf(base32: string): Buffer {
  const bits = base32
    .split("")
    .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"));
  const bytes = bits.join("").match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}
