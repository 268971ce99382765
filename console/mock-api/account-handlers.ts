import type { RouteName } from "@holdfast/core/api/route.ts";
import { refuse } from "./answer.ts";
import { CSRF_TOKEN, type MockCall, type MockHandler, permissionsOf } from "./call.ts";
import { MOCK_ISSUER, person } from "./seed-people.ts";
import { type MockRole, type MockState, type MockUser, nextId } from "./state.ts";

const DAY_MS = 86_400_000;
const done = { status: 200, body: { done: true } } as const;

export function meOf({ passkeys }: MockState, user: MockUser): Record<string, unknown> {
  return {
    user: user.name,
    permissions: permissionsOf(user),
    mustChangePassword: user.mustChangePassword,
    secondFactor: user.secondFactor,
    passkeys: passkeys.length,
    csrfToken: CSRF_TOKEN,
  };
}

export function userView(user: MockUser): Record<string, unknown> {
  const { name, kind, disabled, mustChangePassword, secondFactor, permissions, roles } = user;
  const etag = JSON.stringify([permissions, roles]);
  return { name, kind, disabled, mustChangePassword, secondFactor, passkeys: 0, permissions, roles, etag };
}

export function userOf({ state, params }: MockCall): MockUser {
  return (
    state.users.find((one) => one.name === params["name"]) ??
    refuse("resource.not_found", `There is no account ${params["name"] ?? ""}.`)
  );
}

/** There is no authenticator: six digits are right unless they are six zeros. */
export function isRightCode(code: unknown): boolean {
  return typeof code === "string" && /^\d{6}$/.test(code) && code !== "000000";
}

function roleView({ users }: MockState, role: MockRole): Record<string, unknown> {
  const holders = users.filter((user) => user.roles.some((given) => given.role === role.name));
  return { ...role, heldBy: holders.map((user) => user.name) };
}

function linksOf({ identities }: MockState, name: string) {
  return identities
    .filter(({ user }) => user === name)
    .map(({ id, issuer, subject, linkedAt }) => ({ id, issuer, subject, linkedAt }));
}

