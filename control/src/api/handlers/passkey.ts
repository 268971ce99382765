import { signInWithPasskey } from "../../account/passkey-sign-in.ts";
import {
  beginAssertion,
  beginRegistration,
  challengeHolder,
  party,
  registeredPasskey,
} from "../../account/passkeys.ts";
import { newRecoveryCodes } from "../../account/second-factor.ts";
import { newSecret } from "../../account/secret.ts";
import { checkOwnPassword } from "../../account/sign-in.ts";
import { assertSession, stepUp } from "../../account/step-up.ts";
import {
  deletePasskey,
  insertPasskey,
  listPasskeys,
  lockFactors,
  renamePasskey,
} from "../../account/store/passkeys.ts";
import { dropUselessRecoveryCodes } from "../../account/store/second-factor.ts";
import type { House } from "../../house.ts";
import { someFloorAsks } from "../../planning/step-up.ts";
import { loadWorld } from "../../planning/world.ts";
import { newId } from "../../store/new-id.ts";
import type { PasskeyRow, UserRow } from "../../store/tables.ts";
import { revokeOtherSessions } from "../../store/tokens.ts";
import type { Transaction } from "../../store/transaction.ts";
import { getUser } from "../../store/users.ts";
import { type Caller, permissionsOf } from "../caller.ts";
import { DONE, type Handlers } from "../handler.ts";
import { passkeyId } from "../ids.ts";
import { inTransaction } from "../in-transaction.ts";
import { notFound, refuse } from "../refused.ts";
import { signedInAnswer } from "../signed-in.ts";
import { passkeyView } from "../view/user-view.ts";

type PasskeyRoutes =
  | "beginPasskeySignIn"
  | "signInWithPasskey"
  | "listPasskeys"
  | "beginPasskey"
  | "addPasskey"
  | "renamePasskey"
  | "removePasskey"
  | "beginStepUp"
  | "stepUp";

/** As long as a challenge, which is what it is for. */
const SIGN_IN_SECONDS = 300;
/** A person has a few devices; a list without an end is somebody else's. */
const PASSKEYS_MOST = 20;
/** Changing how one signs in without the password: the second factor was shown so shortly ago. */
const FRESH_SECONDS = 600;

export function passkeyHandlers(house: House): Pick<Handlers, PasskeyRoutes> {
  const { database } = house;
  const own = async (tx: Transaction, caller: Caller): Promise<UserRow> =>
    (await getUser(tx, caller.userId)) ?? notFound("account");
  /** The session alone does not change how its account signs in: it may be lying open on a desk. */
  const assertPerson = async (caller: Caller, password: string | undefined, source: string): Promise<void> => {
    if (password !== undefined) return checkOwnPassword(caller.userId, password, source, house);
    if (caller.freshSeconds === null || caller.freshSeconds > FRESH_SECONDS)
      refuse("account.password_needed", "This needs the password, or a second factor shown in the last ten minutes.");
  };
  const registration = (caller: Caller) => challengeHolder("register", caller.userId, caller.tokenId);

  return {
    async beginPasskeySignIn() {
      const secret = newSecret();
      const options = await inTransaction(house, (tx) =>
        beginAssertion(tx, challengeHolder("sign_in", null, secret), house),
      );
      return { value: { options }, pendingSignIn: { secret, seconds: SIGN_IN_SECONDS } };
    },

    async signInWithPasskey({ body, source, fromBrowser, pendingSignIn }) {
      const session = await signInWithPasskey(body.passkey, pendingSignIn ?? "", source, house);
      return { ...(await signedInAnswer(house, session, fromBrowser)), pendingSignIn: null };
    },

    async listPasskeys({ caller }) {
      return { value: { items: (await listPasskeys(database, caller.userId)).map(passkeyView) } };
    },

    async beginPasskey({ caller, body, source }) {
      party(house.relyingParty);
      await assertPerson(caller, body.password, source);
      const options = await inTransaction(house, async (tx) =>
        beginRegistration(tx, await own(tx, caller), registration(caller), house),
      );
      return { value: { options } };
    },

    async addPasskey({ caller, body }) {
      const made = await registeredPasskey(body.passkey, registration(caller), house);
      return inTransaction(house, async (tx) => {
        await lockFactors(tx, caller.userId);
        const user = await own(tx, caller);
        const had = await listPasskeys(tx, user.id);
        if (had.length >= PASSKEYS_MOST) refuse("account.passkeys_full", `There are ${had.length} passkeys already.`);
        const id: PasskeyRow["id"] = newId();
        const row =
          (await insertPasskey(tx, { id, user_id: user.id, name: body.name, ...made }, caller.actor)) ??
          refuse("account.passkey_exists", "This authenticator's passkey is kept here already.");
        const isFirstFactor = had.length === 0 && user.totp_since === null;
        const recoveryCodes = isFirstFactor ? [...(await newRecoveryCodes(tx, user.id))] : [];
        return { value: { ...passkeyView(row), recoveryCodes } };
      });
    },

    async renamePasskey({ caller, params, body }) {
      const renamed = { id: passkeyId(params.id), userId: caller.userId, name: body.name };
      const row = await inTransaction(house, (tx) => renamePasskey(tx, renamed, caller.actor));
      return { value: passkeyView(row ?? notFound("passkey with this id")) };
    },

    async removePasskey({ caller, params, body, source }) {
      const id = passkeyId(params.id);
      await assertPerson(caller, body.password, source);
      await inTransaction(house, async (tx) => {
        await lockFactors(tx, caller.userId);
        if (!(await deletePasskey(tx, id, caller.userId, caller.actor))) notFound("passkey with this id");
        const user = await own(tx, caller);
        const isLast = user.totp_since === null && (await listPasskeys(tx, user.id)).length === 0;
        if (isLast && isAskedAgain(caller) && someFloorAsks(await loadWorld(tx, house.documents)))
          refuse("account.last_factor", "Without it this account could neither apply nor approve.");
        await dropUselessRecoveryCodes(tx, user.id);
        await revokeOtherSessions(tx, user.id, caller.tokenId, caller.actor);
      });
      return DONE;
    },

    async beginStepUp({ caller }) {
      assertSession(caller);
      if (caller.passkeys === 0) refuse("account.factor_needed", "This account has no passkey.");
      const holder = challengeHolder("step_up", caller.userId, caller.tokenId);
      return { value: { options: await inTransaction(house, (tx) => beginAssertion(tx, holder, house)) } };
    },

    async stepUp({ caller, body, source }) {
      await stepUp(caller, body, source, house);
      return DONE;
    },
  };
}

/** Whoever holds neither is never asked for a second factor by a floor. */
function isAskedAgain(caller: Caller): boolean {
  return permissionsOf(caller).some((permission) => permission === "apply" || permission === "approve");
}
