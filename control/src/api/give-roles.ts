import type { UserId } from "@holdfast/core/base/id.ts";
import { listRoles, type RoleGrant, setRoles } from "../store/access-roles.ts";
import type { Transaction } from "../store/transaction.ts";
import type { Caller } from "./caller.ts";
import { refuse } from "./refused.ts";

/** The roles of an account become these; one that is not there is named. */
export async function giveRoles(
  tx: Transaction,
  user: UserId,
  roles: readonly RoleGrant[],
  caller: Caller,
): Promise<void> {
  const known = new Set((await listRoles(tx)).map((role) => role.name));
  const unknown = roles.find((grant) => !known.has(grant.role));
  if (unknown !== undefined) refuse("account.role_unknown", `There is no role ${unknown.role}.`);
  await setRoles(tx, user, roles, caller.actor);
}
