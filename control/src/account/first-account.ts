import { PERMISSIONS } from "@holdfast/core/api/account.ts";
import type { InstanceId, UserId } from "@holdfast/core/base/id.ts";
import { systemActor } from "../store/actor.ts";
import type { Database } from "../store/database.ts";
import { newId } from "../store/new-id.ts";
import { transaction } from "../store/transaction.ts";
import { EVERYTHING, insertUser, isFirstStart, setGrants } from "../store/users.ts";
import type { PasswordHasher } from "./password.ts";
import { newOneTimePassword } from "./secret.ts";

export const FIRST_ACCOUNT = "admin";

/**
 * Makes the first account of a house that has none, with a password for once. No permission implies another, being an administrator neither,
 * so it is given each of them as a grant of its own: they can be taken away one by one once there are more people.
 *
 * @returns the password, to be shown once and kept nowhere; null when there are accounts already
 */
export async function makeFirstAccount(
  database: Database,
  passwords: PasswordHasher,
  instanceId: InstanceId,
): Promise<string | null> {
  const password = newOneTimePassword();
  const passwordHash = await passwords.hash(password);
  if (passwordHash === null) throw new Error("the first account's password waits behind others at a start");
  const by = systemActor("first-start", instanceId);
  const made = await transaction(database, async (tx) => {
    if (!(await isFirstStart(tx))) return false;
    const id: UserId = newId();
    await insertUser(tx, { id, name: FIRST_ACCOUNT, passwordHash, mustChange: true }, by);
    const grants = PERMISSIONS.map((permission) => ({ permission, scope: EVERYTHING, domains: null }));
    await setGrants(tx, id, grants, by);
    return true;
  });
  if (!made.ok) throw made.error;
  return made.value ? password : null;
}
