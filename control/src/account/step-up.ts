/**
 * Showing again who one is, in a session that is open: the password with a code, or a passkey. The session is fresh from then on; for how
 * long that is enough, the floor says where a server is to move.
 */
import type { stepUpSchema } from "@holdfast/core/api/passkey.ts";
import type { z } from "zod";
import type { Caller } from "../api/caller.ts";
import { Refused, refuse } from "../api/refused.ts";
import { freshenSession } from "../store/tokens.ts";
import { type Transaction, transaction } from "../store/transaction.ts";
import { getUser, lockUser } from "../store/users.ts";
import { counterWentBack } from "./passkey-sign-in.ts";
import { challengeHolder, type PasskeyOptions, shownPasskey, usePasskey } from "./passkeys.ts";
import { useCode } from "./second-factor.ts";
import { checkOwnPassword, type SignInOptions, waiting } from "./sign-in.ts";
import { hasPasskey, noteCounterBack } from "./store/passkeys.ts";
import { oneTryAtATime } from "./store/wrong-passwords.ts";

export type StepUpOptions = SignInOptions & PasskeyOptions;

export async function stepUp(
  caller: Caller,
  shown: z.output<typeof stepUpSchema>,
  source: string,
  options: StepUpOptions,
): Promise<void> {
  assertSession(caller);
  if ("passkey" in shown) await byPasskey(caller, shown.passkey, options);
  else await byCode(caller, shown.password, shown.code, source, options);
}

/** A token is kept in files and pipelines: that somebody has it shows nothing of a person who is there. */
export function assertSession(caller: Caller): void {
  if (caller.via === "token")
    refuse("account.session_needed", "This request came with an API token, and there is nobody to ask.");
}

async function byPasskey(
  caller: Caller,
  answer: Extract<z.output<typeof stepUpSchema>, { passkey: unknown }>["passkey"],
  options: StepUpOptions,
): Promise<void> {
  const shown = await shownPasskey(answer, challengeHolder("step_up", caller.userId, caller.tokenId), options);
  const done = await transaction(options.database, async (tx) => {
    if (!(await usePasskey(tx, shown))) return false;
    await freshen(tx, caller, "passkey");
    return true;
  });
  if (!done.ok) throw done.error;
  if (done.value) return;
  const noted = await transaction(options.database, (tx) => noteCounterBack(tx, shown.passkey, caller.actor));
  if (!noted.ok) throw noted.error;
  throw counterWentBack(shown);
}

async function byCode(
  caller: Caller,
  password: string,
  code: string,
  source: string,
  options: StepUpOptions,
): Promise<void> {
  const { database } = options;
  await checkOwnPassword(caller.userId, password, source, options);
  const user = await getUser(database, caller.userId);
  if (user === undefined || (user.totp_since === null && !(await hasPasskey(database, user.id))))
    refuse("account.factor_needed", "A password alone is what opened the session already.");
  const asked = { actor: `user/${user.id}`, source, action: "session.asked", object: `account/${user.name}` } as const;
  const done = await transaction(database, async (tx): Promise<Refused | null> => {
    await oneTryAtATime(tx, user.name);
    const late = await waiting(tx, user.name, source, options);
    if (late !== null) return late;
    const factor = await useCode(tx, (await lockUser(tx, user.id)) ?? user, code, options.seal, options.nowMs());
    if (factor !== null) {
      await freshen(tx, caller, factor);
      return null;
    }
    // Guessed codes count as guessed passwords do.
    const refused = new Refused("account.wrong_code", "The code is wrong, or has been used.");
    tx.audit({ ...asked, resultCode: refused.code });
    return refused;
  });
  if (!done.ok) throw done.error;
  if (done.value !== null) throw done.value;
}

async function freshen(tx: Transaction, caller: Caller, factor: string): Promise<void> {
  if (!(await freshenSession(tx, caller.tokenId, factor, caller.actor)))
    refuse("access.credential_invalid", "The session has ended meanwhile.");
}
