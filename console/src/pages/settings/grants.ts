/** What an account is given, as lists that a dialog adds one to and takes one from. Pure. */
import type { Permission } from "@holdfast/core/api/account.ts";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { type DomainName, DOMAINS } from "@holdfast/core/domain.ts";

export interface PlaceOf {
  /** `{ all: true }`, or labels that must all match. */
  readonly scope: Readonly<Record<string, string | true>>;
  /** Null: every domain. */
  readonly domains: readonly DomainName[] | null;
}

export type GivenPermission = PlaceOf & { readonly permission: Permission };
export type GivenRole = PlaceOf & { readonly role: string };
/** One line of what an account is given: a role, or a permission of its own. */
export type Given = GivenPermission | GivenRole;

export interface Held {
  readonly permissions: readonly GivenPermission[];
  readonly roles: readonly GivenRole[];
}

export const EVERYWHERE: PlaceOf = { scope: { all: true }, domains: null };

/** Two grants of the same thing on the same servers are one: the API takes no second, but joins no domains either. */
const keyOf = (given: Given): string =>
  canonicalJson([isRole(given) ? `role ${given.role}` : given.permission, given.scope]);

export function isRole(given: Given): given is GivenRole {
  return "role" in given;
}

export function allGiven(held: Held): readonly Given[] {
  return [...held.roles, ...held.permissions];
}

export function isEverywhere({ scope, domains }: PlaceOf): boolean {
  return scope["all"] === true && domains === null;
}

export function withGiven(held: Held, given: Given): Held {
  return isRole(given)
    ? { ...held, roles: joined(held.roles, given) }
    : { ...held, permissions: joined(held.permissions, given) };
}

export function withoutGiven(held: Held, given: Given): Held {
  const others = <One extends Given>(list: readonly One[]): readonly One[] =>
    list.filter((one) => keyOf(one) !== keyOf(given));
  return isRole(given) ? { ...held, roles: others(held.roles) } : { ...held, permissions: others(held.permissions) };
}

function joined<One extends Given>(list: readonly One[], given: One): readonly One[] {
  const same = list.find((one) => keyOf(one) === keyOf(given));
  if (same === undefined) return [...list, given];
  const domains =
    same.domains === null || given.domains === null
      ? null
      : DOMAINS.filter((domain) => same.domains?.includes(domain) === true || given.domains?.includes(domain) === true);
  return list.map((one) => (one === same ? { ...given, domains } : one));
}

/** Whether everything that would be given is held there already, by this very grant. */
export function isGiven(held: Held, given: Given): boolean {
  const list: readonly Given[] = isRole(given) ? held.roles : held.permissions;
  return list.some(
    (one) =>
      keyOf(one) === keyOf(given) &&
      (one.domains === null || (given.domains?.every((domain) => one.domains?.includes(domain) === true) ?? false)),
  );
}

/** As the table shows it: `role=web site=seoul`. Empty: every server. */
export function labelsText(scope: PlaceOf["scope"]): string {
  return scope["all"] === true
    ? ""
    : Object.entries(scope)
        .map(([key, value]) => `${key}=${String(value)}`)
        .join(" ");
}

/** `role=web site=seoul`, with spaces or commas between. Null: this is not labels. */
export function readLabels(text: string): PlaceOf["scope"] | null {
  const parts = text.split(/[\s,]+/).filter((part) => part !== "");
  const pairs = parts.map((part): readonly [string, string] | null => {
    const at = part.indexOf("=");
    const [key, value] = [part.slice(0, at), part.slice(at + 1)];
    return at <= 0 || value === "" || value.includes("=") || key === "all" || key === "__proto__" ? null : [key, value];
  });
  const read = pairs.filter((pair) => pair !== null);
  const isWhole =
    read.length > 0 && read.length === parts.length && new Set(read.map(([key]) => key)).size === read.length;
  return isWhole ? Object.fromEntries(read) : null;
}
