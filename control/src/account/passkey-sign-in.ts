import type { assertionSchema } from "@holdfast/core/api/passkey.ts";
import type { InstanceId } from "@holdfast/core/base/id.ts";
import type { z } from "zod";
import { Refused } from "../api/refused.ts";
import type { Database } from "../store/database.ts";
import { type Transaction, transaction } from "../store/transaction.ts";
import { getUser, lockUser } from "../store/users.ts";
import { type OpenedSession, openSession } from "./open-session.ts";
import { challengeHolder, type PasskeyOptions, type ShownPasskey, shownPasskey, usePasskey } from "./passkeys.ts";
import { noteCounterBack } from "./store/passkeys.ts";

export interface PasskeySignInOptions extends PasskeyOptions {
  readonly instanceId: InstanceId;
}

/**
 * A passkey instead of a password: whose it is, it says itself. Wrong passwords of others do not make its owner wait, because nobody guesses
 * a signature.
 *
 * @param browser the secret that this browser was given with the challenge
 */
export async function signInWithPasskey(
  answer: z.output<typeof assertionSchema>,
  browser: string,
  source: string,
  options: PasskeySignInOptions,
): Promise<OpenedSession> {
  const { database, instanceId } = options;
  let shown: ShownPasskey;
  try {
    shown = await shownPasskey(answer, challengeHolder("sign_in", null, browser), options);
  } catch (error) {
    if (error instanceof Refused) await writeRefusal(database, "an account by passkey", source, error.code);
    throw error;
  }
  const user = await getUser(database, shown.passkey.user_id);
  const closed = async (): Promise<never> => {
    await writeRefusal(database, user?.name ?? "an account by passkey", source, "account.passkey_refused");
    throw new Refused("account.passkey_refused", "This passkey does not open an account here.");
  };
  if (user === undefined || user.disabled_at !== null) return closed();
  const opened = await transaction(database, async (tx) => {
    // Held and read again: a session of an account that was closed meanwhile is not opened.
    const now = await lockUser(tx, user.id);
    if (now === undefined || now.disabled_at !== null) return "closed";
    const factor = "passkey" as const;
    return (await usePasskey(tx, shown))
      ? openSession(tx, now, { openedWith: "password", factor }, source, instanceId)
      : null;
  });
  if (!opened.ok) throw opened.error;
  if (opened.value === "closed") return closed();
  if (opened.value !== null) return opened.value;
  await writeRefusal(database, user.name, source, "account.passkey_counter", (tx) =>
    noteCounterBack(tx, shown.passkey, { actor: "anonymous", source }),
  );
  throw counterWentBack(shown);
}

/** Said to whoever has the passkey: they are its owner, or have what only the owner should have. */
export function counterWentBack({ passkey }: ShownPasskey): Refused {
  return new Refused(
    "account.passkey_counter",
    `The passkey ${passkey.name} has been used elsewhere since it was used here last: its counter did not go on.`,
  );
}

async function writeRefusal(
  database: Database,
  account: string,
  source: string,
  resultCode: string,
  more: (tx: Transaction) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const written = await transaction(database, async (tx) => {
    await more(tx);
    tx.audit({ actor: "anonymous", source, action: "session.asked", object: `account/${account}`, resultCode });
  });
  if (!written.ok) throw written.error;
}
