import { createHash } from "node:crypto";
import type { userSchema } from "@holdfast/core/api/account.ts";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import type { TokenId, UserId } from "@holdfast/core/base/id.ts";
import type { z } from "zod";
import { newOneTimePassword, newSecret } from "../../account/secret.ts";
import { checkOwnPassword, signIn } from "../../account/sign-in.ts";
import { othersMayAdminister } from "../../account/store/administrators.ts";
import type { House } from "../../house.ts";
import { newId } from "../../store/new-id.ts";
import type { GrantRow, UserRow } from "../../store/tables.ts";
import { insertToken, listTokens, revokeOtherTokens, revokeToken } from "../../store/tokens.ts";
import { type Transaction, transaction } from "../../store/transaction.ts";
import {
  disableUser,
  EVERYTHING,
  getUserByName,
  insertUser,
  listAllGrants,
  listGrants,
  listUsers,
  setGrants,
  setPassword,
} from "../../store/users.ts";
import type { Caller } from "../caller.ts";
import { permissionsOf } from "../caller.ts";
import { csrfTokenOf, secretSha256 } from "../credential.ts";
import { cursorOf, keyOf, pageAfter, pageOf } from "../cursor.ts";
import { DONE, type Handlers } from "../handler.ts";
import { tokenId } from "../ids.ts";
import { notFound, refuse } from "../refused.ts";
import { iso } from "../view/apply-view.ts";

type AccountRoutes =
  | "login"
  | "logout"
  | "me"
  | "changePassword"
  | "listTokens"
  | "createToken"
  | "revokeToken"
  | "listUsers"
  | "createUser"
  | "setUserPermissions"
  | "resetUserPassword"
  | "disableUser";

const DAY_S = 86_400;

