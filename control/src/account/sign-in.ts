import type { InstanceId, UserId } from "@holdfast/core/base/id.ts";
import { Refused, refuse } from "../api/refused.ts";
import type { Database, Queryable } from "../store/database.ts";
import { transaction } from "../store/transaction.ts";
import { getUser, getUserByName, lockUser } from "../store/users.ts";
import { waitBeforeSignIn } from "./lock-out.ts";
import { type OpenedSession, openSession } from "./open-session.ts";
import type { PasswordHasher } from "./password.ts";
import type { Seal } from "./seal.ts";
import { useCode } from "./second-factor.ts";
import { hasPasskey } from "./store/passkeys.ts";
import { countWrongPasswords, oneTryAtATime } from "./store/wrong-passwords.ts";

export interface SignInOptions {
  readonly database: Database;
  readonly passwords: PasswordHasher;
  readonly instanceId: InstanceId;
  readonly nowMs: () => number;
  readonly seal: Seal;
}

/** One answer for a wrong name, a wrong password and a closed account; how it was is in the audit log. */
export async function signIn(
  name: string,
  password: string,
  code: string | null,
  source: string,
  options: SignInOptions,
): Promise<OpenedSession> {
  const { database, instanceId } = options;
  const asked = { actor: "anonymous", source, action: "session.asked", object: `account/${name}` } as const;
  // Before the password is looked at, so that whoever waits costs nothing.
  const early = await waiting(database, name, source, options);
  if (early !== null) {
    await transaction(database, async (tx) => tx.audit({ ...asked, resultCode: early.code }));
    throw early;
  }
  const user = await getUserByName(database, name);
  const hash = user === undefined || user.disabled_at !== null ? null : user.password_hash;
  const matches = await options.passwords.matches(password, hash);
  if (matches === null) refuse("account.busy", "Many people are signing in at this moment.", { retryAfterSeconds: 3 });
  const decided = await transaction(database, async (tx): Promise<OpenedSession | Refused> => {
    const said = (refused: Refused): Refused => {
      tx.audit({ ...asked, resultCode: refused.code });
      return refused;
    };
    await oneTryAtATime(tx, name);
    // Held and read again: what was changed while the password was looked at counts.
    const now = user === undefined ? undefined : await lockUser(tx, user.id);
    const late = await waiting(tx, name, source, options);
    if (late !== null) return said(late);
    if (!matches || now === undefined || now.disabled_at !== null || now.password_hash !== hash)
      return said(new Refused("account.wrong_password", "The user or the password is wrong."));
    const asksFactor = now.totp_since !== null || (await hasPasskey(tx, now.id));
    if (asksFactor && code === null)
      return said(
        now.totp_since === null
          ? new Refused("account.passkey_needed", "This account signs in with its passkey, which needs no password.")
          : new Refused("account.code_needed", "This account signs in with a code of its authenticator too."),
      );
    const factor = asksFactor && code !== null ? await useCode(tx, now, code, options.seal, options.nowMs()) : "none";
    // Guessed codes count as guessed passwords do.
    if (factor === null) return said(new Refused("account.wrong_code", "The code is wrong, or has been used."));
    return openSession(tx, now, { openedWith: "password", factor }, source, instanceId);
  });
  if (!decided.ok) throw decided.error;
  if (decided.value instanceof Refused) throw decided.value;
  return decided.value;
}

/** The current password of an account that is signed in; guessing it from a stolen session counts like guessing at the door. */
export async function checkOwnPassword(
  userId: UserId,
  password: string,
  source: string,
  options: SignInOptions,
): Promise<void> {
  const { database } = options;
  const user = await getUser(database, userId);
  const name = user?.name ?? "";
  const early = await waiting(database, name, source, options);
  if (early !== null) throw early;
  const hash = user?.password_hash ?? null;
  const matches = await options.passwords.matches(password, hash);
  if (matches === null) refuse("account.busy", "Many people are signing in at this moment.", { retryAfterSeconds: 3 });
  const decided = await transaction(database, async (tx): Promise<Refused | null> => {
    await oneTryAtATime(tx, name);
    const now = await lockUser(tx, userId);
    const late = await waiting(tx, name, source, options);
    if (late !== null) return late;
    if (matches && now?.password_hash === hash) return null;
    const refused = new Refused("account.wrong_password", "The current password is wrong.");
    const by = { actor: `user/${userId}`, source, action: "session.asked", object: `account/${name}` } as const;
    tx.audit({ ...by, resultCode: refused.code });
    return refused;
  });
  if (!decided.ok) throw decided.error;
  if (decided.value !== null) throw decided.value;
}

/** Why this try does not count: whoever guessed before waits, whatever they bring now. */
export async function waiting(
  database: Queryable,
  name: string,
  source: string,
  { nowMs }: Pick<SignInOptions, "nowMs">,
): Promise<Refused | null> {
  const waitMs = waitBeforeSignIn(await countWrongPasswords(database, name, source), nowMs());
  if (waitMs === 0) return null;
  const seconds = Math.ceil(waitMs / 1000);
  return new Refused("account.locked_out", `Too many wrong passwords or codes; the next try counts in ${seconds} s.`, {
    retryAfterSeconds: seconds,
  });
}
