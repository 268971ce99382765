import { holds } from "@holdfast/core/access/grant.ts";
import { narrow } from "@holdfast/core/access/narrow.ts";
/**
 * The one gate. Every request of every route passes here and nowhere else.
 *   G1. Who: a live token or session of an open account; nothing else is anybody.
 *   G2. What: the row of ROUTES says which permission, and no permission implies another one.
 *   G3. From our page: an unsafe request with a cookie carries the session's CSRF token.
 *   G4. Every refusal of somebody is audited. A request without any credential is nobody's, and is only counted.
 */
import type { Permission } from "@holdfast/core/api/account.ts";
import { type Route, type RouteName, ROUTES } from "@holdfast/core/api/route.ts";
import type { InstanceId } from "@holdfast/core/base/id.ts";
import { TRACEPARENT_HEADER } from "@holdfast/core/trace/traceparent.ts";
import type { FastifyRequest } from "fastify";
import { SESSION_IDLE_MS } from "../account/session.ts";
import { userActor } from "../store/actor.ts";
import type { Database } from "../store/database.ts";
import { findLiveToken, type LiveToken, touchToken } from "../store/tokens.ts";
import { effectiveGrants } from "../store/users.ts";
import { traceparentOfRequest } from "../trace/request-span.ts";
import type { Traces } from "../trace/traces.ts";
import type { Caller } from "./caller.ts";
import { type CookieKind, csrfTokenOf, isCsrfToken, readCredential, secretSha256 } from "./credential.ts";
import { refuse } from "./refused.ts";

export interface GateOptions {
  readonly database: Database;
  readonly instanceId: InstanceId;
  readonly cookie: CookieKind;
  readonly nowMs: () => number;
  readonly traces: Traces;
}

/** What an account with a one-time password may do: change it. */
const BEFORE_PASSWORD_CHANGE: ReadonlySet<RouteName> = new Set(["me", "logout", "changePassword"]);

/** Null for an open route. `onCaller` hears who it is before anything is refused, so that the refusal has a name. */
export async function admit(
  name: RouteName,
  request: FastifyRequest,
  options: GateOptions,
  onCaller: (caller: Caller) => void,
): Promise<Caller | null> {
  const route: Route = ROUTES[name];
  if (route.needs === "open") return null;
  const credential = readCredential(request, options.cookie);
  if (credential === null) refuse("access.not_signed_in", "This needs an account.");
  const token = await findLiveToken(options.database, secretSha256(credential.secret)); // G1
  if (token === undefined || isIdle(token, options.nowMs()))
    refuse("access.credential_invalid", "The session or token is unknown, has expired, or was revoked.");
  const grants = await effectiveGrants(options.database, token.user_id);
  const caller: Caller = {
    userId: token.user_id,
    userName: token.user_name,
    tokenId: token.id,
    via: credential.kind === "cookie" ? "cookie" : token.kind === "session" ? "session" : "token",
    openedWith: token.opened_with,
    mustChangePassword: token.must_change,
    secondFactor: token.second_factor,
    passkeys: token.passkeys,
    freshSeconds: token.fresh_seconds,
    expiresAt: token.expires_at,
    csrfToken: credential.kind === "cookie" ? csrfTokenOf(credential.secret) : null,
    grants: token.kind === "session" ? grants : narrow(grants, token),
    reach: { scope: token.scope, domains: token.domains },
    traceId: request.id,
    traceparent:
      options.traces.isOn && route.method !== "GET"
        ? traceparentOfRequest({ id: request.id, traceparent: request.headers[TRACEPARENT_HEADER] })
        : null,
    actor: userActor(token.user_id, sourceOf(request, token.kind), options.instanceId),
  };
  onCaller(caller);
  if (credential.kind === "cookie" && token.kind !== "session")
    refuse("access.credential_invalid", "An API token is sent as Authorization: Bearer.");
  const csrf = request.headers["x-holdfast-csrf"];
  if (
    credential.kind === "cookie" &&
    route.method !== "GET" &&
    !isCsrfToken(typeof csrf === "string" ? csrf : undefined, credential.secret)
  ) {
    refuse("access.csrf", "X-Holdfast-CSRF is missing or is not this session's."); // G3
  }
  if (caller.mustChangePassword && !BEFORE_PASSWORD_CHANGE.has(name))
    refuse("account.must_change_password", "The account has a one-time password.");
  if (route.needs !== "self" && !holds(caller.grants, route.needs))
    refuse("access.permission_missing", missing(route.needs, token)); // G2
  await touchToken(options.database, token.id);
  return caller;
}

function missing(permission: Permission, token: LiveToken): string {
  return token.kind === "api"
    ? `This token, or its account, does not have the permission ${permission}.`
    : `${token.user_name} does not have the permission ${permission}.`;
}

/** A session that nobody used for so long is over; its row says when it was used last, to the minute. */
function isIdle(token: LiveToken, nowMs: number): boolean {
  if (token.kind !== "session") return false;
  return nowMs - (token.last_used_at ?? token.created_at).getTime() > SESSION_IDLE_MS;
}

/** An address and the kind of session, for the audit log. */
export function sourceOf(request: FastifyRequest, kind: string): string {
  return `${request.ip === undefined || request.ip === "" ? "local socket" : request.ip} ${kind}`;
}
