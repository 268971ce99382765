import { createdTokenSchema, tokenSchema } from "@holdfast/core/api/account.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { DAYS, DOMAIN, MAY_AT_LEAST_ONE, newToken, ON, placeText, type TokenFlags } from "../grant.ts";
import { readAll } from "../read-all.ts";
import { act, JSON_FLAG, printAnswer, verb } from "../verb.ts";
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
          context,
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

const tokenCreate = buildCommand<TokenFlags & { readonly json: boolean }, [string], Context>({
  docs: {
    brief: "Make an API token with at most my permissions",
    fullDescription:
      "The secret is shown once.\n\nExample: holdfast token create ci --may view --may apply --on role=web --domain firewall --days 30",
  },
  parameters: {
    flags: { may: MAY_AT_LEAST_ONE, on: ON, domain: DOMAIN, days: DAYS, json: JSON_FLAG },
    positional: { kind: "tuple", parameters: [{ brief: "What it is for", parse: String, placeholder: "name" }] },
  },
  async func(flags, name) {
    const value = await openClient(this).call("createToken", {
      body: newToken(name, flags),
      answer: createdTokenSchema,
    });
    printAnswer(this, flags.json, value, `${value.secret}\nKeep it now; it is not shown again.\n`);
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
