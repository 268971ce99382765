import { meSchema } from "@holdfast/core/api/account.ts";
import { z } from "zod";
import { CliError } from "./cli-error.ts";
import { type Client, openClient } from "./client.ts";
import { signIn } from "./command/login.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit-code.ts";

const ASKED_AGAIN: ReadonlySet<string> = new Set(["access.step_up_by_token", "access.step_up_needed"]);

/**
 * Sends something; where the floor asks for a person first, asks the one at this terminal for password and code, and sends the same in a
 * session of its own, which ends with it. The token that is kept on this computer never becomes more than it is.
 */
export async function asPerson<T>(context: Context, client: Client, send: (client: Client) => Promise<T>): Promise<T> {
  try {
    return await send(client);
  } catch (error) {
    if (!(error instanceof CliError) || !ASKED_AGAIN.has(error.code) || !context.interactive) throw error;
    context.process.stderr.write(`${error.message}\n`);
  }
  const { user } = await client.call("me", { answer: meSchema });
  const password = await context.ask(`Password of ${user}: `, { hidden: true });
  const session = await signIn(context, openClient(context, { url: client.url, token: null }), user, password);
  const person = openClient(context, { url: client.url, token: session.sessionToken });
  try {
    if (!session.secondFactor && session.passkeys === 0)
      throw new CliError(
        EXIT.refused,
        "account.factor_needed",
        "Your account has no second factor; nothing was changed.",
        "Set one up with holdfast me totp-on, or make a passkey in the console.",
      );
    return await send(person);
  } finally {
    // It runs out by itself where this is not heard.
    await person.call("logout", { answer: z.unknown() }).catch(() => undefined);
  }
}
