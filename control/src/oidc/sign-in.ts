/**
 * Signing in by a provider.
 *   O1. Only the browser that began a sign-in ends it: state, nonce and the secret of the code lie sealed in its cookie.
 *   O2. Each is used once, and used up before the provider is asked: of two at the same moment one goes on.
 *   O3. Who it is, is the pair of issuer and subject. No name and no address of mail leads to an account.
 *   O4. The account's own second factor is asked for all the same: what a provider means by one, it does not say in the same words as another.
 *   O5. Every end stands in the log, in the transaction that makes it.
 */
import type { InstanceId, UserId } from "@holdfast/core/base/id.ts";
import { type OpenedSession, openSession } from "../account/open-session.ts";
import type { Seal } from "../account/seal.ts";
import { useCode } from "../account/second-factor.ts";
import { newSecret } from "../account/secret.ts";
import { waiting } from "../account/sign-in.ts";
import { hasPasskey } from "../account/store/passkeys.ts";
import { oneTryAtATime } from "../account/store/wrong-passwords.ts";
import { secretSha256 } from "../api/credential.ts";
import { Refused, refuse } from "../api/refused.ts";
import type { Database } from "../store/database.ts";
import { StoreFailure } from "../store/store-failure.ts";
import type { UserRow } from "../store/tables.ts";
import { transaction, type Transaction } from "../store/transaction.ts";
import { getUser, lockUser } from "../store/users.ts";
import { makeAccount } from "./new-account.ts";
import { ASKED_MS, openAsked, openProven, PROVEN_MS, sealPending } from "./pending.ts";
import type { Claims, OidcProvider, ProviderTrouble, Returned } from "./provider.ts";
import { findIdentity, useOnce } from "./store/identities.ts";

export interface OidcOptions {
  readonly database: Database;
  readonly instanceId: InstanceId;
  readonly nowMs: () => number;
  readonly seal: Seal;
  readonly oidc: OidcProvider | null;
}

export type Finished =
  | { readonly kind: "signed_in"; readonly session: OpenedSession; readonly next: string }
  /** The account has a second factor here; `pending` takes the place of what the browser kept. */
  | { readonly kind: "code_needed"; readonly pending: string; readonly next: string };

/** Where to send the browser, and what it keeps until it is back. Writes nothing down. */
export async function beginSignIn(options: OidcOptions, next: string): Promise<{ url: string; pending: string }> {
  const provider = providerOf(options);
  const begun = await provider.begin();
  if (!begun.ok) throw troubleOf(begun.error);
  const { url, state, nonce, verifier } = begun.value;
  const issuer = provider.settings.issuerText;
  const untilMs = options.nowMs() + ASKED_MS;
  const asked = { issuer, state, nonce, verifier, next, untilMs };
  return { url: url.href, pending: sealPending(options.seal, "asked", asked) };
}

export async function finishSignIn(
  options: OidcOptions,
  returned: Returned,
  sealed: string | null,
  source: string,
): Promise<Finished> {
  const provider = providerOf(options);
  const { issuerText: issuer } = provider.settings;
  const about = { actor: "anonymous", source, action: "session.asked", object: `oidc/${issuer}` };
  const end = async (refused: Refused): Promise<never> => {
    await inOne(options, async (tx) => tx.audit({ ...about, resultCode: refused.code, new: why(refused) }));
    throw refused;
  };
  const asked = openAsked(options.seal, sealed);
  if (asked === null || asked.issuer !== issuer || asked.state !== returned.state) return end(notBegunHere());
  if (options.nowMs() > asked.untilMs) return end(tooLate());
  // O2
  if (!(await inOne(options, (tx) => useOnce(tx, secretSha256(asked.state))))) return end(used());
  const redeemed = await provider.redeem(returned, asked);
  if (!redeemed.ok) return end(troubleOf(redeemed.error));
  const claims = redeemed.value;
  const { subject } = claims;
  const done = await inOne(options, async (tx): Promise<Finished | Refused> => {
    const user = await accountOf(tx, options, claims);
    const entry = { ...about, new: { subject, by: "oidc" } };
    if (user instanceof Refused) {
      tx.audit({ ...entry, resultCode: user.code });
      return user;
    }
    const named = { ...entry, object: `account/${user.name}` };
    if (user.totp_since === null && (await hasPasskey(tx, user.id))) {
      const refused = needsPasskey();
      tx.audit({ ...named, resultCode: refused.code });
      return refused;
    }
    if (user.totp_since !== null) {
      tx.audit({ ...named, resultCode: "account.code_needed" });
      const untilMs = options.nowMs() + PROVEN_MS;
      const proven = { issuer, id: newSecret(), subject, userId: user.id, next: asked.next, untilMs };
      return { kind: "code_needed", pending: sealPending(options.seal, "proven", proven), next: asked.next };
    }
    const shown = { openedWith: "oidc", factor: "none", subject } as const;
    const session = await openSession(tx, user, shown, source, options.instanceId);
    return { kind: "signed_in", session, next: asked.next };
  });
  if (done instanceof Refused) throw done;
  return done;
}

