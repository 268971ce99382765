/**
 * Passkeys (WebAuthn). A challenge is given out, answered once, and then the answer is held against the key that was registered.
 *   K1. A challenge is for one purpose, one holder, and five minutes; using it deletes it, before anything else of the answer is looked at,
 *       so that of two answers one is heard, and a process that dies in between leaves nothing that could be answered again.
 *   K2. The authenticator has verified its person (a finger, a face, a PIN): a passkey alone is then two factors.
 *   K3. The answer was made for our own name and origin, which the browser puts in: a false page gets one that is good nowhere.
 *   K4. A counter that does not go on refuses and is written down; it is compared in the database, where two at once meet.
 */
import { createHash, randomBytes } from "node:crypto";
import type { assertionSchema, registrationSchema } from "@holdfast/core/api/passkey.ts";
import type { UserId } from "@holdfast/core/base/id.ts";
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import type { z } from "zod";
import { Refused, refuse } from "../api/refused.ts";
import type { Database } from "../store/database.ts";
import type { PasskeyRow, UserRow } from "../store/tables.ts";
import { type Transaction, transaction } from "../store/transaction.ts";
import type { RelyingParty } from "./relying-party.ts";
import {
  advancePasskey,
  type ChallengeHolder,
  type ChallengePurpose,
  findPasskey,
  listPasskeys,
  putChallenge,
  takeChallenge,
} from "./store/passkeys.ts";

type Registration = z.output<typeof registrationSchema>;
type Assertion = z.output<typeof assertionSchema>;

export interface PasskeyOptions {
  readonly database: Database;
  readonly relyingParty: RelyingParty;
}

/** Long enough to look for the phone. */
const CHALLENGE_SECONDS = 300;
const CHALLENGE_BYTES = 32;
/** Ed25519, ES256, RS256: what WebAuthn says every relying party should take. */
const ALGORITHMS = [-8, -7, -257];

/** `secret` is what only the holder sends: their session's id, or the browser's own secret. */
export function challengeHolder(purpose: ChallengePurpose, userId: UserId | null, secret: string): ChallengeHolder {
  return { purpose, userId, holderSha256: createHash("sha256").update(secret, "utf8").digest() };
}

/** What the browser is told to make a passkey with. */
export async function beginRegistration(
  tx: Transaction,
  user: UserRow,
  holder: ChallengeHolder,
  options: PasskeyOptions,
): Promise<Record<string, unknown>> {
  const { id } = party(options.relyingParty);
  const challenge = randomBytes(CHALLENGE_BYTES);
  await putChallenge(tx, sha256(challenge), holder, CHALLENGE_SECONDS);
  const had = await listPasskeys(tx, user.id);
  return asRecord(
    await generateRegistrationOptions({
      rpName: "Holdfast",
      rpID: id,
      userName: user.name,
      userID: handleOf(user.id),
      challenge: new Uint8Array(challenge),
      timeout: CHALLENGE_SECONDS * 1_000,
      // Who made the authenticator is nothing that we would decide by.
      attestationType: "none",
      excludeCredentials: had.map((row) => ({ id: base64url(row.credential_id), transports: [...row.transports] })),
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      supportedAlgorithmIDs: ALGORITHMS,
    }),
  );
}

export type NewPasskey = Omit<
  PasskeyRow,
  "id" | "user_id" | "name" | "created_at" | "last_used_at" | "counter_back_at"
>;

export async function registeredPasskey(
  answer: Registration,
  holder: ChallengeHolder,
  options: PasskeyOptions,
): Promise<NewPasskey> {
  const { id, origin } = party(options.relyingParty);
  const challenge = await spendChallenge(answer.response.clientDataJSON, holder, options.database);
  const verified = await verifyRegistrationResponse({
    response: answer as Parameters<typeof verifyRegistrationResponse>[0]["response"],
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: id,
    requireUserVerification: true,
    supportedAlgorithmIDs: ALGORITHMS,
  }).catch(notAccepted);
  if (!verified.verified) return notAccepted("the attestation is not verified");
  const { credential, credentialDeviceType, credentialBackedUp } = verified.registrationInfo;
  return {
    credential_id: Buffer.from(credential.id, "base64url"),
    public_key: Buffer.from(credential.publicKey),
    sign_count: credential.counter,
    backup_eligible: credentialDeviceType === "multiDevice",
    backed_up: credentialBackedUp,
    transports: [...new Set(answer.response.transports ?? [])],
  };
}

