import { bothDomains, bothScopes } from "@holdfast/core/access/narrow.ts";
import type { TokenId } from "@holdfast/core/base/id.ts";
import { newSecret } from "../../account/secret.ts";
import { checkOwnPassword, signIn } from "../../account/sign-in.ts";
import type { House } from "../../house.ts";
import { newId } from "../../store/new-id.ts";
import { insertToken, listTokens, revokeOtherTokens, revokeToken } from "../../store/tokens.ts";
import { setPassword } from "../../store/users.ts";
import type { Caller } from "../caller.ts";
import { permissionsOf } from "../caller.ts";
import { secretSha256 } from "../credential.ts";
import { cursorOf, keyOf, pageAfter, pageOf } from "../cursor.ts";
import { DONE, type Handlers } from "../handler.ts";
import { hashed } from "../hashed-password.ts";
import { tokenId } from "../ids.ts";
import { inTransaction } from "../in-transaction.ts";
import { refuse } from "../refused.ts";
import { signedInAnswer } from "../signed-in.ts";
import { tokenView } from "../view/user-view.ts";

type AccountRoutes = "login" | "logout" | "me" | "changePassword" | "listTokens" | "createToken" | "revokeToken";

const DAY_S = 86_400;

export function accountHandlers(house: House): Pick<Handlers, AccountRoutes> {
  const { database } = house;
  return {
    async login({ body, source, fromBrowser }) {
      const session = await signIn(body.user, body.password, body.code ?? null, source, house);
      return signedInAnswer(house, session, fromBrowser);
    },

    async logout({ caller }) {
      if (caller.via !== "token")
        await inTransaction(house, (tx) => revokeToken(tx, caller.tokenId, caller.userId, caller.actor));
      return { ...DONE, session: null };
    },

    async me({ caller }) {
      return {
        value: {
          user: caller.userName,
          permissions: [...permissionsOf(caller)],
          mustChangePassword: caller.mustChangePassword,
          secondFactor: caller.secondFactor,
          passkeys: caller.passkeys,
          csrfToken: caller.csrfToken,
        },
      };
    },

    async changePassword({ caller, body, source }) {
      await checkOwnPassword(caller.userId, body.current, source, house);
      if (body.current === body.next) refuse("account.same_password", "The new password is the old one.");
      const hash = await hashed(house, body.next);
      await inTransaction(house, async (tx) => {
        await setPassword(tx, caller.userId, hash, false, caller.actor);
        await revokeOtherTokens(tx, caller.userId, caller.tokenId, caller.actor);
      });
      return DONE;
    },

    async listTokens({ caller, query }) {
      const rows = (await listTokens(database, caller.userId)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const page = pageAfter(rows, keyOf(query.cursor, isText), query.limit, (row) => row.id);
      return {
        value: pageOf(page, query.limit, (row) => row.id, tokenView),
      };
    },

    async createToken({ caller, body }) {
      const more = body.permissions.filter((permission) => !permissionsOf(caller).includes(permission));
      if (more.length > 0) refuse("account.more_than_own", `You do not have ${more.join(", ")} yourself.`);
      const reach = within(caller.reach, body);
      const secret = newSecret();
      const seconds = lifetime(body.days * DAY_S, caller, house.nowMs());
      const id: TokenId = newId();
      const row = await inTransaction(house, (tx) =>
        insertToken(
          tx,
          {
            id,
            userId: caller.userId,
            kind: "api",
            name: body.name,
            secretSha256: secretSha256(secret),
            permissions: body.permissions,
            ...reach,
            seconds,
            openedWith: caller.openedWith,
          },
          caller.actor,
        ),
      );
      return {
        value: { ...tokenView(row), secret },
      };
    },

    async revokeToken({ caller, params }) {
      await inTransaction(house, (tx) => revokeToken(tx, tokenId(params.id), caller.userId, caller.actor));
      return DONE;
    },
  };
}

/** A token made by a token does not outlive it: else one that was read once could live for ever. */
function lifetime(seconds: number, caller: Caller, nowMs: number): number {
  if (caller.via !== "token" || caller.expiresAt === null) return seconds;
  return Math.max(1, Math.min(seconds, Math.floor((caller.expiresAt.getTime() - nowMs) / 1000)));
}

/** What a token makes reaches no further than itself, or a narrow one that was read once would be worth as much as its account. */
function within(own: Caller["reach"], asked: Caller["reach"]): Caller["reach"] {
  const scope = bothScopes(own.scope, asked.scope);
  const domains = bothDomains(own.domains, asked.domains);
  if (scope === null || domains?.length === 0)
    refuse("account.more_than_own", "The token that asks reaches none of these servers, or none of these domains.");
  return { scope, domains };
}

function isText(key: string): boolean {
  return key !== "" && cursorOf(key) !== "";
}
