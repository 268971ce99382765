import type { Permission } from "../api/account.ts";
import type { Grant } from "./grant.ts";

/** How far a token reaches, at most. It gives nothing by itself: what its account does not hold, it does not hold. */
export interface TokenReach {
  readonly permissions: readonly Permission[];
  readonly scope: Grant["scope"];
  readonly domains: Grant["domains"];
}

/** What is left of an account's grants for one of its tokens. */
export function narrow(grants: readonly Grant[], reach: TokenReach): readonly Grant[] {
  return grants.flatMap((grant): Grant[] => {
    if (!reach.permissions.includes(grant.permission)) return [];
    const scope = bothScopes(grant.scope, reach.scope);
    const domains = bothDomains(grant.domains, reach.domains);
    return scope === null || domains?.length === 0 ? [] : [{ permission: grant.permission, scope, domains }];
  });
}

/** The selector of what both select: all labels of both. Null: nothing can match, for example `role` being two things. */
export function bothScopes(one: Grant["scope"], other: Grant["scope"]): Grant["scope"] | null {
  if (one["all"] === true) return other;
  if (other["all"] === true) return one;
  // An empty scope covers nothing, and together with labels it must not begin to.
  if (Object.keys(one).length === 0 || Object.keys(other).length === 0) return null;
  const contradicts = Object.entries(other).some(([key, value]) => Object.hasOwn(one, key) && one[key] !== value);
  return contradicts ? null : { ...one, ...other };
}

/** Null is every domain; an empty list is none. */
export function bothDomains(one: Grant["domains"], other: Grant["domains"]): Grant["domains"] {
  if (one === null) return other;
  return other === null ? one : one.filter((domain) => other.includes(domain));
}

/** Whether `after` holds something that no grant of `before` covers as a whole. */
export function isWider(before: readonly Grant[], after: readonly Grant[]): boolean {
  return !after.every((grant) =>
    before.some(
      (held) =>
        held.permission === grant.permission && within(grant.scope, held.scope) && domainsWithin(grant, held.domains),
    ),
  );
}

function within(inner: Grant["scope"], outer: Grant["scope"]): boolean {
  if (outer["all"] === true) return true;
  const labels = Object.entries(outer);
  return labels.length > 0 && inner["all"] !== true && labels.every(([key, value]) => inner[key] === value);
}

function domainsWithin(inner: Grant, outer: Grant["domains"]): boolean {
  if (outer === null) return true;
  return inner.domains !== null && inner.domains.every((domain) => outer.includes(domain));
}
