import type { RouteName } from "@holdfast/core/api/route.ts";
import { isRightCode, userOf, userView } from "./account-handlers.ts";
import { refuse } from "./answer.ts";
import type { MockCall, MockHandler } from "./call.ts";
import { person } from "./seed-people.ts";
import { type MockToken, type MockUser, nextId } from "./state.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const done = { status: 200, body: { done: true } } as const;
const TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/** Sessions of a person, and tokens: the mock's tokens belong to whoever made the mock's services, or to everybody. */
function signedIn({ state, session, nowMs }: MockCall, user: MockUser): readonly Record<string, unknown>[] {
  const sessions = [...state.sessions].flatMap(([id, name], index) =>
    name === user.name
      ? [
          {
            id,
            kind: "session",
            name: "",
            source: index === 0 ? "203.0.113.80" : "203.0.113.9",
            createdAt: new Date(nowMs - (index === 0 ? 30 : 1) * HOUR_MS).toISOString(),
            lastUsedAt: new Date(nowMs - (index === 0 ? 20 * 60_000 : 0)).toISOString(),
            expiresAt: new Date(nowMs + 10 * HOUR_MS).toISOString(),
            current: id === session,
          },
        ]
      : [],
  );
  const tokens = state.tokens.flatMap((token) =>
    (token.owner ?? "admin") === user.name
      ? [
          {
            id: token.id,
            kind: "api",
            name: token.name,
            source: "203.0.113.9",
            createdAt: token.createdAt,
            lastUsedAt: token.lastUsedAt,
            expiresAt: token.expiresAt,
            current: false,
          },
        ]
      : [],
  );
  return [...sessions, ...tokens];
}

function end({ state, params }: MockCall): void {
  const id = params["id"] ?? "";
  const at = state.tokens.findIndex((token) => token.id === id);
  if (at >= 0) state.tokens.splice(at, 1);
  else if (!state.sessions.delete(id)) refuse("resource.not_found", "There is no such session.");
}

function assertPassword(user: MockUser, password: unknown): void {
  if (user.password !== password) refuse("account.wrong_password", "The password is wrong.");
}

export const SIGN_IN_HANDLERS = {
  offerTotp: ({ user, body }) => {
    assertPassword(user, body["password"]);
    if (user.secondFactor) return refuse("account.totp_not_now", "There is a second factor already.");
    const uri = `otpauth://totp/Holdfast:${user.name}?secret=${TOTP_SECRET}&issuer=Holdfast`;
    return { status: 200, body: { secret: TOTP_SECRET, uri } };
  },
  confirmTotp: ({ user, body }) => {
    if (!isRightCode(body["code"]))
      return refuse("account.wrong_code", "This is not a code of the secret that was shown.");
    user.secondFactor = true;
    const codes = Array.from({ length: 10 }, (_, index) => `mock-${String(index).repeat(4)}-codes-only`);
    return { status: 200, body: { codes } };
  },
  removeTotp: ({ user, body }) => {
    assertPassword(user, body["password"]);
    user.secondFactor = false;
    return done;
  },
  resetUserTotp: (call) => {
    userOf(call).secondFactor = false;
    return done;
  },
  listSessions: (call) => ({ status: 200, body: { items: signedIn(call, call.user) } }),
  revokeSession: (call) => {
    end(call);
    return done;
  },
  listUserSessions: (call) => ({ status: 200, body: { items: signedIn(call, userOf(call)) } }),
  revokeUserSession: (call) => {
    end(call);
    return done;
  },
  createService: ({ state, body }) => {
    const name = String(body["name"]);
    if (state.users.some((one) => one.name === name)) return refuse("account.exists", `There is an account ${name}.`);
    const permissions = (body["permissions"] as MockUser["permissions"][number]["permission"][]).map((permission) => ({
      permission,
      scope: { all: true as const },
      domains: null,
    }));
    const service = person(name, { kind: "service", password: "-", permissions });
    state.users.push(service);
    return { status: 201, body: userView(service) };
  },
  createServiceToken: (call) => {
    const { state, body, nowMs } = call;
    const token: MockToken = {
      id: nextId(state, "token"),
      owner: userOf(call).name,
      name: String(body["name"]),
      permissions: body["permissions"] as MockToken["permissions"],
      scope: { all: true },
      domains: null,
      createdAt: new Date(nowMs).toISOString(),
      expiresAt: new Date(nowMs + Number(body["days"]) * DAY_MS).toISOString(),
      lastUsedAt: null,
    };
    state.tokens.push(token);
    return { status: 201, body: { ...token, secret: "hf_mock_0123456789abcdefghij" } };
  },
} as const satisfies Partial<Record<RouteName, MockHandler>>;
