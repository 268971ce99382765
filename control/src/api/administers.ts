import { holdsEverywhere } from "@holdfast/core/access/grant.ts";
import type { Caller } from "./caller.ts";
import { refuse } from "./refused.ts";

/** Accounts and roles belong to the house and to no server: whoever administers only some servers administers none of these. */
export function assertAdministers(caller: Caller): void {
  if (!holdsEverywhere(caller.grants, "admin"))
    refuse("access.out_of_scope", "Accounts and roles are administered by those who have admin on every server.");
}
