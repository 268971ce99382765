import { createdTokenSchema, signedInSchema, userSchema } from "@holdfast/core/api/account.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { usageError } from "../cli-error.ts";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { DOMAIN, type GrantFlags, MAY, ON, readPlace, ROLE } from "../grant.ts";
import { act, verb } from "../verb.ts";
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
    return { value, text: (context) => signedInTable(value, context.now()) };
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

const serviceCreate = buildCommand<GrantFlags, [string], Context>({
  docs: {
    brief: "Make an account for a program: no password, only tokens that an administrator makes",
    fullDescription:
      "--may holds on every server; --role where --on and --domain say. A permission on some servers is given afterwards, with user grant.\n\n" +
      "Example: holdfast service create ci --role operator --on role=web",
  },
  parameters: {
    flags: {
      role: ROLE,
      may: MAY,
      on: ON,
      domain: DOMAIN,
    },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "Name of the account", parse: String, placeholder: "service" }],
    },
  },
  async func(flags, name) {
    const place = readPlace(flags);
    // The API gives permissions to a new account on every server only: a place that is said must never be left out on the way.
    if (flags.may.length > 0 && flags.on.length + flags.domain.length > 0)
      throw usageError(
        "--may of a new account holds on every server; --on and --domain would be left out.",
        `Make it without --may, then: holdfast user grant ${name} ${wordsOf(flags)}`,
      );
    const service = await openClient(this).call("createService", {
      body: { name, permissions: flags.may, roles: flags.role.map((role) => ({ role, ...place })) },
      answer: userSchema,
    });
    this.process.stdout.write(
      `${service.name} is there. Make it a token: holdfast service token ${service.name} --help\n`,
    );
  },
});

function wordsOf({ may, on, domain }: GrantFlags): string {
  return [
    ...may.map((word) => `--may ${word}`),
    ...on.map((word) => `--on ${word}`),
    ...domain.map((word) => `--domain ${word}`),
  ].join(" ");
}

interface ServiceTokenFlags extends Omit<GrantFlags, "role"> {
  readonly days: number;
  readonly name: string;
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
      may: MAY,
      on: ON,
      domain: DOMAIN,
      days: { kind: "parsed", parse: Number, brief: "How long it lives", default: "90" },
      name: { kind: "parsed", parse: String, brief: "What it is for", default: "token" },
    },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "Name of the account", parse: String, placeholder: "service" }],
    },
  },
  async func(flags, service) {
    const { may: permissions, days, name } = flags;
    const value = await openClient(this).call("createServiceToken", {
      params: { name: service },
      body: { name, permissions, ...readPlace(flags), days },
      answer: createdTokenSchema,
    });
    this.process.stdout.write(`${value.secret}\nKeep it now; it is not shown again.\n`);
  },
});

export const serviceRoutes = buildRouteMap({
  routes: { create: serviceCreate, token: serviceToken },
  docs: { brief: "Accounts of programs" },
});