export function accountHandlers(house: House): Pick<Handlers, AccountRoutes> {
  const { database } = house;
  const run = async <T>(body: (tx: Transaction) => Promise<T>): Promise<T> => {
    const done = await transaction(database, body);
    if (!done.ok) throw done.error;
    return done.value;
  };
  return {
    async login({ body, source, fromBrowser }) {
      const session = await signIn(body.user, body.password, source, house);
      const grants = await listGrants(database, session.userId);
      const me = {
        user: session.userName,
        permissions: permissionsIn(grants),
        mustChangePassword: session.mustChangePassword,
      };
      // A browser keeps the session where no script of a page can read it; only a program is handed the secret itself.
      if (!fromBrowser) return { value: { ...me, csrfToken: null, sessionToken: session.secret } };
      return {
        value: { ...me, csrfToken: csrfTokenOf(session.secret), sessionToken: null },
        session: { secret: session.secret, seconds: session.seconds },
      };
    },

    async logout({ caller }) {
      if (caller.via !== "token") await run((tx) => revokeToken(tx, caller.tokenId, caller.userId, caller.actor));
      return { ...DONE, session: null };
    },

    async me({ caller }) {
      return {
        value: {
          user: caller.userName,
          permissions: [...permissionsOf(caller)],
          mustChangePassword: caller.mustChangePassword,
          csrfToken: caller.csrfToken,
        },
      };
    },

    async changePassword({ caller, body, source }) {
      await checkOwnPassword(caller.userId, body.current, source, house);
      if (body.current === body.next) refuse("account.same_password", "The new password is the old one.");
      const hash = await hashed(house, body.next);
      await run(async (tx) => {
        await setPassword(tx, caller.userId, hash, false, caller.actor);
        await revokeOtherTokens(tx, caller.userId, caller.tokenId, caller.actor);
      });
      return DONE;
    },

    async listTokens({ caller, query }) {
      const rows = (await listTokens(database, caller.userId)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const page = pageAfter(rows, keyOf(query.cursor, isText), query.limit, (row) => row.id);
      return {
        value: pageOf(
          page,
          query.limit,
          (row) => row.id,
          (row) => ({
            id: row.id,
            name: row.name,
            permissions: [...row.permissions],
            createdAt: row.created_at.toISOString(),
            expiresAt: iso(row.expires_at),
            lastUsedAt: iso(row.last_used_at),
          }),
        ),
      };
    },

    async createToken({ caller, body }) {
      const more = body.permissions.filter((permission) => !permissionsOf(caller).includes(permission));
      if (more.length > 0) refuse("account.more_than_own", `You do not have ${more.join(", ")} yourself.`);
      const secret = newSecret();
      const seconds = lifetime(body.days * DAY_S, caller, house.nowMs());
      const id: TokenId = newId();
      const row = await run((tx) =>
        insertToken(
          tx,
          {
            id,
            userId: caller.userId,
            kind: "api",
            name: body.name,
            secretSha256: secretSha256(secret),
            permissions: body.permissions,
            seconds,
          },
          caller.actor,
        ),
      );
      return {
        value: {
          id,
          name: row.name,
          permissions: [...row.permissions],
          createdAt: row.created_at.toISOString(),
          expiresAt: iso(row.expires_at),
          lastUsedAt: null,
          secret,
        },
      };
    },

    async revokeToken({ caller, params }) {
      await run((tx) => revokeToken(tx, tokenId(params.id), caller.userId, caller.actor));
      return DONE;
    },

    async listUsers({ query }) {
      const [users, grants] = await Promise.all([listUsers(database), listAllGrants(database)]);
      const page = pageAfter(users, keyOf(query.cursor, isText), query.limit, (row) => row.name);
      return {
        value: pageOf(
          page,
          query.limit,
          (row) => row.name,
          (row) =>
            userView(
              row,
              grants.filter((grant) => grant.user_id === row.id),
            ),
        ),
      };
    },

    async createUser({ caller, body }) {
      const password = newOneTimePassword();
      const passwordHash = await hashed(house, password);
      await run(async (tx) => {
        if ((await getUserByName(tx, body.name)) !== undefined)
          refuse("account.exists", `There is an account ${body.name} already.`);
        const id: UserId = newId();
        await insertUser(tx, { id, name: body.name, passwordHash, mustChange: true }, caller.actor);
        await setGrants(
          tx,
          id,
          body.permissions.map((permission) => ({ permission, scope: EVERYTHING, domains: null })),
          caller.actor,
        );
      });
      return { value: { name: body.name, password } };
    },

    async setUserPermissions({ caller, params, body, ifMatch }) {
      const view = await run(async (tx) => {
        const user = (await getUserByName(tx, params.name)) ?? notFound(`account ${params.name}`);
        const before = await listGrants(tx, user.id);
        if (grantsEtag(before) !== ifMatch)
          refuse("etag.moved", "The permissions have been changed since you read them.");
        await setGrants(tx, user.id, body.permissions, caller.actor);
        await assertAdministrators(tx);
        return userView(user, await listGrants(tx, user.id));
      });
      return { value: view, etag: view.etag };
    },

    async resetUserPassword({ caller, params }) {
      const password = newOneTimePassword();
      const passwordHash = await hashed(house, password);
      await run(async (tx) => {
        const user = (await getUserByName(tx, params.name)) ?? notFound(`account ${params.name}`);
        await setPassword(tx, user.id, passwordHash, true, caller.actor);
        await revokeOtherTokens(tx, user.id, null, caller.actor);
      });
      return { value: { name: params.name, password } };
    },

    async disableUser({ caller, params }) {
      await run(async (tx) => {
        const user = (await getUserByName(tx, params.name)) ?? notFound(`account ${params.name}`);
        await disableUser(tx, user.id, caller.actor);
        await assertAdministrators(tx);
      });
      return DONE;
    },
  };
}

/** Somebody must be left who can give permissions: checked after the change, in its transaction. */
async function assertAdministrators(tx: Transaction): Promise<void> {
  if (!(await othersMayAdminister(tx)))
    refuse("account.last_admin", "After this nobody could administer accounts any more.");
}

async function hashed(house: House, password: string): Promise<string> {
  return (
    (await house.passwords.hash(password)) ??
    refuse("account.busy", "Many people are signing in at this moment.", { retryAfterSeconds: 3 })
  );
}

/** A token made by a token does not outlive it: else one that was read once could live for ever. */
function lifetime(seconds: number, caller: Caller, nowMs: number): number {
  if (caller.via !== "token" || caller.expiresAt === null) return seconds;
  return Math.max(1, Math.min(seconds, Math.floor((caller.expiresAt.getTime() - nowMs) / 1000)));
}

function permissionsIn(grants: readonly GrantRow[]) {
  return [...new Set(grants.map((grant) => grant.permission))];
}

function userView(user: UserRow, grants: readonly GrantRow[]): z.input<typeof userSchema> {
  return {
    name: user.name,
    disabled: user.disabled_at !== null,
    mustChangePassword: user.must_change,
    permissions: grants.map(({ permission, scope, domains }) => ({
      permission,
      scope: scopeOf(scope),
      domains: domainsOf(domains),
    })),
    etag: grantsEtag(grants),
  };
}

type GrantView = z.input<typeof userSchema>["permissions"][number];

/** What the database holds was checked by the same schema when it was written; the answer's schema checks it again. */
function scopeOf(scope: GrantRow["scope"]): GrantView["scope"] {
  return scope as GrantView["scope"];
}

function domainsOf(domains: GrantRow["domains"]): NonNullable<GrantView["domains"]> | null {
  return domains === null ? null : ([...domains] as NonNullable<GrantView["domains"]>);
}

function grantsEtag(grants: readonly GrantRow[]): string {
  const text = canonicalJson(grants.map(({ permission, scope, domains }) => ({ permission, scope, domains })));
  return createHash("sha256").update(text, "utf8").digest("hex").slice(0, 16);
}

function isText(key: string): boolean {
  return key !== "" && cursorOf(key) !== "";
}
