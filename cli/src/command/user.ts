import { oneTimePasswordSchema, type Permission, roleSchema, userSchema } from "@holdfast/core/api/account.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { CliError, usageError } from "../cli-error.ts";
import { type Client, openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import {
  DOMAIN,
  type GivenFlags,
  type GrantFlags,
  heldWords,
  MAY,
  MAY_AT_LEAST_ONE,
  newAccount,
  ON,
  type Place,
  placeText,
  readPlace,
  ROLE,
  WHERE_IT_HOLDS,
  withGrant,
} from "../grant.ts";
import { readAll } from "../read-all.ts";
import { act, JSON_FLAG, printAnswer, verb } from "../verb.ts";
import { plain } from "../view/style.ts";
import { table } from "../view/table.ts";
import { userLink, userLinks, userUnlink } from "./user-link.ts";
import { userEnable, userResetTotp, userSessions, userSignOut } from "./user-sign-in.ts";

type User = z.infer<typeof userSchema>;
type PermissionGrant = Place & Pick<User["permissions"][number], "permission">;
type RoleGrant = Place & Pick<User["roles"][number], "role">;

const userList = verb({
  brief: "Accounts and what they may do",
  example: "user list",
  run: async (client) => {
    const value = await readAll(client, "listUsers", userSchema);
    return {
      value,
      text: (context) =>
        table(
          context,
          ["user", "kind", "may", "state"],
          value.map((user) => [
            user.name,
            user.kind,
            heldWords(user),
            [
              user.disabled ? "disabled" : "active",
              ...(user.secondFactor ? ["second factor"] : []),
              ...(user.passkeys > 0 ? [`passkeys: ${user.passkeys}`] : []),
            ].join(", "),
          ]),
          "No accounts.",
        ),
    };
  },
});

const userCreate = buildCommand<GrantFlags & { readonly json: boolean }, [string], Context>({
  docs: {
    brief: "Make an account; prints a one-time password",
    fullDescription: `Permissions never imply one another.\n${WHERE_IT_HOLDS}\n\nExample: holdfast user create kim --role author --on role=web`,
  },
  parameters: {
    flags: { role: ROLE, may: MAY, on: ON, domain: DOMAIN, json: JSON_FLAG },
    positional: { kind: "tuple", parameters: [{ brief: "Name of the account", parse: String, placeholder: "user" }] },
  },
  async func(flags, name) {
    const value = await openClient(this).call("createUser", {
      body: newAccount(name, flags),
      answer: oneTimePasswordSchema,
    });
    printAnswer(this, flags.json, value, oneTimeText(value));
  },
});

function oneTimeText({ name, password }: z.infer<typeof oneTimePasswordSchema>): string {
  return `${name} / ${password}\nOne-time: it must be changed at the first sign-in.\n`;
}

const userDisable = act({
  brief: "Close an account and end its sessions and tokens",
  example: "user disable kim",
  operands: ["user"],
  send: (client, [name = ""]) => client.call("disableUser", { params: { name }, body: {}, answer: z.unknown() }),
  done: ([name]) => `${name} is disabled.`,
});

const userPassword = verb({
  brief: "Give an account a new one-time password; what it is signed in with ends",
  example: "user password kim",
  operands: ["user"],
  run: async (client, [name = ""]) => {
    const value = await client.call("resetUserPassword", {
      params: { name },
      body: {},
      answer: oneTimePasswordSchema,
    });
    return { value, text: () => oneTimeText(value) };
  },
});

/** What was there stays. Less than before is something else, and is said with another word: revoke. */
const userGrant = buildCommand<GrantFlags & { readonly json: boolean }, [string], Context>({
  docs: {
    brief: "Give an account a role or a permission, everywhere or on some servers and domains",
    fullDescription:
      "What the account holds already stays; on the same servers domains add up. To narrow it, revoke it first.\n" +
      "Nobody widens their own permissions.\n\n" +
      "Example: holdfast user grant kim --role operator --on role=web --domain firewall",
  },
  parameters: {
    flags: { role: ROLE, may: MAY, on: ON, domain: DOMAIN, json: JSON_FLAG },
    positional: { kind: "tuple", parameters: [{ brief: "Name of the account", parse: String, placeholder: "user" }] },
  },
  async func(flags, name) {
    const place = readPlace(flags);
    const { may, role } = somethingOf(flags, "grant");
    const user = await setGrants(openClient(this), name, (now) => ({
      permissions: may.reduce<readonly PermissionGrant[]>(
        (held, permission) => withGrant(held, { permission, ...place }, (grant) => grant.permission),
        now.permissions,
      ),
      roles: role.reduce<readonly RoleGrant[]>(
        (held, one) => withGrant(held, { role: one, ...place }, (grant) => grant.role),
        now.roles,
      ),
    }));
    printAnswer(this, flags.json, user, heldText(this, user));
  },
});

const userRevoke = buildCommand<GivenFlags & { readonly json: boolean }, [string], Context>({
  docs: {
    brief: "Take a role or a permission from an account, wherever it holds",
    fullDescription: "It is gone with the next request.\n\nExample: holdfast user revoke kim --may apply",
  },
  parameters: {
    flags: { role: ROLE, may: MAY, json: JSON_FLAG },
    positional: { kind: "tuple", parameters: [{ brief: "Name of the account", parse: String, placeholder: "user" }] },
  },
  async func(flags, name) {
    const { may, role } = somethingOf(flags, "revoke");
    const user = await setGrants(openClient(this), name, (now) => {
      const absent = [
        ...may.filter((permission) => !now.permissions.some((grant) => grant.permission === permission)),
        ...role.filter((one) => !now.roles.some((grant) => grant.role === one)).map((one) => `the role ${one}`),
      ];
      if (absent.length > 0) throw notHeld(now, absent);
      return {
        permissions: now.permissions.filter((grant) => !may.includes(grant.permission)),
        roles: now.roles.filter((grant) => !role.includes(grant.role)),
      };
    });
    printAnswer(this, flags.json, user, heldText(this, user));
  },
});

function somethingOf({ may = [], role = [] }: GivenFlags, command: "grant" | "revoke"): Required<GivenFlags> {
  if (may.length + role.length > 0) return { may, role };
  throw usageError(`There is nothing to ${command}.`, "Name it with --role or --may.");
}

/** Whoever takes something away wants it gone: that it is held by another way must not look as if it were. */
function notHeld(user: User, absent: readonly string[]): CliError {
  const roles = user.roles.map((grant) => grant.role);
  return new CliError(
    EXIT.refused,
    "cli.not_held",
    `${user.name} does not hold ${absent.join(", ")} itself; nothing was changed.`,
    roles.length === 0
      ? "`holdfast user list` shows what is held."
      : `It may come with a role: ${[...new Set(roles)].join(", ")}. \`holdfast role list\` shows what they are.`,
  );
}

async function setGrants(
  client: Client,
  name: string,
  after: (now: User) => { readonly permissions: readonly unknown[]; readonly roles: readonly unknown[] },
): Promise<User> {
  const now = (await readAll(client, "listUsers", userSchema)).find((user) => user.name === name);
  if (now === undefined)
    throw new CliError(
      EXIT.refused,
      "resource.not_found",
      `There is no account ${name}.`,
      "`holdfast user list` shows them.",
    );
  return client.call("setUserPermissions", {
    params: { name },
    body: after(now),
    ifMatch: now.etag,
    answer: userSchema,
  });
}

function heldText(context: Context, user: User): string {
  return table(
    context,
    ["held", "where"],
    [
      ...user.roles.map((grant) => [`role ${grant.role}`, placeText(grant)]),
      ...user.permissions.map((grant) => [grant.permission, placeText(grant)]),
    ],
    `${user.name} may do nothing.`,
  );
}

const roleList = verb({
  brief: "Roles: sets of permissions under a name, and who holds them",
  example: "role list",
  run: async (client) => {
    const { items: value } = await client.call("listRoles", { answer: z.object({ items: z.array(roleSchema) }) });
    return {
      value,
      text: (context) =>
        table(
          context,
          ["role", "may", "held by", "what it is"],
          value.map((role) => [role.name, role.permissions.join(" "), role.heldBy.join(" "), plain(role.description)]),
          "No roles.",
        ),
    };
  },
});

interface RoleFlags {
  readonly may: readonly Permission[];
  readonly about?: string;
  readonly json: boolean;
}

const roleSave = buildCommand<RoleFlags, [string], Context>({
  docs: {
    brief: "Make a role, or change what it holds for everybody who has it",
    fullDescription:
      "A role is exactly the permissions that are named; none implies another, and one that is not named is taken from it.\n\n" +
      'Example: holdfast role save night-shift --may view --may apply --about "Applies what is approved"',
  },
  parameters: {
    flags: {
      may: MAY_AT_LEAST_ONE,
      about: { kind: "parsed", parse: String, brief: "What it is; without it, what was said before", optional: true },
      json: JSON_FLAG,
    },
    positional: { kind: "tuple", parameters: [{ brief: "Name of the role", parse: String, placeholder: "role" }] },
  },
  async func(flags, name) {
    const client = openClient(this);
    const { items } = await client.call("listRoles", { answer: z.object({ items: z.array(roleSchema) }) });
    const before = items.find((role) => role.name === name);
    const saved = await client.call("saveRole", {
      params: { name },
      body: { description: flags.about ?? before?.description ?? "", permissions: [...new Set(flags.may)] },
      ifMatch: before?.etag ?? "new",
      answer: roleSchema,
    });
    printAnswer(this, flags.json, saved, savedText(saved, before));
  },
});

/** What was there before, and for whom it is another thing now: one permission too few is put back by whoever sees it here. */
function savedText(saved: z.infer<typeof roleSchema>, before: z.infer<typeof roleSchema> | undefined): string {
  const text = `${saved.name}: ${saved.permissions.join(" ")}`;
  if (before === undefined) return `${text} (new)\n`;
  const holders = saved.heldBy.length === 0 ? "nobody holds it" : `for ${saved.heldBy.join(", ")}`;
  return `${text} (before: ${before.permissions.join(" ")}), ${holders}\n`;
}

const roleDelete = act({
  brief: "Delete a role that nobody holds",
  example: "role delete night-shift",
  operands: ["role"],
  send: (client, [name = ""]) => client.call("deleteRole", { params: { name }, answer: z.unknown() }),
  done: ([name]) => `${name} is deleted.`,
});

export const userRoutes = buildRouteMap({
  routes: {
    list: userList,
    create: userCreate,
    grant: userGrant,
    revoke: userRevoke,
    password: userPassword,
    disable: userDisable,
    enable: userEnable,
    sessions: userSessions,
    signOut: userSignOut,
    link: userLink,
    links: userLinks,
    unlink: userUnlink,
    resetTotp: userResetTotp,
  },
  docs: { brief: "Accounts" },
});
export const roleRoutes = buildRouteMap({
  routes: { list: roleList, save: roleSave, delete: roleDelete },
  docs: { brief: "Roles" },
});
