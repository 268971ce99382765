import type { OpenedSession } from "../../account/open-session.ts";
import type { House } from "../../house.ts";
import { ASKED_MS, PROVEN_MS } from "../../oidc/pending.ts";
import { beginSignIn, finishSignIn, finishWithCode } from "../../oidc/sign-in.ts";
import { deleteIdentity, findIdentity, insertIdentity, listIdentities } from "../../oidc/store/identities.ts";
import type { Queryable } from "../../store/database.ts";
import { newId } from "../../store/new-id.ts";
import type { UserRow } from "../../store/tables.ts";
import { revokeOpenedByOidc, revokeSessions } from "../../store/tokens.ts";
import type { Transaction } from "../../store/transaction.ts";
import { getUserByName, lockUser } from "../../store/users.ts";
import { assertAdministers, assertOfAnother } from "../administers.ts";
import { type ApiAnswer, DONE, type Handlers } from "../handler.ts";
import { identityId } from "../ids.ts";
import { inTransaction } from "../in-transaction.ts";
import { notFound, refuse } from "../refused.ts";
import { signedInAnswer } from "../signed-in.ts";
import { identityView } from "../view/user-view.ts";

type OidcRoutes =
  | "signInMethods"
  | "beginOidc"
  | "finishOidc"
  | "finishOidcCode"
  | "listIdentities"
  | "listUserIdentities"
  | "linkUser"
  | "unlinkUser";

type SignedIn = ApiAnswer<"finishOidc"> & ApiAnswer<"finishOidcCode">;

/** Signing in by the provider, and who may: only an administrator says which subject is which account. */
export function oidcHandlers(house: House): Pick<Handlers, OidcRoutes> {
  const find = async (database: Queryable, name: string): Promise<UserRow> =>
    (await getUserByName(database, name)) ?? notFound(`account ${name}`);
  /** Until the end of the transaction: a sign-in comes wholly before a link or its end, or wholly after. */
  const hold = async (tx: Transaction, name: string): Promise<UserRow> =>
    (await lockUser(tx, (await find(tx, name)).id)) ?? notFound(`account ${name}`);
  /** The session as a cookie; what was kept of the way there is taken away. */
  const signedIn = async (session: OpenedSession, next: string): Promise<SignedIn> => {
    const answer = await signedInAnswer(house, session, true);
    const { sessionToken: _, ...me } = answer.value;
    return { ...answer, value: { me, next }, pendingSignIn: null };
  };
  return {
    async signInMethods() {
      return { value: { oidc: house.oidc === null ? null : { label: house.oidc.settings.label } } };
    },

    async beginOidc({ body }) {
      const { url, pending } = await beginSignIn(house, body.next);
      return { value: { url }, pendingSignIn: { secret: pending, seconds: ASKED_MS / 1000 } };
    },

    async finishOidc({ body, source, pendingSignIn }) {
      const done = await finishSignIn(house, body, pendingSignIn, source);
      if (done.kind === "signed_in") return signedIn(done.session, done.next);
      return {
        value: { me: null, next: done.next },
        pendingSignIn: { secret: done.pending, seconds: PROVEN_MS / 1000 },
      };
    },

    async finishOidcCode({ body, source, pendingSignIn }) {
      const { session, next } = await finishWithCode(house, body.code, pendingSignIn, source);
      return signedIn(session, next);
    },

    async listIdentities({ caller }) {
      return { value: { items: (await listIdentities(house.database, caller.userId)).map(identityView) } };
    },

    async listUserIdentities({ caller, params }) {
      assertAdministers(caller);
      const user = await find(house.database, params.name);
      return { value: { items: (await listIdentities(house.database, user.id)).map(identityView) } };
    },

    async linkUser({ caller, params, body }) {
      assertAdministers(caller);
      const issuer =
        house.oidc?.settings.issuerText ?? refuse("oidc.not_configured", "There is no provider to link anybody to.");
      const row = await inTransaction(house, async (tx) => {
        const user = await hold(tx, params.name);
        assertOfAnother(caller, user);
        const { id } = user;
        if (user.kind === "service") refuse("account.wrong_kind", `${user.name} is a service and has only tokens.`);
        const there = (await listIdentities(tx, id)).find((one) => one.issuer === issuer);
        if (there !== undefined && there.subject === body.subject) return there;
        if (there !== undefined)
          refuse("oidc.already_linked", `${user.name} is linked to the subject ${there.subject}.`);
        if ((await findIdentity(tx, issuer, body.subject)) !== undefined)
          refuse("oidc.subject_taken", "Another account is linked to this subject.");
        const made = await insertIdentity(tx, { id: newId(), userId: id, issuer, subject: body.subject }, caller.actor);
        await revokeSessions(tx, id, caller.actor);
        return made;
      });
      return { value: identityView(row) };
    },

    async unlinkUser({ caller, params }) {
      assertAdministers(caller);
      await inTransaction(house, async (tx) => {
        const user = await hold(tx, params.name);
        await deleteIdentity(tx, identityId(params.id), user.id, caller.actor);
        await revokeOpenedByOidc(tx, user.id, caller.actor);
      });
      return DONE;
    },
  };
}
