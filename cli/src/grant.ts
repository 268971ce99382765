import { type Permission, PERMISSIONS } from "@holdfast/core/api/account.ts";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { type DomainName, DOMAINS } from "@holdfast/core/domain.ts";
import { usageError } from "./cli-error.ts";
import { readLabels } from "./labels.ts";
import { wholeNumber } from "./whole-number.ts";

/** What is given to an account or a token, and where it holds: the words of every command that gives something. */
export const MAY = {
  kind: "enum",
  values: PERMISSIONS,
  brief: "A permission (repeat it for more)",
  variadic: true,
  optional: true,
} as const;
/** Where there is nothing without one. */
export const MAY_AT_LEAST_ONE = {
  kind: "enum",
  values: PERMISSIONS,
  brief: "A permission (repeat it for more)",
  variadic: true,
} as const;
export const ROLE = {
  kind: "parsed",
  parse: String,
  brief: "A role (repeat it for more)",
  variadic: true,
  optional: true,
} as const;
export const ON = {
  kind: "parsed",
  parse: String,
  brief: "Only on servers with this label, key=value (repeat it: all must match)",
  variadic: true,
  optional: true,
} as const;
export const DOMAIN = {
  kind: "enum",
  values: DOMAINS,
  brief: "Only this domain (repeat it for more)",
  variadic: true,
  optional: true,
} as const;
export const DAYS = {
  kind: "parsed",
  parse: wholeNumber(1, 366),
  brief: "How many days it lives",
  default: "90",
} as const;

/** Of a new account. */
export const WHERE_IT_HOLDS =
  "--may holds on every server; --role where --on and --domain say. A permission on some servers is given afterwards, with user grant.";

interface PlaceFlags {
  readonly on?: readonly string[];
  readonly domain?: readonly DomainName[];
}
/** What is given, without where. */
export interface GivenFlags {
  readonly role?: readonly string[];
  readonly may?: readonly Permission[];
}
export interface GrantFlags extends PlaceFlags, GivenFlags {}
export interface TokenFlags extends PlaceFlags {
  readonly may: readonly Permission[];
  readonly days: number;
}

/** Where a permission, a role or a token holds. Domains that are null are all of them. */
export interface Place {
  readonly scope: Record<string, string | true>;
  readonly domains: readonly DomainName[] | null;
}

/** `--on role=web --on site=seoul`: every label must match. None: every server. */
export function readPlace({ on = [], domain = [] }: PlaceFlags): Place {
  return {
    scope: on.length === 0 ? { all: true } : readLabels("--on", on),
    domains: domain.length === 0 ? null : [...new Set(domain)],
  };
}

/** What a new account is made with. */
export function newAccount(name: string, flags: GrantFlags): object {
  const { may = [], role = [], on = [], domain = [] } = flags;
  const place = readPlace(flags);
  // The API gives permissions to a new account on every server only: a place that is said must never be left out on the way.
  if (may.length > 0 && on.length + domain.length > 0)
    throw usageError(
      "--may of a new account holds on every server; --on and --domain would be left out.",
      `Make it without --may, then: holdfast user grant ${name} ${wordsOf(flags)}`,
    );
  if (role.length === 0 && on.length + domain.length > 0)
    throw usageError("--on and --domain say where a role holds, and no --role is named.", "Name one with --role.");
  return { name, permissions: [...new Set(may)], roles: [...new Set(role)].map((one) => ({ role: one, ...place })) };
}

/** What a new token is made with. */
export function newToken(name: string, flags: TokenFlags): object {
  return { name, permissions: [...new Set(flags.may)], ...readPlace(flags), days: flags.days };
}

function wordsOf({ may = [], on = [], domain = [] }: GrantFlags): string {
  return [
    ...may.map((word) => `--may ${word}`),
    ...on.map((word) => `--on ${word}`),
    ...domain.map((word) => `--domain ${word}`),
  ].join(" ");
}

/**
 * What is held, and `more`. On the same servers there is one grant of a kind, so domains add up there: whoever is given one thing more must
 * not lose another by it.
 */
export function withGrant<Grant extends Place>(
  held: readonly Grant[],
  more: Grant,
  what: (grant: Grant) => string,
): readonly Grant[] {
  const key = (grant: Grant): string => canonicalJson([what(grant), grant.scope]);
  const before = held.find((grant) => key(grant) === key(more));
  if (before === undefined) return [...held, more];
  const domains =
    before.domains === null || more.domains === null
      ? null
      : [...new Set([...before.domains, ...more.domains])].toSorted();
  return held.map((grant) => (grant === before ? { ...before, domains } : grant));
}

export function placeText({ scope, domains }: Place): string {
  const labels =
    scope["all"] === true
      ? "everywhere"
      : Object.entries(scope)
          .map(([key, value]) => `${key}=${String(value)}`)
          .join(",");
  return domains === null ? labels : `${labels} (${domains.join(", ")})`;
}

/** `view, edit everywhere; role operator role=web`: in one line, what holds at the same place together. */
export function heldWords({
  permissions,
  roles,
}: {
  readonly permissions: readonly (Place & { readonly permission: Permission })[];
  readonly roles: readonly (Place & { readonly role: string })[];
}): string {
  const places = new Map<string, string[]>();
  for (const grant of [...roles, ...permissions]) {
    const place = placeText(grant);
    places.set(place, [...(places.get(place) ?? []), "role" in grant ? `role ${grant.role}` : grant.permission]);
  }
  return [...places].map(([place, words]) => `${words.join(", ")} ${place}`).join("; ") || "nothing";
}
