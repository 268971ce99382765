import { createdTokenSchema, tokenSchema } from "@holdfast/core/api/account.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { DOMAIN, type GrantFlags, MAY, ON, placeText, readPlace } from "../grant.ts";
import { readAll } from "../read-all.ts";
import { act, verb } from "../verb.ts";
import { plain } from "../view/style.ts";
import { table } from "../view/table.ts";
import { relative } from "../view/time.ts";

const tokenList = verb({
  brief: "My API tokens",
  example: "token list",
  run: async (client) => {
    const value = await readAll(client, "listTokens", tokenSchema);
    return {
      value,
      text: (context) =>
        table(
          ["token", "name", "may", "where", "expires", "last used"],
          value.map((token) => [
            token.id,
            plain(token.name),
            token.permissions.join(" "),
            placeText(token),
            relative(token.expiresAt, context.now()),
            relative(token.lastUsedAt, context.now()),
          ]),
          "No tokens.",
        ),
    };
  },
});

interface TokenFlags extends Omit<GrantFlags, "role"> {
  readonly days: number;
  readonly json: boolean;
}

const tokenCreate = buildCommand<TokenFlags, [string], Context>({
  docs: {
    brief: "Make an API token with at most my permissions",
    fullDescription:
      "The secret is shown once.\n\nExample: holdfast token create ci --may view --may apply --on role=web --domain firewall --days 30",
  },
  parameters: {
    flags: {
      may: MAY,
      on: ON,
      domain: DOMAIN,
      days: { kind: "parsed", parse: Number, brief: "How long it lives", default: "90" },
      json: { kind: "boolean", brief: "For machines", default: false },
    },
    positional: { kind: "tuple", parameters: [{ brief: "What it is for", parse: String, placeholder: "name" }] },
  },
  async func(flags, name) {
    const value = await openClient(this).call("createToken", {
      body: { name, permissions: flags.may, ...readPlace(flags), days: flags.days },
      answer: createdTokenSchema,
    });
    this.process.stdout.write(
      flags.json ? `${JSON.stringify(value)}\n` : `${value.secret}\nKeep it now; it is not shown again.\n`,
    );
  },
});

const tokenRevoke = act({
  brief: "Revoke one of my tokens",
  example: "token revoke 0199…",
  operands: ["token"],
  send: (client, [id = ""]) => client.call("revokeToken", { params: { id }, answer: z.unknown() }),
  done: () => "Revoked.",
});

export const tokenRoutes = buildRouteMap({
  routes: { list: tokenList, create: tokenCreate, revoke: tokenRevoke },
  docs: { brief: "API tokens" },
});
