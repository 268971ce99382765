import { userNameSchema } from "@holdfast/core/api/account.ts";
import type { InstanceId, UserId } from "@holdfast/core/base/id.ts";
import { secretSha256 } from "../api/credential.ts";
import { getRole, setRoles } from "../store/access-roles.ts";
import { systemActor } from "../store/actor.ts";
import { newId } from "../store/new-id.ts";
import type { UserRow } from "../store/tables.ts";
import type { Transaction } from "../store/transaction.ts";
import { EVERYTHING, getUserByName, insertUser } from "../store/users.ts";
import type { Claims } from "./provider.ts";
import type { NewAccounts, OidcSettings } from "./settings.ts";
import { insertIdentity } from "./store/identities.ts";

export type Made = UserRow | "oidc.not_linked" | "oidc.role_unfit";

/**
 * An account for somebody whom the provider vouches for, where the settings say so. It may look and nothing else: whether the role is such a
 * one is asked each time, because roles change.
 */
export async function makeAccount(
  tx: Transaction,
  { issuerText: issuer, newAccounts }: OidcSettings,
  claims: Claims,
  instanceId: InstanceId,
): Promise<Made> {
  if (newAccounts === null || !isFor(newAccounts, claims)) return "oidc.not_linked";
  const role = await getRole(tx, newAccounts.role);
  if (role === undefined || role.permissions.some((permission) => permission !== "view")) return "oidc.role_unfit";
  const by = systemActor("oidc", instanceId);
  const id: UserId = newId();
  const name = await freeName(tx, issuer, claims);
  const user = await insertUser(tx, { id, name, passwordHash: null, mustChange: false }, by);
  await setRoles(tx, id, [{ role: role.name, scope: EVERYTHING, domains: null }], by);
  await insertIdentity(tx, { id: newId(), userId: id, issuer, subject: claims.subject }, by);
  return user;
}

function isFor({ claim, value }: NewAccounts, { all }: Claims): boolean {
  const has = Object.hasOwn(all, claim) ? all[claim] : undefined;
  return has === value || (Array.isArray(has) && has.includes(value));
}

/** The name at the provider where it is one of ours and free, else one that says nothing. A name never leads to an account that is there. */
async function freeName(tx: Transaction, issuer: string, { subject, all }: Claims): Promise<string> {
  const named = userNameSchema.safeParse(all["preferred_username"]);
  if (named.success && (await getUserByName(tx, named.data)) === undefined) return named.data;
  return `person-${secretSha256(`${issuer}\n${subject}`).toString("hex").slice(0, 12)}`;
}
