import type { Permission } from "./account.ts";

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Under `/api/v1`. */
  readonly path: string;
  /** What the one gate asks for. `self`: any signed-in person, about their own account. `open`: nobody needs to be signed in. */
  readonly needs: Permission | "self" | "open";
  readonly summary: string;
}

/**
 * Every route there is, with the permission that the gate asks for: a handler without a row here is not registered, and a row without a
 * handler fails the start. `edit` writes documents and changes; only `apply` makes a server move.
 */
export const ROUTES = {
  login: { method: "POST", path: "/session", needs: "open", summary: "Sign in with a password" },
  signInMethods: { method: "GET", path: "/session/methods", needs: "open", summary: "How one may sign in here" },
  beginOidc: {
    method: "POST",
    path: "/session/oidc",
    needs: "open",
    summary: "Begin a sign-in by the provider; answers with where to go",
  },
  finishOidc: {
    method: "POST",
    path: "/session/oidc/finish",
    needs: "open",
    summary: "End it with what the provider gave the browser",
  },
  finishOidcCode: {
    method: "POST",
    path: "/session/oidc/code",
    needs: "open",
    summary: "The code of the account's own second factor after that",
  },
  logout: { method: "DELETE", path: "/session", needs: "self", summary: "Sign out" },
  me: { method: "GET", path: "/me", needs: "self", summary: "Who am I and what may I do" },
  changePassword: { method: "POST", path: "/me/password", needs: "self", summary: "Change my password" },
  offerTotp: {
    method: "POST",
    path: "/me/totp",
    needs: "self",
    summary: "Begin a second factor: a secret for an authenticator",
  },
  confirmTotp: {
    method: "POST",
    path: "/me/totp/confirm",
    needs: "self",
    summary: "Use it from here on; answers with recovery codes",
  },
  removeTotp: { method: "POST", path: "/me/totp/remove", needs: "self", summary: "Give my second factor up" },
  beginPasskeySignIn: {
    method: "POST",
    path: "/session/passkey/begin",
    needs: "open",
    summary: "Begin to sign in with a passkey: a challenge for this browser",
  },
  signInWithPasskey: {
    method: "POST",
    path: "/session/passkey",
    needs: "open",
    summary: "Sign in with a passkey, without a password",
  },
  listPasskeys: { method: "GET", path: "/me/passkeys", needs: "self", summary: "My passkeys" },
  beginPasskey: {
    method: "POST",
    path: "/me/passkeys/begin",
    needs: "self",
    summary: "Begin a passkey: a challenge for this session",
  },
  addPasskey: { method: "POST", path: "/me/passkeys", needs: "self", summary: "Keep the passkey that was made" },
  renamePasskey: { method: "PUT", path: "/me/passkeys/{id}", needs: "self", summary: "Call a passkey something else" },
  removePasskey: {
    method: "POST",
    path: "/me/passkeys/{id}/remove",
    needs: "self",
    summary: "Give a passkey up, and end my other sessions",
  },
  beginStepUp: {
    method: "POST",
    path: "/me/step-up/begin",
    needs: "self",
    summary: "Begin to show again who I am with a passkey: a challenge for this session",
  },
  stepUp: {
    method: "POST",
    path: "/me/step-up",
    needs: "self",
    summary: "Show again who I am, where a floor asks for it before a server moves",
  },
  listSessions: {
    method: "GET",
    path: "/me/sessions",
    needs: "self",
    summary: "What I am signed in with: sessions and tokens",
  },
  revokeSession: { method: "DELETE", path: "/me/sessions/{id}", needs: "self", summary: "End one of them" },
  listIdentities: {
    method: "GET",
    path: "/me/identities",
    needs: "self",
    summary: "Who at the provider signs in as me",
  },
  listTokens: { method: "GET", path: "/tokens", needs: "self", summary: "My API tokens" },
  createToken: {
    method: "POST",
    path: "/tokens",
    needs: "self",
    summary: "Make an API token with at most my permissions",
  },
  revokeToken: { method: "DELETE", path: "/tokens/{id}", needs: "self", summary: "Revoke one of my tokens" },
  listUsers: { method: "GET", path: "/users", needs: "admin", summary: "Accounts and what they may do" },
  createUser: {
    method: "POST",
    path: "/users",
    needs: "admin",
    summary: "Make an account; answers with a one-time password",
  },
  setUserPermissions: {
    method: "PUT",
    path: "/users/{name}/permissions",
    needs: "admin",
    summary: "Set what an account may do",
  },
  resetUserPassword: {
    method: "POST",
    path: "/users/{name}/password",
    needs: "admin",
    summary: "Give an account a new one-time password",
  },
  disableUser: {
    method: "POST",
    path: "/users/{name}/disable",
    needs: "admin",
    summary: "Close an account and end its sessions",
  },
  enableUser: { method: "POST", path: "/users/{name}/enable", needs: "admin", summary: "Open a closed account again" },
  resetUserTotp: {
    method: "POST",
    path: "/users/{name}/totp/reset",
    needs: "admin",
    summary: "Take an account's second factor and passkeys away, and end what it is signed in with",
  },
  listUserSessions: {
    method: "GET",
    path: "/users/{name}/sessions",
    needs: "admin",
    summary: "What an account is signed in with",
  },
  revokeUserSession: {
    method: "DELETE",
    path: "/users/{name}/sessions/{id}",
    needs: "admin",
    summary: "End one of them",
  },
  listUserIdentities: {
    method: "GET",
    path: "/users/{name}/identities",
    needs: "admin",
    summary: "Whom at the provider an account is linked to",
  },
  linkUser: {
    method: "POST",
    path: "/users/{name}/identities",
    needs: "admin",
    summary: "Let a subject of the provider sign in to an account; its sessions end",
  },
  unlinkUser: {
    method: "DELETE",
    path: "/users/{name}/identities/{id}",
    needs: "admin",
    summary: "Take that away, and end what was opened by it",
  },
  createService: {
    method: "POST",
    path: "/services",
    needs: "admin",
    summary: "Make an account for a program; it has no password",
  },
  createServiceToken: {
    method: "POST",
    path: "/services/{name}/tokens",
    needs: "admin",
    summary: "Make a token for a service account",
  },
  listRoles: { method: "GET", path: "/roles", needs: "admin", summary: "Roles: sets of permissions under a name" },
  saveRole: {
    method: "PUT",
    path: "/roles/{name}",
    needs: "admin",
    summary: "Make a role (If-Match: new) or change what it holds",
  },
  deleteRole: { method: "DELETE", path: "/roles/{name}", needs: "admin", summary: "Delete a role that nobody holds" },

  getCommandKey: {
    method: "GET",
    path: "/command-key",
    needs: "admin",
    summary: "The key that servers obey, and which of them obey it already",
  },
  listCertificates: {
    method: "GET",
    path: "/certificates",
    needs: "view",
    summary: "By what each server's agent is known, until when, and what to do",
  },
  listServers: { method: "GET", path: "/servers", needs: "view", summary: "Servers with their state" },
  createServer: { method: "POST", path: "/servers", needs: "edit", summary: "Expect a server, before it is enrolled" },
  getServer: { method: "GET", path: "/servers/{name}", needs: "view", summary: "One server" },
  enrolServer: {
    method: "POST",
    path: "/servers/{name}/enrolment",
    needs: "admin",
    summary: "Make a single-use enrolment token",
  },
  approveServerKey: {
    method: "POST",
    path: "/servers/{name}/approve-key",
    needs: "admin",
    summary: "Approve the key whose fingerprint was compared",
  },
  pauseServer: { method: "POST", path: "/servers/{name}/pause", needs: "apply", summary: "Take no applies for a time" },
  resumeServer: { method: "POST", path: "/servers/{name}/resume", needs: "apply", summary: "End a pause" },
  unlockServer: {
    method: "POST",
    path: "/servers/{name}/unlock",
    needs: "apply",
    summary: "Release a lock after somebody has looked",
  },
  releaseServer: {
    method: "POST",
    path: "/servers/{name}/release",
    needs: "admin",
    summary: "End management; the server keeps what is in force",
  },
  getServerConfig: {
    method: "GET",
    path: "/servers/{name}/config",
    needs: "view",
    summary: "The effective config and where each item comes from",
  },
  getServerLive: { method: "GET", path: "/servers/{name}/live", needs: "view", summary: "Ask the server itself, now" },
  listServerApplies: { method: "GET", path: "/servers/{name}/applies", needs: "view", summary: "The server's story" },
  actOnTunnel: {
    method: "POST",
    path: "/servers/{name}/tunnels/{tunnel}/act",
    needs: "apply",
    summary:
      "Begin, end, or give new keys to a tunnel that is in force on this server; or only say what that would cut",
  },
  explainPacket: {
    method: "POST",
    path: "/servers/{name}/explain",
    needs: "view",
    summary: "What would happen to a packet, and by which rule",
  },
  watchPackets: {
    method: "GET",
    path: "/servers/{name}/packets",
    needs: "watch",
    summary: "Server-sent events: packets as the server's firewall decides about them",
  },
  listTools: {
    method: "GET",
    path: "/servers/{name}/tools",
    needs: "probe",
    summary: "Which tools there are on the server now, and why not",
  },
  useTool: {
    method: "POST",
    path: "/servers/{name}/tools",
    needs: "probe",
    summary: "Server-sent events: ping, trace, resolve or capture from the server; whoever leaves ends it",
  },

  listDocuments: { method: "GET", path: "/documents", needs: "view", summary: "Documents by kind" },
  getDocument: { method: "GET", path: "/documents/{kind}/{name}", needs: "view", summary: "A document's head" },
  listRevisions: { method: "GET", path: "/documents/{kind}/{name}/revisions", needs: "view", summary: "Its history" },
  diffRevisions: {
    method: "GET",
    path: "/documents/{kind}/{name}/diff",
    needs: "view",
    summary: "Compare two revisions",
  },
  validateDocuments: {
    method: "POST",
    path: "/documents/validate",
    needs: "view",
    summary: "Findings for a text; nothing is kept",
  },
  getSchema: { method: "GET", path: "/schemas/{kind}", needs: "view", summary: "The JSON Schema of a kind" },

  listSecrets: {
    method: "GET",
    path: "/secrets",
    needs: "view",
    summary: "Secrets by name and fingerprint; a value is never shown",
  },
  putSecret: {
    method: "PUT",
    path: "/secrets/{name}",
    needs: "edit",
    summary: "Write a new version of a secret (If-Match)",
  },
  deleteSecret: {
    method: "DELETE",
    path: "/secrets/{name}",
    needs: "edit",
    summary: "Delete a secret that nothing names (If-Match)",
  },
  rotateSecret: {
    method: "POST",
    path: "/secrets/{name}/rotate",
    needs: "edit",
    summary: "Make a new version, and a change of every tunnel that names the secret",
  },
  rekeySecrets: {
    method: "POST",
    path: "/secrets/rekey",
    needs: "admin",
    summary: "Wrap every secret with a new key-encryption key",
  },

  lookAtPersonRequest: {
    method: "POST",
    path: "/tunnel-certificates/request",
    needs: "edit",
    summary: "What the request of a person's device says, and whether it would be certified; nothing is issued",
  },
  certifyPerson: {
    method: "POST",
    path: "/tunnel-certificates",
    needs: "edit",
    summary: "Issue a certificate for a person of a tunnel, for the request that their device has made",
  },
  listCertifiedPeople: {
    method: "GET",
    path: "/tunnel-certificates",
    needs: "view",
    summary: "Certificates of people that tunnels name, and until when they are good",
  },

  listChanges: { method: "GET", path: "/changes", needs: "view", summary: "Changes, newest first" },
  createChange: {
    method: "POST",
    path: "/changes",
    needs: "edit",
    summary: "Make a change from documents and deletions",
  },
  getChange: { method: "GET", path: "/changes/{id}", needs: "view", summary: "A change with its plans and applies" },
  editChange: {
    method: "PUT",
    path: "/changes/{id}/items",
    needs: "edit",
    summary: "Replace what a draft holds (If-Match)",
  },
  planChange: {
    method: "POST",
    path: "/changes/{id}/plan",
    needs: "edit",
    summary: "Ask every server concerned what it would do",
  },
  applyChange: {
    method: "POST",
    path: "/changes/{id}/apply",
    needs: "apply",
    summary: "Apply exactly what was reviewed",
  },
  withdrawChange: {
    method: "POST",
    path: "/changes/{id}/withdraw",
    needs: "edit",
    summary: "Withdraw before anything changed",
  },
  approveChange: {
    method: "POST",
    path: "/changes/{id}/approve",
    needs: "approve",
    summary: "Approve this digest; never one's own change",
  },
  withdrawApproval: {
    method: "POST",
    path: "/changes/{id}/withdraw-approval",
    needs: "self",
    summary: "Take my own approval back, before a server moves by it",
  },
  planRollback: {
    method: "POST",
    path: "/changes/{id}/plan-rollback",
    needs: "edit",
    summary: "Plan today's composition without this change",
  },
  rollbackChange: {
    method: "POST",
    path: "/changes/{id}/rollback",
    needs: "apply",
    summary: "Roll back after APPLIED, on trial like any other",
  },

  listRollouts: { method: "GET", path: "/rollouts", needs: "view", summary: "Rollouts, newest first" },
  getRollout: { method: "GET", path: "/rollouts/{id}", needs: "view", summary: "A rollout by waves" },
  pauseRollout: { method: "POST", path: "/rollouts/{id}/pause", needs: "apply", summary: "Start nothing new" },
  resumeRollout: { method: "POST", path: "/rollouts/{id}/resume", needs: "apply", summary: "Go on" },
  haltRollout: { method: "POST", path: "/rollouts/{id}/halt", needs: "apply", summary: "End it where it stands" },

  listApplies: { method: "GET", path: "/applies", needs: "view", summary: "Applies by state" },
  getApply: { method: "GET", path: "/applies/{id}", needs: "view", summary: "The whole story of one apply" },
  confirmApply: { method: "POST", path: "/applies/{id}/confirm", needs: "apply", summary: "A person confirms a trial" },
  abortApply: { method: "POST", path: "/applies/{id}/abort", needs: "apply", summary: "Undo now, from whatever state" },
  retryApply: {
    method: "POST",
    path: "/applies/{id}/retry",
    needs: "apply",
    summary: "A new apply of the same; releases a transient quarantine",
  },
  rollbackApply: { method: "POST", path: "/applies/{id}/rollback", needs: "apply", summary: "Roll back one server" },
  forceCloseApply: {
    method: "POST",
    path: "/applies/{id}/force-close",
    needs: "admin",
    summary: "Give up on an in-doubt apply; the server is locked",
  },

  listAlerts: { method: "GET", path: "/alerts", needs: "view", summary: "What somebody should look at, newest first" },
  getAlert: { method: "GET", path: "/alerts/{id}", needs: "view", summary: "One alert" },
  acknowledgeAlert: {
    method: "POST",
    path: "/alerts/{id}/acknowledge",
    needs: "apply",
    summary: "Say that a person is at it; it resolves by itself",
  },

  listDeliveries: {
    method: "GET",
    path: "/deliveries",
    needs: "view",
    summary: "What channels were told of alerts, newest first",
  },

  listObjectives: {
    method: "GET",
    path: "/objectives",
    needs: "view",
    summary: "What is promised over thirty days, and how much of what may go wrong is left",
  },

  listAudit: { method: "GET", path: "/audit", needs: "audit", summary: "Who did what" },
  exportAudit: {
    method: "GET",
    path: "/audit/export",
    needs: "audit",
    summary: "The same as JSON Lines or CSV, as a file",
  },
  verifyAudit: {
    method: "GET",
    path: "/audit/verify",
    needs: "audit",
    summary: "Walk the hash chain, and ask the servers",
  },
  beginAuditEpoch: {
    method: "POST",
    path: "/audit/epochs",
    needs: "admin",
    summary: "Accept the audit log as it is, although servers keep a head of more of it, or of another one",
  },
  doctor: {
    method: "GET",
    path: "/doctor",
    needs: "view",
    summary: "What the mission asks, row by row, with evidence",
  },
  events: { method: "GET", path: "/events", needs: "view", summary: "Server-sent events: what moved" },
  openapi: { method: "GET", path: "/openapi.json", needs: "open", summary: "This API as OpenAPI 3.1" },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof ROUTES;
