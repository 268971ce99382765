import { identitySchema } from "@holdfast/core/api/account.ts";
import { z } from "zod";
import type { Context } from "../context.ts";
import { act, verb } from "../verb.ts";
import { plain } from "../view/style.ts";
import { table } from "../view/table.ts";

export const userLink = act({
  brief: "Let a subject of the provider (OpenID Connect) sign in to an account; its sessions end",
  example: "user link kim 248289761001",
  operands: ["user", "subject"],
  send: (client, [name = "", subject = ""]) =>
    client.call("linkUser", { params: { name }, body: { subject }, answer: identitySchema }),
  done: ([name, subject]) => `Whoever is ${subject} at the provider signs in as ${name}.`,
});

export const userLinks = verb({
  brief: "Whom at the provider (OpenID Connect) an account is linked to",
  example: "user links kim",
  operands: ["user"],
  run: async (client, [name = ""]) => {
    const { items: value } = await client.call("listUserIdentities", {
      params: { name },
      answer: z.object({ items: z.array(identitySchema) }),
    });
    return { value, text: (context) => linkTable(context, value) };
  },
});

export const myLinks = verb({
  brief: "Who at the provider (OpenID Connect) signs in as me; an administrator makes and ends links",
  example: "me links",
  run: async (client) => {
    const { items: value } = await client.call("listIdentities", {
      answer: z.object({ items: z.array(identitySchema) }),
    });
    return { value, text: (context) => linkTable(context, value) };
  },
});

function linkTable(context: Context, links: readonly z.infer<typeof identitySchema>[]): string {
  return table(
    context,
    ["subject", "provider", "since", "id"],
    links.map(({ subject, issuer, linkedAt, id }) => [plain(subject), plain(issuer), linkedAt, id]),
    "Not linked: this account signs in with its password.",
  );
}

export const userUnlink = act({
  brief: "Take a link to the provider away, and end what was opened by it",
  example: "user unlink kim 0199…",
  operands: ["user", "link"],
  send: (client, [name = "", id = ""]) => client.call("unlinkUser", { params: { name, id }, answer: z.unknown() }),
  done: ([name]) => `${name} is not linked any more.`,
});
