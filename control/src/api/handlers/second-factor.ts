import { confirmTotp, offerTotp, removeTotp } from "../../account/second-factor.ts";
import { checkOwnPassword } from "../../account/sign-in.ts";
import type { House } from "../../house.ts";
import type { UserRow } from "../../store/tables.ts";
import { listSignedIn, revokeToken } from "../../store/tokens.ts";
import type { Transaction } from "../../store/transaction.ts";
import { lockUser } from "../../store/users.ts";
import type { Caller } from "../caller.ts";
import { DONE, type Handlers } from "../handler.ts";
import { tokenId } from "../ids.ts";
import { inTransaction } from "../in-transaction.ts";
import { notFound, refuse } from "../refused.ts";
import { signedInView } from "../view/user-view.ts";

type SecondFactorRoutes = "offerTotp" | "confirmTotp" | "removeTotp" | "listSessions" | "revokeSession";

export function secondFactorHandlers(house: House): Pick<Handlers, SecondFactorRoutes> {
  const own = async (tx: Transaction, caller: Caller): Promise<UserRow> =>
    (await lockUser(tx, caller.userId)) ?? notFound("account");
  return {
    async offerTotp({ caller, body, source }) {
      await checkOwnPassword(caller.userId, body.password, source, house);
      const value = await inTransaction(house, async (tx) => {
        const user = await own(tx, caller);
        if (user.totp_since !== null) refuse("account.totp_not_now", "There is a second factor already.");
        return offerTotp(tx, user, house.seal, caller.actor);
      });
      return { value };
    },

    async confirmTotp({ caller, body }) {
      const codes = await inTransaction(house, async (tx) => {
        const user = await own(tx, caller);
        if (user.totp_sealed === null || user.totp_since !== null)
          refuse("account.totp_not_now", "No second factor has been begun.");
        return confirmTotp(tx, user, body.code, house.seal, house.nowMs(), caller.actor);
      });
      if (codes === null) refuse("account.wrong_code", "This is not a code of the secret that was shown.");
      return { value: { codes: [...codes] } };
    },

    async removeTotp({ caller, body, source }) {
      await checkOwnPassword(caller.userId, body.password, source, house);
      await inTransaction(house, (tx) => removeTotp(tx, caller.userId, caller.actor));
      return DONE;
    },

    async listSessions({ caller }) {
      const rows = await listSignedIn(house.database, caller.userId);
      return { value: { items: rows.map((row) => signedInView(row, caller.tokenId)) } };
    },

    async revokeSession({ caller, params }) {
      await inTransaction(house, (tx) => revokeToken(tx, tokenId(params.id), caller.userId, caller.actor));
      return DONE;
    },
  };
}
