import type { RouteName } from "@holdfast/core/api/route.ts";
import { queryOptions } from "@tanstack/react-query";
import { inlineSchema } from "../editor/inline-schema.ts";
import { type Call, call, setCsrfToken } from "./client.ts";
import { connection } from "./connection.ts";

/** Behind the stream of events, in case one was lost. */
const POLL_LIVE_MS = 20_000;
/** What is counted over weeks and moves slowly. */
const POLL_SLOW_MS = 60_000;
/** While the stream is lost: a trial may be running. */
const POLL_LOST_MS = 2000;
/** The most that the API gives at once. */
const LARGEST_PAGE = "200";

const pollMs = (): number => (connection().stream === "live" ? POLL_LIVE_MS : POLL_LOST_MS);

type Asked<Name extends RouteName> = Pick<Call<Name>, "params" | "query">;

/** What only moves when somebody does something. */
function still<Name extends RouteName>(route: Name, asked: Asked<Name> = {}) {
  return queryOptions({
    queryKey: [route, asked.params ?? {}, asked.query ?? {}],
    queryFn: ({ signal }) => call(route, { ...asked, signal }),
  });
}

/** What moves by itself: asked again on every event, and by the clock. */
function live<Name extends RouteName>(route: Name, asked: Asked<Name> = {}) {
  return queryOptions({
    queryKey: [route, asked.params ?? {}, asked.query ?? {}],
    queryFn: ({ signal }) => call(route, { ...asked, signal }),
    refetchInterval: pollMs,
    meta: { live: true },
  });
}

/** All pages: what is filtered, sorted and counted in the browser must be all there is. */
async function allPages<Item>(
  ask: (cursor: string | undefined) => Promise<{ readonly items: readonly Item[]; readonly nextCursor: string | null }>,
): Promise<readonly Item[]> {
  const all: Item[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await ask(cursor);
    all.push(...page.items);
    if (page.nextCursor === null) return all;
    cursor = page.nextCursor;
  }
}

const limit = LARGEST_PAGE;

export const queries = {
  me: () =>
    queryOptions({
      queryKey: ["me"],
      queryFn: async ({ signal }) => {
        const me = await call("me", { signal });
        setCsrfToken(me.csrfToken);
        return me;
      },
      staleTime: 60_000,
    }),
  signInMethods: () => still("signInMethods"),
  servers: () =>
    queryOptions({
      queryKey: ["listServers"],
      queryFn: ({ signal }) => allPages((cursor) => call("listServers", { query: { cursor, limit }, signal })),
      refetchInterval: pollMs,
      meta: { live: true },
    }),
  server: (name: string) => live("getServer", { params: { name } }),
  serverApplies: (name: string) => live("listServerApplies", { params: { name }, query: { limit } }),
  serverConfig: (name: string) => still("getServerConfig", { params: { name } }),
  serverLive: (name: string) => still("getServerLive", { params: { name } }),
  documents: () => live("listDocuments", { query: { limit } }),
  document: (kind: string, name: string) => still("getDocument", { params: { kind, name } }),
  revisions: (kind: string, name: string) => still("listRevisions", { params: { kind, name }, query: { limit } }),
  diff: (kind: string, name: string, from: string, to: string) =>
    still("diffRevisions", { params: { kind, name }, query: { from, to } }),
  schema: (kind: string) => queryOptions({ ...still("getSchema", { params: { kind } }), select: inlineSchema }),
  changes: () => live("listChanges", { query: { limit } }),
  change: (id: string) => live("getChange", { params: { id } }),
  /** The same, of several at once: asked by the clock and not on every event. */
  changeForApproval: (id: string) =>
    queryOptions({
      queryKey: ["getChange", "approval", id],
      queryFn: ({ signal }) => call("getChange", { params: { id }, signal }),
      refetchInterval: POLL_LIVE_MS,
    }),
  rollout: (id: string) => live("getRollout", { params: { id } }),
  applies: (query: { readonly server?: string } = {}) => live("listApplies", { query: { ...query, limit } }),
  apply: (id: string) => live("getApply", { params: { id } }),
  alerts: () => live("listAlerts", { query: { limit } }),
  /** Counted over all applies of a month: asked by the clock and not on every event. */
  objectives: () =>
    queryOptions({
      queryKey: ["listObjectives"],
      queryFn: ({ signal }) => call("listObjectives", { signal }),
      refetchInterval: POLL_SLOW_MS,
    }),
  audit: (query: { readonly cursor?: string; readonly limit?: string } = {}) => live("listAudit", { query }),
  verifyAudit: () => still("verifyAudit"),
  doctor: () => still("doctor"),
  passkeys: () => still("listPasskeys"),
  tokens: () => still("listTokens", { query: { limit } }),
  sessions: () => still("listSessions"),
  users: () =>
    queryOptions({
      queryKey: ["listUsers"],
      queryFn: ({ signal }) => allPages((cursor) => call("listUsers", { query: { cursor, limit }, signal })),
    }),
  userSessions: (name: string) => still("listUserSessions", { params: { name } }),
  userLinks: (name: string) => still("listUserIdentities", { params: { name } }),
  links: () => still("listIdentities"),
  roles: () => still("listRoles"),
  secrets: () =>
    queryOptions({
      queryKey: ["listSecrets"],
      queryFn: ({ signal }) => allPages((cursor) => call("listSecrets", { query: { cursor, limit }, signal })),
      refetchInterval: pollMs,
      meta: { live: true },
    }),
  deliveries: () => live("listDeliveries", { query: { limit } }),
} as const;
