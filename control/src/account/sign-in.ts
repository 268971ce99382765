import { PERMISSIONS } from "@holdfast/core/api/account.ts";
import type { InstanceId, TokenId, UserId } from "@holdfast/core/base/id.ts";
import { secretSha256 } from "../api/credential.ts";
import { Refused, refuse } from "../api/refused.ts";
import { userActor } from "../store/actor.ts";
import type { Database } from "../store/database.ts";
import { newId } from "../store/new-id.ts";
import { insertToken } from "../store/tokens.ts";
import { transaction } from "../store/transaction.ts";
import { EVERYTHING, getUser, getUserByName } from "../store/users.ts";
import { waitBeforeSignIn } from "./lock-out.ts";
import type { PasswordHasher } from "./password.ts";
import type { Seal } from "./seal.ts";
import { useCode } from "./second-factor.ts";
import { newSecret } from "./secret.ts";
import { SESSION_ABSOLUTE_MS } from "./session.ts";
import { countWrongPasswords } from "./store/wrong-passwords.ts";

export interface SignInOptions {
  readonly database: Database;
  readonly passwords: PasswordHasher;
  readonly instanceId: InstanceId;
  readonly nowMs: () => number;
  readonly seal: Seal;
}

export interface OpenedSession {
  readonly userId: UserId;
  readonly userName: string;
  readonly mustChangePassword: boolean;
  readonly secondFactor: boolean;
  readonly secret: string;
  readonly tokenId: TokenId;
  readonly seconds: number;
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
  if (user.totp_since !== null && code === null) {
    await transaction(database, async (tx) => tx.audit({ ...asked, resultCode: "account.code_needed" }));
    throw new Refused("account.code_needed", "This account signs in with a code of its authenticator too.");
  }
  const secret = newSecret();
  const tokenId: TokenId = newId();
  const seconds = SESSION_ABSOLUTE_MS / 1000;
  const opened = await transaction(database, async (tx) => {
    const factor =
      user.totp_since === null || code === null ? "none" : await useCode(tx, user, code, options.seal, options.nowMs());
    if (factor === null) return false;
    tx.audit({ ...asked, actor: `user/${user.id}`, resultCode: "ok", new: { factor } });
    const token = {
      id: tokenId,
      userId: user.id,
      kind: "session",
      name: "sign-in",
      secretSha256: secretSha256(secret),
      permissions: PERMISSIONS,
      scope: EVERYTHING,
      domains: null,
      seconds,
    } as const;
    await insertToken(tx, token, userActor(user.id, source, instanceId));
    return true;
  });
  if (!opened.ok) throw opened.error;
  if (!opened.value) {
    // Guessed codes count as guessed passwords do.
    await transaction(database, async (tx) => tx.audit({ ...asked, resultCode: "account.wrong_password" }));
    throw new Refused("account.wrong_code", "The code is wrong, or has been used.");
  }
  return {
    userId: user.id,
    userName: user.name,
    mustChangePassword: user.must_change,
    secondFactor: user.totp_since !== null,
    secret,
    tokenId,
    seconds,
  };
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