/** The code of the account's own second factor, after the provider has said who it is. */
export async function finishWithCode(
  options: OidcOptions,
  code: string,
  sealed: string | null,
  source: string,
): Promise<{ readonly session: OpenedSession; readonly next: string }> {
  const { issuerText: issuer } = providerOf(options).settings;
  const opened = openProven(options.seal, sealed);
  const proven = opened?.issuer === issuer ? opened : null;
  const user = proven === null ? undefined : await getUser(options.database, proven.userId as UserId);
  const about = { actor: "anonymous", source, action: "session.asked" } as const;
  if (proven === null || user === undefined || options.nowMs() > proven.untilMs) {
    const refused = proven === null || user === undefined ? notBegunHere() : tooLate();
    await inOne(options, async (tx) => tx.audit({ ...about, object: `oidc/${issuer}`, resultCode: refused.code }));
    throw refused;
  }
  const entry = { ...about, object: `account/${user.name}` };
  const done = await inOne(options, async (tx): Promise<OpenedSession | Refused> => {
    const refused = (one: Refused): Refused => {
      tx.audit({ ...entry, resultCode: one.code, new: { subject: proven.subject, by: "oidc" } });
      return one;
    };
    await oneTryAtATime(tx, user.name);
    const held = await lockUser(tx, user.id);
    const locked = await waiting(tx, user.name, source, options);
    if (locked !== null) return refused(locked);
    // What has moved since the provider was asked.
    const linked = await findIdentity(tx, issuer, proven.subject);
    if (held === undefined || linked?.user_id !== held.id) return refused(notLinked(proven.subject));
    if (held.disabled_at !== null) return refused(closed());
    if (held.totp_since === null && (await hasPasskey(tx, held.id))) return refused(needsPasskey());
    const factor = held.totp_since === null ? "none" : await useCode(tx, held, code, options.seal, options.nowMs());
    // Guessed codes count as guessed passwords do.
    if (factor === null) return refused(new Refused("account.wrong_code", "The code is wrong, or has been used."));
    if (!(await useOnce(tx, secretSha256(proven.id)))) return refused(used());
    const shown = { openedWith: "oidc", factor, subject: proven.subject } as const;
    return openSession(tx, held, shown, source, options.instanceId);
  });
  if (done instanceof Refused) throw done;
  return { session: done, next: proven.next };
}

/** The open account that this subject is linked to, or one that is made for it, held until the end of the transaction. */
async function accountOf(tx: Transaction, options: OidcOptions, claims: Claims): Promise<UserRow | Refused> {
  const { settings } = providerOf(options);
  const linked = await findIdentity(tx, settings.issuerText, claims.subject);
  if (linked === undefined) {
    const made = await makeAccount(tx, settings, claims, options.instanceId);
    if (made === "oidc.not_linked") return notLinked(claims.subject);
    if (made === "oidc.role_unfit")
      return new Refused(made, "An account would be made for you, but not with the role that is configured.");
    return made;
  }
  // Held: closing the account, or unlinking it, comes wholly before or wholly after.
  const user = await lockUser(tx, linked.user_id);
  const still = await findIdentity(tx, settings.issuerText, claims.subject);
  if (user === undefined || still?.user_id !== user.id) return notLinked(claims.subject);
  return user.disabled_at === null ? user : closed();
}

/** Two first sign-ins of one person at the same moment: the second finds the account that the first has made. */
async function inOne<T>({ database }: OidcOptions, body: (tx: Transaction) => Promise<T>): Promise<T> {
  const first = await transaction(database, body);
  if (first.ok) return first.value;
  if (!(first.error instanceof StoreFailure && first.error.code === "store.duplicate")) throw first.error;
  const second = await transaction(database, body);
  if (!second.ok) throw second.error;
  return second.value;
}

function providerOf({ oidc }: OidcOptions): OidcProvider {
  return oidc ?? refuse("oidc.not_configured", "This installation signs in with passwords only.");
}

function troubleOf({ code, internal }: ProviderTrouble): Refused {
  switch (code) {
    case "account.busy":
      return new Refused(code, "Many people are signing in at this moment.", { internal, retryAfterSeconds: 3 });
    case "oidc.provider_unreachable":
      return new Refused(code, "The provider does not answer, or answers with a fault of its own.", { internal });
    case "oidc.provider_refused":
      return new Refused(code, "The provider did not sign you in.", { internal });
    case "oidc.token_invalid":
      return new Refused(code, "What the provider answered does not prove who you are.", { internal });
  }
}

/** For the log: what the person is not told. */
function why({ internal }: Refused): { readonly why: string } | null {
  return internal === null ? null : { why: internal.slice(0, 500) };
}

const notBegunHere = (): Refused =>
  new Refused("oidc.not_begun_here", "This browser has not begun this sign-in, or has begun another one since.");
const tooLate = (): Refused => new Refused("oidc.too_late", "The sign-in was begun too long ago.");
const used = (): Refused => new Refused("oidc.used", "This sign-in has been used already.");
const needsPasskey = (): Refused =>
  new Refused("account.passkey_needed", "This account signs in with its passkey, which needs no provider.");
const closed = (): Refused => new Refused("oidc.account_closed", "Your account is closed.");
const notLinked = (subject: string): Refused =>
  new Refused("oidc.not_linked", `No account is linked to you. At the provider you are the subject ${subject}.`);
