/** The only place where a URL of the console is spelled. */
import type { Tool } from "@holdfast/core/tool/tool.ts";

type Query = Readonly<Record<string, string | undefined>>;

function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined && value !== "") search.set(key, value);
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}

const part = encodeURIComponent;

export const SERVER_TABS = ["state", "config", "live", "observe", "packets", "tools", "history", "agent"] as const;
export type ServerTab = (typeof SERVER_TABS)[number];

export const DOCUMENT_TABS = ["text", "history", "compare"] as const;
export type DocumentTab = (typeof DOCUMENT_TABS)[number];

export const EDITOR_VIEWS = ["rules", "network", "system", "form", "text", "difference"] as const;
export type EditorView = (typeof EDITOR_VIEWS)[number];

export const paths = {
  overview: () => "/",
  login: (query: { next?: string; again?: "yes" } = {}) => withQuery("/login", query),
  providerReturn: () => "/login/oidc",
  password: () => "/password",
  servers: (query: { q?: string; show?: string } = {}) => withQuery("/servers", query),
  server: (name: string, query: { tab?: ServerTab; domain?: string; q?: string; tool?: Tool } = {}) =>
    withQuery(`/servers/${part(name)}`, query),
  documents: (query: { kind?: string } = {}) => withQuery("/documents", query),
  document: (kind: string, name: string, query: { tab?: DocumentTab; from?: string; to?: string } = {}) =>
    withQuery(`/documents/${part(kind)}/${part(name)}`, query),
  editDocument: (kind: string, name: string, query: { view?: EditorView; line?: string } = {}) =>
    withQuery(`/documents/${part(kind)}/${part(name)}/edit`, query),
  changes: (query: { state?: string } = {}) => withQuery("/changes", query),
  change: (id: string) => `/changes/${part(id)}`,
  rollout: (id: string) => `/rollouts/${part(id)}`,
  apply: (id: string) => `/applies/${part(id)}`,
  failures: (query: { server?: string } = {}) => withQuery("/failures", query),
  audit: (query: { q?: string } = {}) => withQuery("/audit", query),
  account: () => "/settings/account",
  tokens: () => "/settings/tokens",
  users: () => "/settings/users",
  user: (name: string) => `/settings/users/${part(name)}`,
  roles: () => "/settings/roles",
  secrets: () => "/settings/secrets",
  agents: (query: { q?: string } = {}) => withQuery("/settings/agents", query),
  notifications: () => "/settings/notifications",
  retention: () => "/settings/retention",
  doctor: () => "/doctor",
} as const;

/** The same places as the router matches them. */
export const PATTERNS = {
  overview: "/",
  login: "/login",
  /** Registered at the provider: it stays. */
  providerReturn: "/login/oidc",
  password: "/password",
  servers: "/servers",
  server: "/servers/$name",
  documents: "/documents",
  document: "/documents/$kind/$name",
  editDocument: "/documents/$kind/$name/edit",
  changes: "/changes",
  change: "/changes/$id",
  rollout: "/rollouts/$id",
  apply: "/applies/$id",
  failures: "/failures",
  audit: "/audit",
  account: "/settings/account",
  tokens: "/settings/tokens",
  users: "/settings/users",
  user: "/settings/users/$name",
  roles: "/settings/roles",
  secrets: "/settings/secrets",
  agents: "/settings/agents",
  notifications: "/settings/notifications",
  retention: "/settings/retention",
  doctor: "/doctor",
} as const satisfies Record<keyof typeof paths, string>;

/** Which page an address is, the most literal first: `/documents/Policy/web/edit` is no document of that name. */
export function pageAt(pathname: string): keyof typeof PATTERNS | null {
  const parts = (path: string): readonly string[] => path.split("/").filter((one) => one !== "");
  const here = parts(pathname);
  const fits = (pattern: string): boolean => {
    const wanted = parts(pattern);
    return wanted.length === here.length && wanted.every((one, at) => one.startsWith("$") || one === here[at]);
  };
  const names = Object.keys(PATTERNS) as (keyof typeof PATTERNS)[];
  return names.find((name) => fits(PATTERNS[name])) ?? null;
}

/** Only a path of our own may be returned to after signing in: no other host, no `//host`. */
export function safeNext(next: string | undefined): string {
  return next !== undefined && /^\/(?![/\\])/.test(next) && !next.startsWith(PATTERNS.login) ? next : paths.overview();
}