export const ACCOUNT_HANDLERS = {
  login: ({ state, body }) => {
    const user = state.users.find(
      (one) => one.name === body["user"] && one.password === body["password"] && !one.disabled,
    );
    if (user === undefined) return refuse("account.wrong_password", "User or password is wrong.");
    const code = body["code"];
    if (user.secondFactor && code === undefined) return refuse("account.code_needed", "A code is needed too.");
    if (user.secondFactor && !isRightCode(code)) return refuse("account.wrong_code", "The code is wrong.");
    const session = nextId(state, "session");
    state.sessions.set(session, user.name);
    return { status: 200, body: { ...meOf(state, user), sessionToken: null }, session };
  },
  signInMethods: ({ state }) => ({
    status: 200,
    body: { oidc: state.provider === null ? null : { label: state.provider } },
  }),
  beginOidc: () => refuse("oidc.not_configured", "The demonstration has no provider."),
  finishOidc: () => refuse("oidc.not_configured", "The demonstration has no provider."),
  finishOidcCode: () => refuse("oidc.not_configured", "The demonstration has no provider."),
  listIdentities: ({ state, user }) => ({ status: 200, body: { items: linksOf(state, user.name) } }),
  listUserIdentities: (call) => ({ status: 200, body: { items: linksOf(call.state, userOf(call).name) } }),
  linkUser: (call) => {
    const { state, body, nowMs } = call;
    const { name } = userOf(call);
    if (state.provider === null) return refuse("oidc.not_configured", "The demonstration has no provider.");
    const there = linksOf(state, name)[0];
    if (there !== undefined) return refuse("oidc.already_linked", `${name} is linked to the subject ${there.subject}.`);
    const link = {
      id: nextId(state, "link"),
      issuer: MOCK_ISSUER,
      subject: String(body["subject"]),
      linkedAt: new Date(nowMs).toISOString(),
    };
    state.identities.push({ user: name, ...link });
    return { status: 201, body: link };
  },
  unlinkUser: ({ state, params }) => {
    const at = state.identities.findIndex(({ id }) => id === params["id"]);
    if (at >= 0) state.identities.splice(at, 1);
    return done;
  },
  logout: ({ state, session }) => {
    state.sessions.delete(session ?? "");
    return { ...done, session: null };
  },
  me: ({ state, user }) => ({ status: 200, body: meOf(state, user) }),
  changePassword: ({ user, body }) => {
    if (user.password !== body["current"]) return refuse("account.wrong_password", "The current password is wrong.");
    user.password = String(body["next"]);
    user.mustChangePassword = false;
    return done;
  },
  listTokens: ({ state }) => ({ status: 200, body: { items: state.tokens, nextCursor: null } }),
  createToken: ({ state, body, nowMs }) => {
    const token = {
      id: nextId(state, "token"),
      name: String(body["name"]),
      permissions: body["permissions"] as MockUser["permissions"][number]["permission"][],
      scope: { all: true as const },
      domains: null,
      createdAt: new Date(nowMs).toISOString(),
      expiresAt: new Date(nowMs + Number(body["days"]) * DAY_MS).toISOString(),
      lastUsedAt: null,
    };
    state.tokens.push(token);
    return { status: 201, body: { ...token, secret: "hf_mock_0123456789abcdefghij" } };
  },
  revokeToken: ({ state, params }) => {
    const at = state.tokens.findIndex((token) => token.id === params["id"]);
    if (at >= 0) state.tokens.splice(at, 1);
    return done;
  },
  listUsers: ({ state }) => ({ status: 200, body: { items: state.users.map(userView), nextCursor: null } }),
  createUser: ({ state, body }) => {
    const name = String(body["name"]);
    if (state.users.some((one) => one.name === name)) return refuse("account.exists", `There is an account ${name}.`);
    const permissions = (body["permissions"] as MockUser["permissions"][number]["permission"][]).map((permission) => ({
      permission,
      scope: { all: true as const },
      domains: null,
    }));
    state.users.push(person(name, { password: "one time only", mustChangePassword: true, permissions }));
    return { status: 201, body: { name, password: "one time only" } };
  },
  setUserPermissions: (call) => {
    const user = userOf(call);
    if (call.ifMatch !== userView(user)["etag"])
      return refuse("etag.moved", "The permissions have been changed since you read them.");
    user.permissions = call.body["permissions"] as MockUser["permissions"];
    if (call.body["roles"] !== undefined) user.roles = call.body["roles"] as MockUser["roles"];
    return { status: 200, body: userView(user) };
  },
  resetUserPassword: (call) => {
    const user = userOf(call);
    Object.assign(user, { password: "one time only", mustChangePassword: true });
    return { status: 200, body: { name: user.name, password: "one time only" } };
  },
  disableUser: (call) => {
    userOf(call).disabled = true;
    return done;
  },
  enableUser: (call) => {
    userOf(call).disabled = false;
    return done;
  },
  getCommandKey: ({ state }) => ({
    status: 200,
    body: {
      keyId: "a1".repeat(8),
      keys: ["5e".repeat(8), "a1".repeat(8)],
      servers: state.servers
        .filter(({ enrolment }) => enrolment === "enrolled")
        .map(({ name, connected }) => ({
          server: name,
          standing: connected ? "current" : "behind",
          keyId: connected ? "a1".repeat(8) : "5e".repeat(8),
          connected,
        })),
    },
  }),
  listRoles: ({ state }) => ({ status: 200, body: { items: state.roles.map((role) => roleView(state, role)) } }),
  saveRole: ({ state, params, body }) => {
    const role = {
      name: params["name"] ?? "",
      description: typeof body["description"] === "string" ? body["description"] : "",
      permissions: body["permissions"] as MockRole["permissions"],
      etag: nextId(state, "role"),
    };
    const at = state.roles.findIndex((one) => one.name === role.name);
    if (at >= 0) state.roles.splice(at, 1, role);
    else state.roles.push(role);
    return { status: 200, body: roleView(state, role) };
  },
  deleteRole: ({ state, params }) => {
    const at = state.roles.findIndex((role) => role.name === params["name"]);
    if (at >= 0) state.roles.splice(at, 1);
    return done;
  },
  listAudit: ({ state }) => ({
    status: 200,
    body: {
      items: state.audit
        .map((entry, index) => ({
          ...entry,
          id: index + 1,
          source: "203.0.113.9",
          old: null,
          hash: `${index + 1}`.padStart(64, "3c9d"),
        }))
        .toReversed(),
      nextCursor: null,
    },
  }),
  exportAudit: ({ state }) => ({ status: 200, body: state.audit }),
  verifyAudit: ({ state }) => ({
    status: 200,
    body: {
      entries: state.audit.length,
      intact: state.knowMore.length === 0,
      firstBroken: state.knowMore.length === 0 ? null : state.audit.length + 1,
      reason: state.knowMore.length === 0 ? null : "cut_off",
      anchors: 3,
      newestAnchor: null,
      head: "8d1e".repeat(16),
      epoch: 1,
      nextEpoch: state.knowMore.length === 0 ? null : 2,
      onServers: {
        counts: {
          holds: state.servers.length - state.knowMore.length,
          none: 0,
          ahead: state.knowMore.length,
          forked: 0,
          unproven: 0,
          refuses: 0,
          unsupported: 0,
        },
        unasked: 0,
        notable: state.knowMore.map((server) => ({
          server,
          standing: "ahead",
          from: "server",
          epoch: 1,
          entries: state.audit.length + 40,
          head: "5a0c".repeat(16),
          at: "2026-11-26T08:00:00.000Z",
        })),
      },
    },
  }),
  beginAuditEpoch: ({ state, nowMs }) => {
    if (state.knowMore.length === 0)
      return refuse("audit.nothing_to_accept", "No server knows of another log than this one.");
    state.knowMore = [];
    return {
      status: 200,
      body: { epoch: 2, entries: state.audit.length, head: "8d1e".repeat(16), at: new Date(nowMs).toISOString() },
    };
  },
  doctor: ({ state }) => ({
    status: 200,
    body: {
      rows: [
        {
          id: "undo.armed_first",
          asks: "Automatic undo is armed before the first change",
          holds: true,
          evidence: `${state.applies.length} of ${state.applies.length} applies have armed before changing.`,
          remedy: "",
        },
        {
          id: "audit.chain",
          asks: "The audit log cannot be changed",
          holds: true,
          evidence: "The chain was walked; the application’s role has no UPDATE or DELETE.",
          remedy: "",
        },
        {
          id: "audit.anchor",
          asks: "The audit head is anchored outside of the database",
          holds: false,
          evidence: "The newest anchor is 26 h old.",
          remedy: "See whether the agents are connected; they keep the anchors.",
        },
      ],
    },
  }),
} as const satisfies Partial<Record<RouteName, MockHandler>>;
