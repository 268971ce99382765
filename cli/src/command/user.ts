import { type Permission, PERMISSIONS, roleSchema, userSchema } from "@holdfast/core/api/account.ts";
import { type DomainName, DOMAINS } from "@holdfast/core/domain.ts";
import { buildCommand, buildRouteMap } from "@stricli/core";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import { type Client, openClient } from "../client.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { domainsOf, placeText, readScope } from "../place.ts";
import { act, verb } from "../verb.ts";
import { plain } from "../view/style.ts";
import { table } from "../view/table.ts";
import { userEnable, userResetTotp, userSessions, userSignOut } from "./user-sign-in.ts";

type User = z.infer<typeof userSchema>;

const userList = verb({
  brief: "Accounts and what they may do",
  example: "user list",
  run: async (client) => {
    const { items: value } = await client.call("listUsers", { answer: z.object({ items: z.array(userSchema) }) });
    return {
      value,
      text: () =>
        table(
          ["user", "kind", "may", "state"],
          value.map((user) => [
            user.name,
            user.kind,
            [
              ...user.roles.map((grant) => `role ${grant.role} ${placeText(grant)}`),
              ...user.permissions.map((grant) => `${grant.permission} ${placeText(grant)}`),
            ].join("; "),
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

interface UserFlags {
  readonly may: readonly Permission[];
}

const userCreate = buildCommand<UserFlags, [string], Context>({
  docs: {
    brief: "Make an account; prints a one-time password",
    fullDescription: "Permissions never imply one another.\n\nExample: holdfast user create kim --may view --may edit",
  },
  parameters: {
    flags: {
      may: {
        kind: "enum",
        values: PERMISSIONS,
        brief: "A permission (repeat it for more)",
        variadic: true,
        default: [],
      },
    },
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

const userPassword = verb({
  brief: "Give an account a new one-time password; what it is signed in with ends",
  example: "user password kim",
  operands: ["user"],
  run: async (client, [name = ""]) => {
    const value = await client.call("resetUserPassword", {
      params: { name },
      body: {},
      answer: z.object({ name: z.string(), password: z.string() }),
    });
    return {
      value,
      text: () => `${value.name} / ${value.password}\nOne-time: it must be changed at the first sign-in.\n`,
    };
  },
});

interface GrantFlags {
  readonly role: readonly string[];
  readonly may: readonly Permission[];
  readonly on: readonly string[];
  readonly domain: readonly DomainName[];
}

const WHERE = {
  role: { kind: "parsed", parse: String, brief: "A role (repeat it for more)", variadic: true, default: [] },
  may: { kind: "enum", values: PERMISSIONS, brief: "A permission (repeat it for more)", variadic: true, default: [] },
  on: {
    kind: "parsed",
    parse: String,
    brief: "Only on servers with this label, key=value (repeat it: all must match)",
    variadic: true,
    default: [],
  },
  domain: {
    kind: "enum",
    values: DOMAINS,
    brief: "Only this domain (repeat it for more)",
    variadic: true,
    default: [],
  },
} as const;

/** What was there stays: a grant in the same place is replaced, every other one is kept. */
const userGrant = buildCommand<GrantFlags, [string], Context>({
  docs: {
    brief: "Give an account a role or a permission, everywhere or on some servers and domains",
    fullDescription:
      "What the account holds already stays. Nobody widens their own permissions.\n\n" +
      "Example: holdfast user grant kim --role operator --on role=web --domain firewall",
  },
  parameters: {
    flags: WHERE,
    positional: { kind: "tuple", parameters: [{ brief: "Name of the account", parse: String, placeholder: "user" }] },
  },
  async func(flags, name) {
    const place = { scope: readScope(flags.on), domains: domainsOf(flags.domain) };
    const isElsewhere = (grant: { readonly scope: object }): boolean =>
      JSON.stringify(sorted(grant.scope)) !== JSON.stringify(sorted(place.scope));
    const client = openClient(this);
    const user = await setGrants(client, name, (now) => ({
      permissions: [
        ...now.permissions.filter((grant) => !flags.may.includes(grant.permission) || isElsewhere(grant)),
        ...flags.may.map((permission) => ({ permission, ...place })),
      ],
      roles: [
        ...now.roles.filter((grant) => !flags.role.includes(grant.role) || isElsewhere(grant)),
        ...flags.role.map((role) => ({ role, ...place })),
      ],
    }));
    this.process.stdout.write(heldText(user));
  },
});

const userRevoke = buildCommand<Pick<GrantFlags, "role" | "may">, [string], Context>({
  docs: {
    brief: "Take a role or a permission from an account, wherever it holds",
    fullDescription: "It is gone with the next request.\n\nExample: holdfast user revoke kim --may apply",
  },
  parameters: {
    flags: { role: WHERE.role, may: WHERE.may },
    positional: { kind: "tuple", parameters: [{ brief: "Name of the account", parse: String, placeholder: "user" }] },
  },
  async func(flags, name) {
    const user = await setGrants(openClient(this), name, (now) => ({
      permissions: now.permissions.filter((grant) => !flags.may.includes(grant.permission)),
      roles: now.roles.filter((grant) => !flags.role.includes(grant.role)),
    }));
    this.process.stdout.write(heldText(user));
  },
});

async function setGrants(
  client: Client,
  name: string,
  after: (now: User) => { readonly permissions: readonly unknown[]; readonly roles: readonly unknown[] },
): Promise<User> {
  const { items } = await client.call("listUsers", {
    query: { limit: 200 },
    answer: z.object({ items: z.array(userSchema) }),
  });
  const now = items.find((user) => user.name === name);
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

function heldText(user: User): string {
  return table(
    ["held", "where"],
    [
      ...user.roles.map((grant) => [`role ${grant.role}`, placeText(grant)]),
      ...user.permissions.map((grant) => [grant.permission, placeText(grant)]),
    ],
    `${user.name} may do nothing.`,
  );
}

function sorted(scope: object): readonly unknown[] {
  return Object.entries(scope).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const roleList = verb({
  brief: "Roles: sets of permissions under a name, and who holds them",
  example: "role list",
  run: async (client) => {
    const { items: value } = await client.call("listRoles", { answer: z.object({ items: z.array(roleSchema) }) });
    return {
      value,
      text: () =>
        table(
          ["role", "may", "held by", "what it is"],
          value.map((role) => [role.name, role.permissions.join(" "), role.heldBy.join(" "), plain(role.description)]),
          "No roles.",
        ),
    };
  },
});

interface RoleFlags {
  readonly may: readonly Permission[];
  readonly about: string;
}

const roleSave = buildCommand<RoleFlags, [string], Context>({
  docs: {
    brief: "Make a role, or change what it holds for everybody who has it",
    fullDescription:
      "A role is exactly the permissions that are named; none implies another.\n\n" +
      'Example: holdfast role save night-shift --may view --may apply --about "Applies what is approved"',
  },
  parameters: {
    flags: {
      may: {
        kind: "enum",
        values: PERMISSIONS,
        brief: "A permission (repeat it for more)",
        variadic: true,
        default: [],
      },
      about: { kind: "parsed", parse: String, brief: "What it is", default: "" },
    },
    positional: { kind: "tuple", parameters: [{ brief: "Name of the role", parse: String, placeholder: "role" }] },
  },
  async func(flags, name) {
    const client = openClient(this);
    const { items } = await client.call("listRoles", { answer: z.object({ items: z.array(roleSchema) }) });
    const before = items.find((role) => role.name === name);
    const saved = await client.call("saveRole", {
      params: { name },
      body: { description: flags.about === "" ? (before?.description ?? "") : flags.about, permissions: flags.may },
      ifMatch: before?.etag ?? "new",
      answer: roleSchema,
    });
    this.process.stdout.write(`${saved.name}: ${saved.permissions.join(" ")}\n`);
  },
});

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
    resetTotp: userResetTotp,
  },
  docs: { brief: "Accounts" },
});
export const roleRoutes = buildRouteMap({
  routes: { list: roleList, save: roleSave, delete: roleDelete },
  docs: { brief: "Roles" },
});
