import { isWider } from "@holdfast/core/access/narrow.ts";
import { roleNameSchema } from "@holdfast/core/api/account.ts";
import type { UserId } from "@holdfast/core/base/id.ts";
import { newOneTimePassword } from "../../account/secret.ts";
import { othersMayAdminister } from "../../account/store/administrators.ts";
import { countPasskeys, listPasskeys } from "../../account/store/passkeys.ts";
import type { House } from "../../house.ts";
import {
  deleteRole,
  getRole,
  listAllRoleGrants,
  listRoleGrants,
  listRoles,
  saveRole,
} from "../../store/access-roles.ts";
import { newId } from "../../store/new-id.ts";
import { StoreFailure } from "../../store/store-failure.ts";
import type { UserRow } from "../../store/tables.ts";
import { revokeOtherTokens } from "../../store/tokens.ts";
import type { Transaction } from "../../store/transaction.ts";
import {
  disableUser,
  effectiveGrants,
  EVERYTHING,
  getUserByName,
  insertUser,
  listAllGrants,
  listGrants,
  listUsers,
  setGrants,
  setPassword,
} from "../../store/users.ts";
import { assertAdministers, assertOfAnother } from "../administers.ts";
import type { Caller } from "../caller.ts";
import { keyOf, pageAfter, pageOf } from "../cursor.ts";
import { giveRoles } from "../give-roles.ts";
import { DONE, type Handlers } from "../handler.ts";
import { hashed } from "../hashed-password.ts";
import { inTransaction } from "../in-transaction.ts";
import { notFound, refuse } from "../refused.ts";
import { refuseSoAlready } from "../so-already.ts";
import { givenEtag, roleView, userView } from "../view/user-view.ts";

type UserRoutes =
  | "listUsers"
  | "createUser"
  | "setUserPermissions"
  | "resetUserPassword"
  | "disableUser"
  | "listRoles"
  | "saveRole"
  | "deleteRole";

/** What If-Match says of a role that is not there yet. */
const NEW = "new";

