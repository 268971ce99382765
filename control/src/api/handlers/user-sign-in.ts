import { removeFactors } from "../../account/second-factor.ts";
import { newSecret } from "../../account/secret.ts";
import type { House } from "../../house.ts";
import { listRoleGrants } from "../../store/access-roles.ts";
import type { Queryable } from "../../store/database.ts";
import { newId } from "../../store/new-id.ts";
import type { UserRow } from "../../store/tables.ts";
import { insertToken, listSignedIn, revokeOtherTokens, revokeToken } from "../../store/tokens.ts";
import {
  effectiveGrants,
  enableUser,
  EVERYTHING,
  getUserByName,
  insertUser,
  listGrants,
  setGrants,
} from "../../store/users.ts";
import { assertAdministers, assertOfAnother } from "../administers.ts";
import { secretSha256 } from "../credential.ts";
import { giveRoles } from "../give-roles.ts";
import { DONE, type Handlers } from "../handler.ts";
import { tokenId } from "../ids.ts";
import { inTransaction } from "../in-transaction.ts";
import { notFound, refuse } from "../refused.ts";
import { refuseSoAlready } from "../so-already.ts";
import { signedInView, tokenView, userView } from "../view/user-view.ts";

type UserSignInRoutes =
  | "enableUser"
  | "resetUserTotp"
  | "listUserSessions"
  | "revokeUserSession"
  | "createService"
  | "createServiceToken";

const DAY_S = 86_400;

/** What an administrator does about how others sign in. */
export function userSignInHandlers(house: House): Pick<Handlers, UserSignInRoutes> {
  const find = async (database: Queryable, name: string): Promise<UserRow> =>
    (await getUserByName(database, name)) ?? notFound(`account ${name}`);
  return {
    async enableUser({ caller, params }) {
      assertAdministers(caller);
      await inTransaction(house, async (tx) => {
        const user = await find(tx, params.name);
        await enableUser(tx, user.id, caller.actor).catch((error: unknown) =>
          refuseSoAlready(error, `${user.name} is open already.`),
        );
      });
      return DONE;
    },

    async resetUserTotp({ caller, params }) {
      assertAdministers(caller);
      await inTransaction(house, async (tx) => {
        const user = await find(tx, params.name);
        assertOfAnother(caller, user);
        await removeFactors(tx, user.id, caller.actor);
        await revokeOtherTokens(tx, user.id, null, caller.actor);
      });
      return DONE;
    },

    async listUserSessions({ caller, params }) {
      assertAdministers(caller);
      const user = await find(house.database, params.name);
      const rows = await listSignedIn(house.database, user.id);
      return { value: { items: rows.map((row) => signedInView(row, caller.tokenId)) } };
    },

    async revokeUserSession({ caller, params }) {
      assertAdministers(caller);
      await inTransaction(house, async (tx) => {
        const user = await find(tx, params.name);
        await revokeToken(tx, tokenId(params.id), user.id, caller.actor);
      });
      return DONE;
    },

    async createService({ caller, body }) {
      assertAdministers(caller);
      const value = await inTransaction(house, async (tx) => {
        if ((await getUserByName(tx, body.name)) !== undefined)
          refuse("account.exists", `There is an account ${body.name} already.`);
        const service = {
          id: newId(),
          name: body.name,
          passwordHash: null,
          mustChange: false,
          kind: "service",
        } as const;
        const user = await insertUser(tx, { ...service, id: service.id as UserRow["id"] }, caller.actor);
        const grants = [...new Set(body.permissions)].map((permission) => ({
          permission,
          scope: EVERYTHING,
          domains: null,
        }));
        await setGrants(tx, user.id, grants, caller.actor);
        await giveRoles(tx, user.id, body.roles, caller);
        return userView(user, { grants: await listGrants(tx, user.id), roles: await listRoleGrants(tx, user.id) }, 0);
      });
      return { value };
    },

    /** Never for a person: a token of somebody else's account would let an administrator act in their name. */
    async createServiceToken({ caller, params, body }) {
      assertAdministers(caller);
      const secret = newSecret();
      const row = await inTransaction(house, async (tx) => {
        const user = await find(tx, params.name);
        if (user.kind !== "service") refuse("account.wrong_kind", `${user.name} makes their own tokens.`);
        if (user.disabled_at !== null) refuse("account.wrong_kind", `${user.name} is closed.`);
        const held = new Set((await effectiveGrants(tx, user.id)).map((grant) => grant.permission));
        const more = body.permissions.filter((permission) => !held.has(permission));
        if (more.length > 0) refuse("account.more_than_own", `${user.name} does not have ${more.join(", ")}.`);
        const { name, permissions, scope, domains } = body;
        return insertToken(
          tx,
          {
            id: newId(),
            userId: user.id,
            kind: "api",
            name,
            secretSha256: secretSha256(secret),
            permissions,
            scope,
            domains,
            seconds: body.days * DAY_S,
          },
          caller.actor,
        );
      });
      return { value: { ...tokenView(row), secret } };
    },
  };
}
