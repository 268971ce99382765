import { holdsEverywhere } from "@holdfast/core/access/grant.ts";
import type { UserId } from "@holdfast/core/base/id.ts";
import type { Caller } from "./caller.ts";
import { refuse } from "./refused.ts";

/** Accounts, roles and the key of the secrets belong to the house and to no server: whoever administers only some servers administers none of these. */
export function assertAdministers(caller: Caller): void {
  if (!holdsEverywhere(caller.grants, "admin"))
    refuse(
      "access.out_of_scope",
      "What belongs to the house and to no server is administered by those who have admin on every server.",
    );
}

/**
 * Nobody resets how they sign in themselves: an administrator's token or session that was stolen would become the account's password, which
 * outlives both. Who knows the password changes it with it; who does not asks another administrator, whose name then stands in the log.
 */
export function assertOfAnother(caller: Caller, user: { readonly id: UserId }): void {
  if (user.id === caller.userId) refuse("account.own_sign_in", "This is your own account.");
}
