import type { RouteName } from "@holdfast/core/api/route.ts";
import { DOCUMENT_KINDS } from "@holdfast/core/policy/document.ts";
import { requestPem } from "@holdfast/core/policy/request-text.ts";
import { queryOptions } from "@tanstack/react-query";
import { inlineSchema } from "../editor/inline-schema.ts";
import { type Call, call, Refused, setCsrfToken } from "./client.ts";
import { connection } from "./connection.ts";

/** Behind the stream of events, in case one was lost. */
const POLL_LIVE_MS = 20_000;
/** What is counted over weeks and moves slowly. */
const POLL_SLOW_MS = 60_000;
/** While the stream is lost: a trial may be running. */
const POLL_LOST_MS = 2000;
/** The most that the API gives at once. */
const LARGEST_PAGE = "200";
/** Of servers and documents. */
const LONG_PAGE = "1000";

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

const SHARED_KINDS = DOCUMENT_KINDS.filter((kind) => kind !== "Server");

function documentsOf(kind: string, signal: AbortSignal) {
  return allPages((cursor) => call("listDocuments", { query: { kind, cursor, limit: LONG_PAGE }, signal }));
}

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
      queryFn: ({ signal }) =>
        allPages((cursor) => call("listServers", { query: { cursor, limit: LONG_PAGE }, signal })),
      refetchInterval: pollMs,
      meta: { live: true },
    }),
  server: (name: string) => live("getServer", { params: { name } }),
  serverApplies: (name: string) => live("listServerApplies", { params: { name }, query: { limit } }),
  serverConfig: (name: string) => still("getServerConfig", { params: { name } }),
  serverLive: (name: string) => still("getServerLive", { params: { name } }),
  serverTools: (name: string) => still("listTools", { params: { name } }),
  /** All that servers share. */
  documents: () =>
    queryOptions({
      queryKey: ["listDocuments", "shared"],
      queryFn: async ({ signal }) => (await Promise.all(SHARED_KINDS.map((kind) => documentsOf(kind, signal)))).flat(),
      refetchInterval: pollMs,
      meta: { live: true },
    }),
  /** As many as there are servers: not asked for on every event. */
  serverDocuments: () =>
    queryOptions({
      queryKey: ["listDocuments", "Server"],
      queryFn: ({ signal }) => documentsOf("Server", signal),
      refetchInterval: POLL_LIVE_MS,
    }),
  document: (kind: string, name: string) => live("getDocument", { params: { kind, name } }),
  /** Null: there is none. Whoever edits it sees at once that somebody else has made a revision, or the first one. */
  documentIfAny: (kind: string, name: string) =>
    queryOptions({
      queryKey: ["getDocument", { kind, name }, "if any"],
      queryFn: async ({ signal }) => {
        try {
          return await call("getDocument", { params: { kind, name }, signal });
        } catch (error) {
          if (error instanceof Refused && error.problem.status === 404) return null;
          throw error;
        }
      },
      refetchInterval: pollMs,
      meta: { live: true },
    }),
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
  certifiedPeople: () =>
    queryOptions({
      queryKey: ["listCertifiedPeople"],
      queryFn: ({ signal }) => allPages((cursor) => call("listCertifiedPeople", { query: { cursor, limit }, signal })),
      refetchInterval: pollMs,
      meta: { live: true },
    }),
  /** @param body the base64 of a request: it says the same for as long as nobody is certified for its key */
  personRequest: (server: string, body: string) =>
    queryOptions({
      queryKey: ["lookAtPersonRequest", server, body],
      queryFn: ({ signal }) => call("lookAtPersonRequest", { body: { server, request: requestPem(body) }, signal }),
      staleTime: 0,
    }),
  certificates: () =>
    queryOptions({
      queryKey: ["listCertificates"],
      queryFn: ({ signal }) => allPages((cursor) => call("listCertificates", { query: { cursor, limit }, signal })),
      refetchInterval: POLL_LIVE_MS,
    }),
  commandKey: () => live("getCommandKey"),
  deliveries: () => live("listDeliveries", { query: { limit } }),
} as const;
