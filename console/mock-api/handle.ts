import { ENDPOINTS, type Endpoint } from "@holdfast/core/api/endpoint.ts";
import { type Route, type RouteName, ROUTES } from "@holdfast/core/api/route.ts";
import { advance } from "./advance.ts";
import { type MockAnswer, MockRefusal, refuse } from "./answer.ts";
import { CSRF_TOKEN, type MockCall, permissionsOf } from "./call.ts";
import { HANDLERS } from "./handlers.ts";
import type { MockState } from "./state.ts";

export interface MockRequest {
  readonly method: string;
  /** With its query, from `/api/v1` on. */
  readonly url: string;
  readonly body: unknown;
  readonly session: string | null;
  readonly csrf: string | null;
  readonly ifMatch: string | null;
  readonly nowMs: number;
}

const NOBODY: MockCall["user"] = {
  name: "",
  kind: "person",
  password: "",
  secondFactor: false,
  mustChangePassword: false,
  disabled: false,
  permissions: [],
  roles: [],
};

/** One request through the same door as the real API: route table, session, CSRF, permission, schema of the body, schema of the answer. */
export function handle(state: MockState, request: MockRequest): MockAnswer {
  try {
    return serve(state, request);
  } catch (error) {
    if (error instanceof MockRefusal) return error.answer;
    throw error;
  }
}

function serve(state: MockState, request: MockRequest): MockAnswer {
  advance(state, request.nowMs);
  const url = new URL(request.url, "http://mock");
  const found = match(request.method, url.pathname.replace(/^\/api\/v1/, ""));
  if (found === null) return refuse("request.unknown_route", `There is no ${request.method} ${url.pathname}.`);
  const { name, params } = found;
  const { needs }: Route = ROUTES[name];
  const user = state.users.find((one) => one.name === state.sessions.get(request.session ?? "") && !one.disabled);
  if (needs !== "open") {
    if (user === undefined) return refuse("access.not_signed_in", "Nobody is signed in.");
    if (request.method !== "GET" && request.csrf !== CSRF_TOKEN)
      return refuse("access.csrf", "The X-Holdfast-CSRF header is missing or wrong.");
    if (user.mustChangePassword && name !== "me" && name !== "changePassword" && name !== "logout")
      return refuse("account.must_change_password", "This is a one-time password.");
    if (needs !== "self" && !permissionsOf(user).includes(needs))
      return refuse("access.permission_missing", `${user.name} does not have the permission ${needs}.`);
  }
  const endpoint: Endpoint = ENDPOINTS[name];
  const body = endpoint.body?.safeParse(request.body ?? undefined);
  if (body?.success === false)
    return refuse("request.invalid", `The body is not what ${name} takes: ${body.error.issues[0]?.message ?? ""}`);
  const call: MockCall = {
    state,
    user: user ?? NOBODY,
    session: request.session,
    params,
    query: url.searchParams,
    // The schema has just said that it is a map, or that there is none.
    body: (body?.data ?? {}) as Readonly<Record<string, unknown>>,
    ifMatch: request.ifMatch,
    nowMs: request.nowMs,
  };
  const answer = HANDLERS[name](call);
  // A mock that drifts from the contract must fail loudly, not teach the console something wrong.
  const checked = endpoint.answer.safeParse(answer.body);
  if (!checked.success) throw new Error(`the mock's answer to ${name} breaks the contract: ${checked.error.message}`);
  return answer;
}

function match(
  method: string,
  path: string,
): { readonly name: RouteName; readonly params: Readonly<Record<string, string>> } | null {
  for (const [name, route] of Object.entries(ROUTES)) {
    if (route.method !== method) continue;
    const names: string[] = [];
    const pattern = route.path.replace(/[.]/g, "\\.").replace(/\{(\w+)\}/g, (_, part: string) => {
      names.push(part);
      return "([^/]+)";
    });
    const found = new RegExp(`^${pattern}$`).exec(path);
    if (found !== null)
      return {
        name: name as RouteName,
        params: Object.fromEntries(names.map((part, index) => [part, decodeURIComponent(found[index + 1] ?? "")])),
      };
  }
  return null;
}
