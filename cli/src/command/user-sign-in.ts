import { createdTokenSchema, signedInSchema, userSchema } from "@holdfast/core/api/account.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import {
  DAYS,
  DOMAIN,
  type GrantFlags,
  MAY,
  MAY_AT_LEAST_ONE,
  newAccount,
  newToken,
  ON,
  ROLE,
  type TokenFlags,
  WHERE_IT_HOLDS,
} from "../grant.ts";
import { act, JSON_FLAG, printAnswer, verb } from "../verb.ts";
import { signedInTable } from "../view/signed-in.ts";

export const userEnable = act({
  brief: "Open a closed account again; what it was signed in with stays ended",
  example: "user enable kim",
  operands: ["user"],
  send: (client, [name = ""]) => client.call("enableUser", { params: { name }, body: {}, answer: z.unknown() }),
  done: ([name]) => `${name} is open.`,
});

export const userSessions = verb({
  brief: "What an account is signed in with",
  example: "user sessions kim",
  operands: ["user"],
  run: async (client, [name = ""]) => {
    const { items: value } = await client.call("listUserSessions", {
      params: { name },
      answer: z.object({ items: z.array(signedInSchema) }),
    });
    return { value, text: (context) => signedInTable(context, value) };
  },
});

export const userSignOut = act({
  brief: "End a session or token of an account",
  example: "user sign-out kim 0199…",
  operands: ["user", "id"],
  send: (client, [name = "", id = ""]) =>
    client.call("revokeUserSession", { params: { name, id }, answer: z.unknown() }),
  done: () => "Ended.",
});

export const userResetTotp = act({
  brief: "Take an account's second factor away, and end what it is signed in with",
  example: "user reset-totp kim",
  operands: ["user"],
  send: (client, [name = ""]) => client.call("resetUserTotp", { params: { name }, body: {}, answer: z.unknown() }),
  done: ([name]) => `${name} signs in with the password alone.`,
});

const serviceCreate = buildCommand<GrantFlags & { readonly json: boolean }, [string], Context>({
  docs: {
    brief: "Make an account for a program: no password, only tokens that an administrator makes",
    fullDescription: `${WHERE_IT_HOLDS}\n\nExample: holdfast service create ci --role operator --on role=web`,
  },
  parameters: {
    flags: { role: ROLE, may: MAY, on: ON, domain: DOMAIN, json: JSON_FLAG },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "Name of the account", parse: String, placeholder: "service" }],
    },
  },
  async func(flags, name) {
    const service = await openClient(this).call("createService", { body: newAccount(name, flags), answer: userSchema });
    const next = `holdfast service token ${service.name} --may view`;
    printAnswer(this, flags.json, service, `${service.name} is there. Make it a token, for example: ${next}\n`);
  },
});

interface ServiceTokenFlags extends TokenFlags {
  readonly name: string;
  readonly json: boolean;
}

const serviceToken = buildCommand<ServiceTokenFlags, [string], Context>({
  docs: {
    brief: "Make a token for a service account; the secret is shown once",
    fullDescription:
      "At most what the account holds, and less by --on and --domain.\n\n" +
      "Example: holdfast service token ci --may view --may apply --days 30",
  },
  parameters: {
    flags: {
      may: MAY_AT_LEAST_ONE,
      on: ON,
      domain: DOMAIN,
      days: DAYS,
      name: { kind: "parsed", parse: String, brief: "What it is for", default: "token" },
      json: JSON_FLAG,
    },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "Name of the account", parse: String, placeholder: "service" }],
    },
  },
  async func(flags, service) {
    const value = await openClient(this).call("createServiceToken", {
      params: { name: service },
      body: newToken(flags.name, flags),
      answer: createdTokenSchema,
    });
    printAnswer(this, flags.json, value, `${value.secret}\nKeep it now; it is not shown again.\n`);
  },
});

export const serviceRoutes = buildRouteMap({
  routes: { create: serviceCreate, token: serviceToken },
  docs: { brief: "Accounts of programs" },
});
