import { offeredTotpSchema, recoveryCodesSchema, signedInSchema } from "@holdfast/core/api/account.ts";
import { passkeySchema } from "@holdfast/core/api/passkey.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { askPerson } from "../ask-person.ts";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { act, verb } from "../verb.ts";
import { passkeyTable } from "../view/passkeys.ts";
import { signedInTable } from "../view/signed-in.ts";
import { myLinks } from "./user-link.ts";

const OTHERWISE = "A second factor is set up in a terminal, by the person who has it.";

const totpOn = buildCommand<object, [], Context>({
  docs: {
    brief: "Sign in with a code of an authenticator as well, from here on",
    fullDescription:
      "Shows a secret for the authenticator, asks for its first code, and prints recovery codes once.\n\nExample: holdfast me totp-on",
  },
  parameters: { flags: {} },
  async func() {
    const client = openClient(this);
    const password = await askPerson(this, "Your password: ", { hidden: true, otherwise: OTHERWISE });
    const offered = await client.call("offerTotp", { body: { password }, answer: offeredTotpSchema });
    this.process.stdout.write(
      `Give this to your authenticator: ${offered.secret}\nor open ${offered.uri}\nNothing is asked for until its first code is right.\n`,
    );
    const code = await askPerson(this, "Its code now: ", { otherwise: OTHERWISE });
    const { codes } = await client.call("confirmTotp", { body: { code }, answer: recoveryCodesSchema });
    this.process.stdout.write(
      `From here on you sign in with a code. Keep these, each signs in once when the authenticator is gone:\n${codes.join("\n")}\n`,
    );
  },
});

const totpOff = buildCommand<object, [], Context>({
  docs: {
    brief: "Give my second factor up",
    fullDescription: "Asks for the password.\n\nExample: holdfast me totp-off",
  },
  parameters: { flags: {} },
  async func() {
    const password = await askPerson(this, "Your password: ", { hidden: true, otherwise: OTHERWISE });
    await openClient(this).call("removeTotp", { body: { password }, answer: z.unknown() });
    this.process.stdout.write("You sign in with the password alone.\n");
  },
});

const sessions = verb({
  brief: "What I am signed in with: sessions and tokens",
  example: "me sessions",
  run: async (client) => {
    const { items: value } = await client.call("listSessions", {
      answer: z.object({ items: z.array(signedInSchema) }),
    });
    return { value, text: (context) => signedInTable(context, value) };
  },
});

const signOut = act({
  brief: "End one of my sessions or tokens",
  example: "me sign-out 0199…",
  operands: ["id"],
  send: (client, [id = ""]) => client.call("revokeSession", { params: { id }, answer: z.unknown() }),
  done: () => "Ended.",
});

const listPasskeys = verb({
  brief: "My passkeys; they are made in the console, because only a browser can make one",
  example: "me passkeys list",
  run: async (client) => {
    const { items: value } = await client.call("listPasskeys", { answer: z.object({ items: z.array(passkeySchema) }) });
    return { value, text: (context) => passkeyTable(context, value) };
  },
});

const removePasskey = act({
  brief: "Give a passkey up, and end my other sessions",
  example: "me passkeys remove 0199…",
  operands: ["passkey"],
  send: async (client, [id = ""], context) => {
    const password = await askPerson(context, "Your password: ", { hidden: true, otherwise: OTHERWISE });
    return client.call("removePasskey", { params: { id }, body: { password }, answer: z.unknown() });
  },
  done: () => "Removed. It signs in no more; your other sessions have ended. Remove it from its device as well.",
});

const passkeys = buildRouteMap({
  routes: { list: listPasskeys, remove: removePasskey },
  docs: { brief: "My passkeys: list them, give one up; a new one is made in the console, in a browser" },
});

export const meRoutes = buildRouteMap({
  routes: { sessions, signOut, totpOn, totpOff, passkeys, links: myLinks },
  docs: { brief: "My own account: sessions, the second factor, passkeys and links to the provider" },
});
