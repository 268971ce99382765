import type { RouteName } from "@holdfast/core/api/route.ts";
import { refuse } from "./answer.ts";
import { CSRF_TOKEN, type MockCall, type MockHandler, permissionsOf } from "./call.ts";
import { type MockState, type MockUser, nextId } from "./state.ts";

const DAY_MS = 86_400_000;
const done = { status: 200, body: { done: true } } as const;

function meOf({ passkeys }: MockState, user: MockUser): Record<string, unknown> {
  return {
    user: user.name,
    permissions: permissionsOf(user),
    mustChangePassword: user.mustChangePassword,
    secondFactor: false,
    passkeys: passkeys.length,
    csrfToken: CSRF_TOKEN,
  };
}

function userView(user: MockUser): Record<string, unknown> {
  const { name, disabled, mustChangePassword, permissions } = user;
  return {
    name,
    kind: "person",
    disabled,
    mustChangePassword,
    secondFactor: false,
    passkeys: 0,
    permissions,
    roles: [],
    etag: String(permissions.length),
  };
}

function userOf({ state, params }: MockCall): MockUser {
  return (
    state.users.find((one) => one.name === params["name"]) ??
    refuse("resource.not_found", `There is no account ${params["name"] ?? ""}.`)
  );
}

export const ACCOUNT_HANDLERS = {
  login: ({ state, body }) => {
    const user = state.users.find(
      (one) => one.name === body["user"] && one.password === body["password"] && !one.disabled,
    );
    if (user === undefined) return refuse("account.wrong_password", "User or password is wrong.");
    const session = nextId(state, "session");
    state.sessions.set(session, user.name);
    return { status: 200, body: { ...meOf(state, user), sessionToken: null }, session };
  },
  signInMethods: () => ({ status: 200, body: { oidc: null } }),
  beginOidc: () => refuse("oidc.not_configured", "The demonstration has no provider."),
  finishOidc: () => refuse("oidc.not_configured", "The demonstration has no provider."),
  finishOidcCode: () => refuse("oidc.not_configured", "The demonstration has no provider."),
  listUserIdentities: () => ({ status: 200, body: { items: [] } }),
  linkUser: () => refuse("oidc.not_configured", "The demonstration has no provider."),
  unlinkUser: () => done,
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
    state.users.push({ name, password: "one time only", mustChangePassword: true, disabled: false, permissions });
    return { status: 201, body: { name, password: "one time only" } };
  },
  setUserPermissions: (call) => {
    const user = userOf(call);
    user.permissions = call.body["permissions"] as MockUser["permissions"];
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
  offerTotp: () => refuse("account.totp_not_now", "The demonstration has no second factors."),
  confirmTotp: () => refuse("account.totp_not_now", "The demonstration has no second factors."),
  removeTotp: () => done,
  listSessions: () => ({ status: 200, body: { items: [] } }),
  revokeSession: () => done,
  listUserSessions: () => ({ status: 200, body: { items: [] } }),
  revokeUserSession: () => done,
  resetUserTotp: () => done,
  enableUser: (call) => {
    userOf(call).disabled = false;
    return done;
  },
  createService: () => refuse("account.wrong_kind", "The demonstration has no service accounts."),
  createServiceToken: () => refuse("account.wrong_kind", "The demonstration has no service accounts."),
  listRoles: ({ state }) => ({ status: 200, body: { items: state.roles } }),
  saveRole: ({ state, params, body }) => {
    const role = {
      name: params["name"] ?? "",
      description: typeof body["description"] === "string" ? body["description"] : "",
      permissions: body["permissions"] as MockUser["permissions"][number]["permission"][],
      heldBy: [],
      etag: nextId(state, "role"),
    };
    state.roles.push(role);
    return { status: 200, body: role };
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
      intact: true,
      firstBroken: null,
      reason: null,
      anchors: 3,
      newestAnchor: null,
      head: "8d1e".repeat(16),
    },
  }),
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
