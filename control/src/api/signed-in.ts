import type { OpenedSession } from "../account/open-session.ts";
import { listPasskeys } from "../account/store/passkeys.ts";
import type { House } from "../house.ts";
import { effectiveGrants } from "../store/users.ts";
import { csrfTokenOf } from "./credential.ts";
import type { ApiAnswer } from "./handler.ts";

/** What whoever has just signed in hears, in whichever way they did. */
export async function signedInAnswer(
  { database }: Pick<House, "database">,
  session: OpenedSession,
  fromBrowser: boolean,
): Promise<ApiAnswer<"login">> {
  const grants = await effectiveGrants(database, session.userId);
  const me = {
    user: session.userName,
    permissions: [...new Set(grants.map((grant) => grant.permission))],
    mustChangePassword: session.mustChangePassword,
    secondFactor: session.secondFactor,
    passkeys: (await listPasskeys(database, session.userId)).length,
  };
  // A browser keeps the session where no script of a page can read it; only a program is handed the secret itself.
  if (!fromBrowser) return { value: { ...me, csrfToken: null, sessionToken: session.secret } };
  return {
    value: { ...me, csrfToken: csrfTokenOf(session.secret), sessionToken: null },
    session: { secret: session.secret, seconds: session.seconds },
  };
}