/** What the browser is told to show a passkey with; of this account, or, for a sign-in, of whichever account it finds one. */
export async function beginAssertion(
  tx: Transaction,
  holder: ChallengeHolder,
  options: PasskeyOptions,
): Promise<Record<string, unknown>> {
  const { id } = party(options.relyingParty);
  const challenge = randomBytes(CHALLENGE_BYTES);
  await putChallenge(tx, sha256(challenge), holder, CHALLENGE_SECONDS);
  const own = holder.userId === null ? [] : await listPasskeys(tx, holder.userId);
  return asRecord(
    await generateAuthenticationOptions({
      rpID: id,
      challenge: new Uint8Array(challenge),
      timeout: CHALLENGE_SECONDS * 1_000,
      userVerification: "required",
      allowCredentials: own.map((row) => ({ id: base64url(row.credential_id), transports: [...row.transports] })),
    }),
  );
}

export interface ShownPasskey {
  readonly passkey: PasskeyRow;
  readonly signCount: number;
  readonly backedUp: boolean;
}

/** Whose passkey it is, after everything but the counter was held against it. */
export async function shownPasskey(
  answer: Assertion,
  holder: ChallengeHolder,
  options: PasskeyOptions,
): Promise<ShownPasskey> {
  const { id, origin } = party(options.relyingParty);
  const challenge = await spendChallenge(answer.response.clientDataJSON, holder, options.database);
  const passkey = await findPasskey(options.database, Buffer.from(answer.id, "base64url"));
  if (passkey === undefined) return notAccepted("no account has this credential");
  if (holder.userId !== null && passkey.user_id !== holder.userId)
    return notAccepted("the credential is another account's");
  const handle = answer.response.userHandle;
  if (handle !== undefined && handle !== "" && handle !== base64url(handleOf(passkey.user_id)))
    return notAccepted("the user handle is another account's");
  const verified = await verifyAuthenticationResponse({
    response: answer as Parameters<typeof verifyAuthenticationResponse>[0]["response"],
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: id,
    requireUserVerification: true,
    // The counter is not compared here but in the database (K4): 0 lets each one through.
    credential: { id: base64url(passkey.credential_id), publicKey: new Uint8Array(passkey.public_key), counter: 0 },
  }).catch(notAccepted);
  if (!verified.verified) return notAccepted("the signature is not this key's");
  const { newCounter, credentialBackedUp } = verified.authenticationInfo;
  return { passkey, signCount: newCounter, backedUp: credentialBackedUp };
}

/** K4. False: it was not used, and that is to be written down after this transaction has ended. */
export function usePasskey(tx: Transaction, { passkey, signCount, backedUp }: ShownPasskey): Promise<boolean> {
  return advancePasskey(tx, passkey.id, { signCount, backedUp });
}

/** K1: in a transaction of its own, whatever comes after it. */
async function spendChallenge(clientDataJSON: string, holder: ChallengeHolder, database: Database): Promise<string> {
  const challenge = challengeIn(clientDataJSON);
  const spent =
    challenge === null
      ? ({ ok: true, value: false } as const)
      : await transaction(database, (tx) => takeChallenge(tx, sha256(Buffer.from(challenge, "base64url")), holder));
  if (!spent.ok) throw spent.error;
  if (challenge === null || !spent.value)
    refuse("account.passkey_challenge", "It is unknown here, has been used, has ended, or was given to somebody else.");
  return challenge;
}

function challengeIn(clientDataJSON: string): string | null {
  try {
    const data: unknown = JSON.parse(Buffer.from(clientDataJSON, "base64url").toString("utf8"));
    const challenge = typeof data === "object" && data !== null && "challenge" in data ? data.challenge : null;
    return typeof challenge === "string" ? challenge : null;
  } catch {
    return null;
  }
}

export function party(relyingParty: RelyingParty): Extract<RelyingParty, { kind: "name" }> {
  if (relyingParty.kind === "none") return refuse("account.passkeys_impossible", relyingParty.why);
  return relyingParty;
}

/** One answer for whatever is wrong with it; what it was is for the log. */
function notAccepted(why: unknown): never {
  throw new Refused("account.passkey_refused", "This passkey does not open this account here.", {
    internal: why instanceof Error ? why.message : String(why),
  });
}

/** WebAuthn wants bytes without a name in them. */
function handleOf(user: UserId): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(user.replaceAll("-", ""), "hex"));
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function asRecord(options: object): Record<string, unknown> {
  return { ...options };
}
