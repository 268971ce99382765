import { hostname } from "node:os";
import { changePasswordSchema, createdTokenSchema, meSchema } from "@holdfast/core/api/account.ts";
import { buildCommand } from "@stricli/core";
import { z } from "zod";
import { CliError, usageError } from "../cli-error.ts";
import { type Client, openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { forgetCredentials, keepCredentials, readCredentials } from "../credentials.ts";
import { EXIT } from "../exit-code.ts";

/** Days that a token made by `login` lives. */
const TOKEN_DAYS = 30;
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
    const url = (flags.url ?? readCredentials(this).url).replace(/\/+$/, "");
    const user = flags.user ?? this.env["HOLDFAST_USER"] ?? (await prompt(this, "User: "));
    const password = this.env["HOLDFAST_PASSWORD"] ?? (await prompt(this, "Password: ", true));
    const anonymous = openClient(this, { url, token: null });
    let session = await signIn(this, anonymous, user, password);
    if (session.mustChangePassword) {
      if (!this.interactive) {
        throw new CliError(
          EXIT.refused,
          "account.must_change_password",
          "This is a one-time password.",
          "Sign in once in a terminal or the console to change it.",
        );
      }
      const next = changePasswordSchema.shape.next.safeParse(
        await prompt(this, "This is a one-time password. New password (12 characters or more): ", true),
      );
      if (!next.success) throw usageError("A password has 12 to 256 characters.", "Run holdfast login again.");
      await openClient(this, { url, token: session.sessionToken }).call("changePassword", {
        body: { current: password, next: next.data },
        answer: z.unknown(),
      });
      session = await signIn(this, anonymous, user, next.data);
    }
    const signedIn = openClient(this, { url, token: session.sessionToken });
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
    const code = context.env["HOLDFAST_CODE"] ?? (await prompt(context, question));
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

async function prompt(context: Context, question: string, hidden = false): Promise<string> {
  if (!context.interactive)
    throw usageError("Nobody is here to ask.", "Set HOLDFAST_USER and HOLDFAST_PASSWORD, or use HOLDFAST_TOKEN.");
  return context.ask(question, { hidden });
}
