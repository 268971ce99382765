import { hostname } from "node:os";
import { changePasswordSchema, createdTokenSchema, meSchema } from "@holdfast/core/api/account.ts";
import { buildCommand } from "@stricli/core";
import { z } from "zod";
import { readAddress } from "../address.ts";
import { askPerson } from "../ask-person.ts";
import { CliError, usageError } from "../cli-error.ts";
import { type Client, openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { forgetCredentials, keepCredentials, readCredentials } from "../credentials.ts";
import { EXIT } from "../exit-code.ts";

/** Days that a token made by `login` lives. */
const TOKEN_DAYS = 30;
const OTHERWISE = "Set HOLDFAST_USER and HOLDFAST_PASSWORD, or use HOLDFAST_TOKEN.";
const sessionAnswer = meSchema.extend({ sessionToken: z.string() });

interface Flags {
  readonly url?: string;
  readonly user?: string;
}

export const loginCommand = buildCommand<Flags, [], Context>({
  docs: {
    brief: "Sign in and keep a token for this account on this computer",
    fullDescription:
      "Asks for user and password (or reads HOLDFAST_USER and HOLDFAST_PASSWORD), makes an API token of 30 days and keeps it, readable by you only.\n\n" +
      "Example: holdfast login --url http://127.0.0.1:7080",
  },
  parameters: {
    flags: {
      url: { kind: "parsed", parse: String, brief: "Where the control plane is", optional: true },
      user: { kind: "parsed", parse: String, brief: "Who you are", optional: true },
    },
  },
  async func(flags) {
    const url = readAddress(flags.url ?? readCredentials(this).url);
    const user = flags.user ?? this.env["HOLDFAST_USER"] ?? (await askPerson(this, "User: ", { otherwise: OTHERWISE }));
    const password =
      this.env["HOLDFAST_PASSWORD"] ?? (await askPerson(this, "Password: ", { hidden: true, otherwise: OTHERWISE }));
    const session = await signIn(this, openClient(this, { url, token: null }), user, password);
    const signedIn = openClient(this, { url, token: session.sessionToken });
    if (session.mustChangePassword) {
      if (!this.interactive) {
        throw new CliError(
          EXIT.refused,
          "account.must_change_password",
          "This is a one-time password.",
          "Sign in once in a terminal or the console to change it.",
        );
      }
      const ask = (question: string): Promise<string> =>
        askPerson(this, question, { hidden: true, otherwise: OTHERWISE });
      const next = changePasswordSchema.shape.next.safeParse(
        await ask("This is a one-time password. New password (12 characters or more): "),
      );
      if (!next.success) throw usageError("A password has 12 to 256 characters.", "Run holdfast login again.");
      // Nobody sees what is typed, and the one-time password is gone with it: a slip would shut its owner out.
      if ((await ask("The same again: ")) !== next.data)
        throw new CliError(
          EXIT.refused,
          "cli.values_differ",
          "The two are not the same; nothing was changed.",
          "Run holdfast login again.",
        );
      // The session goes on with the new password; signing in again would ask for a second code, and each is good for once.
      await signedIn.call("changePassword", {
        body: { current: password, next: next.data },
        answer: z.unknown(),
      });
    }
    const token = await signedIn.call("createToken", {
      body: { name: `holdfast login on ${hostname()}`, permissions: session.permissions, days: TOKEN_DAYS },
      answer: createdTokenSchema,
    });
    await signedIn.call("logout", { answer: z.unknown() });
    const file = keepCredentials(this, { url, token: token.secret });
    this.process.stdout.write(
      `Signed in as ${user} (${session.permissions.join(", ")}). The token is kept in ${file}.\n`,
    );
  },
});

/** A passkey is shown to a browser only; here the slip of paper stands for it. */
const FACTOR_QUESTIONS: Readonly<Record<string, string>> = {
  "account.code_needed": "Code of your authenticator: ",
  "account.passkey_needed": "Your account signs in with a passkey, in the console. Here, a recovery code: ",
};

/** Asks for a code only where the account has a second factor. */
export async function signIn(
  context: Context,
  client: Client,
  user: string,
  password: string,
): Promise<z.infer<typeof sessionAnswer>> {
  try {
    return await client.call("login", { body: { user, password }, answer: sessionAnswer });
  } catch (error) {
    const question = error instanceof CliError ? FACTOR_QUESTIONS[error.code] : undefined;
    if (question === undefined) throw error;
    const code = context.env["HOLDFAST_CODE"] ?? (await askPerson(context, question, { otherwise: OTHERWISE }));
    return client.call("login", { body: { user, password, code }, answer: sessionAnswer });
  }
}

export const logoutCommand = buildCommand<object, [], Context>({
  docs: {
    brief: "Forget the token kept on this computer",
    fullDescription: "The token stays valid until it is revoked: see holdfast token list.\n\nExample: holdfast logout",
  },
  parameters: { flags: {} },
  func() {
    forgetCredentials(this);
    this.process.stdout.write("Signed out on this computer.\n");
  },
});