export function userHandlers(house: House): Pick<Handlers, UserRoutes> {
  const { database } = house;
  const find = async (tx: Transaction, name: string): Promise<UserRow> =>
    (await getUserByName(tx, name)) ?? notFound(`account ${name}`);
  return {
    async listUsers({ caller, query }) {
      assertAdministers(caller);
      const [users, grants, roles, passkeys] = await Promise.all([
        listUsers(database),
        listAllGrants(database),
        listAllRoleGrants(database),
        countPasskeys(database),
      ]);
      const page = pageAfter(
        users,
        keyOf(query.cursor, (key) => key !== ""),
        query.limit,
        (row) => row.name,
      );
      return {
        value: pageOf(
          page,
          query.limit,
          (row) => row.name,
          (row) =>
            userView(
              row,
              {
                grants: grants.filter((grant) => grant.user_id === row.id),
                roles: roles.filter((grant) => grant.user_id === row.id),
              },
              passkeys.get(row.id) ?? 0,
            ),
        ),
      };
    },

    async createUser({ caller, body }) {
      assertAdministers(caller);
      const password = newOneTimePassword();
      const passwordHash = await hashed(house, password);
      await inTransaction(house, async (tx) => {
        if ((await getUserByName(tx, body.name)) !== undefined)
          refuse("account.exists", `There is an account ${body.name} already.`);
        const id: UserId = newId();
        await insertUser(tx, { id, name: body.name, passwordHash, mustChange: true }, caller.actor);
        await setGrants(
          tx,
          id,
          [...new Set(body.permissions)].map((permission) => ({ permission, scope: EVERYTHING, domains: null })),
          caller.actor,
        );
        await giveRoles(tx, id, body.roles, caller);
      });
      return { value: { name: body.name, password } };
    },

    async setUserPermissions({ caller, params, body, ifMatch }) {
      assertAdministers(caller);
      const view = await inTransaction(house, async (tx) => {
        const user = await find(tx, params.name);
        const before = { grants: await listGrants(tx, user.id), roles: await listRoleGrants(tx, user.id) };
        if (givenEtag(before) !== ifMatch)
          refuse("etag.moved", "The permissions have been changed since you read them.");
        await neverWiderFor(tx, caller, async () => {
          await setGrants(tx, user.id, body.permissions, caller.actor);
          if (body.roles !== undefined) await giveRoles(tx, user.id, body.roles, caller);
        });
        await assertAdministrators(tx);
        const given = { grants: await listGrants(tx, user.id), roles: await listRoleGrants(tx, user.id) };
        return userView(user, given, (await listPasskeys(tx, user.id)).length);
      });
      return { value: view, etag: view.etag };
    },

    async resetUserPassword({ caller, params }) {
      assertAdministers(caller);
      const password = newOneTimePassword();
      const passwordHash = await hashed(house, password);
      await inTransaction(house, async (tx) => {
        const user = await find(tx, params.name);
        if (user.kind === "service") refuse("account.wrong_kind", `${user.name} is a service and has no password.`);
        assertOfAnother(caller, user);
        await setPassword(tx, user.id, passwordHash, true, caller.actor);
        await revokeOtherTokens(tx, user.id, null, caller.actor);
      });
      return { value: { name: params.name, password } };
    },

    async disableUser({ caller, params }) {
      assertAdministers(caller);
      await inTransaction(house, async (tx) => {
        const user = await find(tx, params.name);
        await disableUser(tx, user.id, caller.actor).catch((error: unknown) =>
          refuseSoAlready(error, `${user.name} is closed already.`),
        );
        await assertAdministrators(tx);
      });
      return DONE;
    },

    async listRoles({ caller }) {
      assertAdministers(caller);
      const [roles, grants, users] = await Promise.all([
        listRoles(database),
        listAllRoleGrants(database),
        listUsers(database),
      ]);
      const holders = (role: string): string[] =>
        users
          .filter((user) => grants.some((grant) => grant.user_id === user.id && grant.role === role))
          .map((user) => user.name);
      return { value: { items: roles.map((row) => roleView(row, holders(row.name))) } };
    },

    async saveRole({ caller, params, body, ifMatch }) {
      assertAdministers(caller);
      const named = roleNameSchema.safeParse(params.name);
      if (!named.success) refuse("request.invalid", named.error.issues[0]?.message ?? "This is no name for a role.");
      const version = ifMatch === NEW ? null : Number(ifMatch);
      const view = await inTransaction(house, async (tx) => {
        const row = await neverWiderFor(tx, caller, () =>
          saveRole(tx, { name: named.data, ...body }, version, caller.actor).catch((error: unknown) => {
            if (error instanceof StoreFailure && error.code === "store.lost_race")
              refuse("etag.moved", "The role has been changed since you read it; a new one has If-Match: new.");
            throw error;
          }),
        );
        await assertAdministrators(tx);
        const grants = (await listAllRoleGrants(tx)).filter((grant) => grant.role === row.name);
        const users = (await listUsers(tx)).filter((user) => grants.some((grant) => grant.user_id === user.id));
        return roleView(
          row,
          users.map((user) => user.name),
        );
      });
      return { value: view, etag: view.etag };
    },

    async deleteRole({ caller, params }) {
      assertAdministers(caller);
      await inTransaction(house, async (tx) => {
        if ((await getRole(tx, params.name)) === undefined) notFound(`role ${params.name}`);
        await deleteRole(tx, params.name, caller.actor).catch((error: unknown) => {
          if (error instanceof StoreFailure && error.code === "store.wrong_state")
            refuse("account.role_in_use", `${params.name} is held by somebody.`);
          throw error;
        });
      });
      return DONE;
    },
  };
}

/**
 * An administrator who could give themself apply would have it: what no permission implies, none may lead to either. It takes a second
 * administrator, whose name then stands in the log.
 */
async function neverWiderFor<T>(tx: Transaction, caller: Caller, change: () => Promise<T>): Promise<T> {
  const before = await effectiveGrants(tx, caller.userId);
  const done = await change();
  if (isWider(before, await effectiveGrants(tx, caller.userId)))
    refuse("account.own_permissions", "This would give you more than you hold.");
  return done;
}

/** Somebody must be left who can give permissions: checked after the change, in its transaction. */
async function assertAdministrators(tx: Transaction): Promise<void> {
  if (!(await othersMayAdminister(tx)))
    refuse("account.last_admin", "After this nobody could administer accounts any more.");
}
