import { createHash, randomBytes } from "node:crypto";
import type { UserId } from "@holdfast/core/base/id.ts";
import type { Actor } from "../store/actor.ts";
import type { UserRow } from "../store/tables.ts";
import type { Transaction } from "../store/transaction.ts";
import type { Seal } from "./seal.ts";
import { newOneTimePassword } from "./secret.ts";
import { deletePasskeys } from "./store/passkeys.ts";
import { advanceTotp, dropTotp, putRecoveryCodes, putTotp, startTotp, useRecoveryCode } from "./store/second-factor.ts";
import { acceptedStep, TOTP_SECRET_BYTES, totpUri, base32 } from "./totp.ts";

/** As many as fit on a slip of paper. */
const RECOVERY_CODES = 10;

export interface NewTotp {
  /** For typing. */
  readonly secret: string;
  /** For a picture. */
  readonly uri: string;
}

/** Offers a secret. It opens nothing and asks for nothing until a code has shown that the person has it. */
export async function offerTotp(tx: Transaction, user: UserRow, seal: Seal, by: Actor): Promise<NewTotp> {
  const secret = randomBytes(TOTP_SECRET_BYTES);
  await putTotp(tx, user.id, seal.close(secret, about(user.id)), by);
  return { secret: base32(secret), uri: totpUri("Holdfast", user.name, secret) };
}

/** From here on the account signs in with a code. The recovery codes; null: the code is wrong. */
export async function confirmTotp(
  tx: Transaction,
  user: UserRow,
  code: string,
  seal: Seal,
  nowMs: number,
  by: Actor,
): Promise<readonly string[] | null> {
  if (user.totp_sealed === null) return null;
  const step = acceptedStep(seal.open(user.totp_sealed, about(user.id)), code, nowMs, user.totp_step);
  if (step === null) return null;
  await startTotp(tx, user.id, step, by);
  return newRecoveryCodes(tx, user.id);
}

/** They take the place of those that were there. */
export async function newRecoveryCodes(tx: Transaction, id: UserId): Promise<readonly string[]> {
  const codes = Array.from({ length: RECOVERY_CODES }, newOneTimePassword);
  await putRecoveryCodes(
    tx,
    id,
    codes.map((one) => recoverySha256(one)),
  );
  return codes;
}

export async function removeTotp(tx: Transaction, id: UserId, by: Actor): Promise<void> {
  await dropTotp(tx, id, by);
}

/** Everything beside the password, also what stands for it when it is gone. */
export async function removeFactors(tx: Transaction, id: UserId, by: Actor): Promise<void> {
  await deletePasskeys(tx, id, by);
  await dropTotp(tx, id, by);
}

/** Uses a code up: an authenticator's, or one of those for the day when it is gone. Of two requests with the same one, one passes. */
export async function useCode(
  tx: Transaction,
  user: UserRow,
  code: string,
  seal: Seal,
  nowMs: number,
): Promise<"totp" | "recovery" | null> {
  const typed = code.replace(/\s/g, "");
  // A secret that was offered and never confirmed opens nothing.
  const secret =
    user.totp_sealed === null || user.totp_since === null ? null : seal.open(user.totp_sealed, about(user.id));
  const step = secret === null ? null : acceptedStep(secret, typed, nowMs, user.totp_step);
  if (step !== null) return (await advanceTotp(tx, user.id, step)) ? "totp" : null;
  return (await useRecoveryCode(tx, user.id, recoverySha256(typed.toLowerCase()))) ? "recovery" : null;
}

function recoverySha256(code: string): Buffer {
  return createHash("sha256").update(code.replaceAll("-", ""), "utf8").digest();
}

function about(id: UserId): string {
  return `user/${id}/totp`;
}
