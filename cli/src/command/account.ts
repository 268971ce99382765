import {
  auditEntrySchema,
  auditVerifySchema,
  createdTokenSchema,
  doctorRowSchema,
  type Permission,
  PERMISSIONS,
  tokenSchema,
  userSchema,
} from "@holdfast/core/api/account.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { act, verb } from "../verb.ts";
import { painter, plain } from "../view/style.ts";
import { table } from "../view/table.ts";
import { relative } from "../view/time.ts";

const auditList = verb({
  brief: "Who did what, newest first; refusals too",
  example: "audit list",
  run: async (client) => {
    const { items: value } = await client.call("listAudit", { answer: z.object({ items: z.array(auditEntrySchema) }) });
    return {
      value,
      text: () =>
        table(
          ["id", "at", "who", "from", "action", "object", "result", "request"],
          value.map((entry) => [
            String(entry.id),
            entry.at,
            plain(entry.actor),
            entry.source,
            entry.action,
            plain(entry.object),
            entry.resultCode,
            entry.requestId ?? "",
          ]),
          "The audit log is empty.",
        ),
    };
  },
});

const auditVerify = verb({
  brief: "Walk the audit log's hash chain and name the first broken entry",
  example: "audit verify",
  run: async (client, _, context) => {
    const value = await client.call("verifyAudit", { answer: auditVerifySchema });
    if (!value.intact) context.process.exitCode = EXIT.refused;
    return {
      value,
      text: () =>
        value.intact
          ? `Intact: ${value.entries} entries, head ${value.head}\n`
          : `BROKEN at entry ${value.firstBroken ?? "?"}: somebody changed the log outside Holdfast.\n`,
    };
  },
});

const tokenList = verb({
  brief: "My API tokens",
  example: "token list",
  run: async (client) => {
    const { items: value } = await client.call("listTokens", { answer: z.object({ items: z.array(tokenSchema) }) });
    return {
      value,
      text: (context) =>
        table(
          ["token", "name", "may", "expires", "last used"],
          value.map((token) => [
            token.id,
            plain(token.name),
            token.permissions.join(" "),
            relative(token.expiresAt, context.now()),
            relative(token.lastUsedAt, context.now()),
          ]),
          "No tokens.",
        ),
    };
  },
});

interface TokenFlags {
  readonly may: readonly Permission[];
  readonly days: number;
  readonly json: boolean;
}

const tokenCreate = buildCommand<TokenFlags, [string], Context>({
  docs: {
    brief: "Make an API token with at most my permissions",
    fullDescription: "The secret is shown once.\n\nExample: holdfast token create ci --may view --may edit --days 30",
  },
  parameters: {
    flags: {
      may: { kind: "enum", values: PERMISSIONS, brief: "A permission (repeat it for more)", variadic: true },
      days: { kind: "parsed", parse: Number, brief: "How long it lives", default: "90" },
      json: { kind: "boolean", brief: "For machines", default: false },
    },
    positional: { kind: "tuple", parameters: [{ brief: "What it is for", parse: String, placeholder: "name" }] },
  },
  async func(flags, name) {
    const value = await openClient(this).call("createToken", {
      body: { name, permissions: flags.may, days: flags.days },
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

const userList = verb({
  brief: "Accounts and what they may do",
  example: "user list",
  run: async (client) => {
    const { items: value } = await client.call("listUsers", { answer: z.object({ items: z.array(userSchema) }) });
    return {
      value,
      text: () =>
        table(
          ["user", "may", "state"],
          value.map((user) => [
            user.name,
            user.permissions.map((grant) => grant.permission).join(" "),
            user.disabled ? "disabled" : "active",
          ]),
          "No accounts.",
        ),
    };
  },
});

interface UserFlags {
  readonly may: readonly Permission[];
}

const userCreate = buildCommand<UserFlags, [string], Context>({
  docs: {
    brief: "Make an account; prints a one-time password",
    fullDescription: "Permissions never imply one another.\n\nExample: holdfast user create kim --may view --may edit",
  },
  parameters: {
    flags: { may: { kind: "enum", values: PERMISSIONS, brief: "A permission (repeat it for more)", variadic: true } },
    positional: { kind: "tuple", parameters: [{ brief: "Name of the account", parse: String, placeholder: "user" }] },
  },
  async func(flags, name) {
    const value = await openClient(this).call("createUser", {
      body: { name, permissions: flags.may },
      answer: z.object({ password: z.string() }),
    });
    this.process.stdout.write(`${name} / ${value.password}\nOne-time: it must be changed at the first sign-in.\n`);
  },
});

const userDisable = act({
  brief: "Close an account and end its sessions and tokens",
  example: "user disable kim",
  operands: ["user"],
  send: (client, [name = ""]) => client.call("disableUser", { params: { name }, body: {}, answer: z.unknown() }),
  done: ([name]) => `${name} is disabled.`,
});

export const doctorCommand = verb({
  brief: "What the mission asks, row by row, with the evidence found on this installation",
  example: "doctor",
  run: async (client, _, context) => {
    const { rows: value } = await client.call("doctor", { answer: z.object({ rows: z.array(doctorRowSchema) }) });
    if (value.some((row) => !row.holds)) context.process.exitCode = EXIT.refused;
    return {
      value,
      text: (shown) => {
        const paint = painter(shown);
        return value
          .map(
            (row) =>
              `${row.holds ? paint("green", "holds ") : paint("red", "BROKEN")}  ${row.asks}\n        ${paint("gray", plain(row.evidence))}${row.holds ? "" : `\n        ${row.remedy}`}\n`,
          )
          .join("");
      },
    };
  },
});

export const auditRoutes = buildRouteMap({
  routes: { list: auditList, verify: auditVerify },
  docs: { brief: "The audit log: list and verify" },
});
export const tokenRoutes = buildRouteMap({
  routes: { list: tokenList, create: tokenCreate, revoke: tokenRevoke },
  docs: { brief: "API tokens" },
});
export const userRoutes = buildRouteMap({
  routes: { list: userList, create: userCreate, disable: userDisable },
  docs: { brief: "Accounts" },
});
