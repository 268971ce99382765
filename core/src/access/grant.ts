import type { Permission } from "../api/account.ts";

/** What an account may do, and where. `scope` is a label selector: `{ all: true }`, or labels that must all match. */
export interface Grant {
  readonly permission: Permission;
  readonly scope: Readonly<Record<string, string | boolean>>;
  /** Null: every domain. */
  readonly domains: readonly string[] | null;
}

export interface Place {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Whether the permission is held anywhere at all: what the gate asks before it knows which object is meant. */
export function holds(grants: readonly Grant[], permission: Permission): boolean {
  return grants.some((grant) => grant.permission === permission);
}

/** Whether the permission is held for everything: what concerns no single server asks for it. */
export function holdsEverywhere(grants: readonly Grant[], permission: Permission): boolean {
  return grants.some(
    (grant) => grant.permission === permission && grant.scope["all"] === true && grant.domains === null,
  );
}

/**
 * Whether the permission is held on this server, for each of these domains. Several grants may cover it together; without domains any grant
 * that covers the server will do.
 */
export function holdsOn(
  grants: readonly Grant[],
  permission: Permission,
  place: Place,
  domains: readonly string[] = [],
): boolean {
  const here = grants.filter((grant) => grant.permission === permission && covers(grant.scope, place));
  if (domains.length === 0) return here.length > 0;
  return domains.every((domain) => here.some((grant) => grant.domains === null || grant.domains.includes(domain)));
}

function covers(scope: Grant["scope"], place: Place): boolean {
  if (scope["all"] === true) return true;
  const labels = Object.entries(scope);
  // An empty scope would be "everything" by the rules of logic, and is nothing by ours: everything is written out.
  if (labels.length === 0) return false;
  return labels.every(([key, value]) =>
    key === "server" ? place.name === value : Object.hasOwn(place.labels, key) && place.labels[key] === value,
  );
}
