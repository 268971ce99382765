import type { InstanceId, UserId } from "@holdfast/core/base/id.ts";
import { Refused, refuse } from "../api/refused.ts";
import type { Database } from "../store/database.ts";
import { transaction } from "../store/transaction.ts";
import { getUser, getUserByName } from "../store/users.ts";
import { waitBeforeSignIn } from "./lock-out.ts";
import { type OpenedSession, openSession } from "./open-session.ts";
import type { PasswordHasher } from "./password.ts";
import type { Seal } from "./seal.ts";
import { useCode } from "./second-factor.ts";
import { hasPasskey } from "./store/passkeys.ts";
import { countWrongPasswords } from "./store/wrong-passwords.ts";

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
  const waitMs = waitBeforeSignIn(await countWrongPasswords(database, name, source), options.nowMs());
  if (waitMs > 0) {
    await transaction(database, async (tx) => tx.audit({ ...asked, resultCode: "account.locked_out" }));
    const seconds = Math.ceil(waitMs / 1000);
    throw new Refused("account.locked_out", `Too many wrong passwords; the next try counts in ${seconds} s.`, {
      retryAfterSeconds: seconds,
    });
  }
  const user = await getUserByName(database, name);
  const hash = user === undefined || user.disabled_at !== null ? null : user.password_hash;
  const matches = await options.passwords.matches(password, hash);
  if (matches === null) refuse("account.busy", "Many people are signing in at this moment.", { retryAfterSeconds: 3 });
  if (!matches || user === undefined) {
    await transaction(database, async (tx) => tx.audit({ ...asked, resultCode: "account.wrong_password" }));
    throw new Refused("account.wrong_password", "The user or the password is wrong.");
  }
  const hasPasskeys = await hasPasskey(database, user.id);
  const asksFactor = user.totp_since !== null || hasPasskeys;
  if (asksFactor && code === null) {
    const resultCode = user.totp_since === null ? "account.passkey_needed" : "account.code_needed";
    await transaction(database, async (tx) => tx.audit({ ...asked, resultCode }));
    throw new Refused(
      resultCode,
      user.totp_since === null
        ? "This account signs in with its passkey, which needs no password."
        : "This account signs in with a code of its authenticator too.",
    );
  }
  const opened = await transaction(database, async (tx) => {
    const factor = asksFactor && code !== null ? await useCode(tx, user, code, options.seal, options.nowMs()) : "none";
    return factor === null ? null : openSession(tx, user, factor, source, instanceId);
  });
  if (!opened.ok) throw opened.error;
  if (opened.value !== null) return opened.value;
  // Guessed codes count as guessed passwords do.
  await transaction(database, async (tx) => tx.audit({ ...asked, resultCode: "account.wrong_password" }));
  throw new Refused("account.wrong_code", "The code is wrong, or has been used.");
}

/** The current password of an account that is signed in; guessing it from a stolen session counts like guessing at the door. */
export async function checkOwnPassword(
  userId: UserId,
  password: string,
  source: string,
  options: SignInOptions,
): Promise<void> {
  const user = await getUser(options.database, userId);
  const name = user?.name ?? "";
  const waitMs = waitBeforeSignIn(await countWrongPasswords(options.database, name, source), options.nowMs());
  if (waitMs > 0)
    throw new Refused("account.locked_out", "Too many wrong passwords.", {
      retryAfterSeconds: Math.ceil(waitMs / 1000),
    });
  const matches = await options.passwords.matches(password, user?.password_hash ?? null);
  if (matches === null) refuse("account.busy", "Many people are signing in at this moment.", { retryAfterSeconds: 3 });
  if (matches) return;
  await transaction(options.database, async (tx) =>
    tx.audit({
      actor: `user/${userId}`,
      source,
      action: "session.asked",
      object: `account/${name}`,
      resultCode: "account.wrong_password",
    }),
  );
  throw new Refused("account.wrong_password", "The current password is wrong.");
}
