/**
 * Codes of an authenticator, RFC 6238 over RFC 4226: SHA-1, six digits, thirty seconds, which is what every authenticator understands. Pure.
 *   O1. A code is good in its own step and in the ones before and after: clocks differ, and people type slowly.
 *   O2. A code opens once. What is accepted is the step, and a later sign-in needs a later one.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

const STEP_MS = 30_000;
const DIGITS = 6;
/** Steps to either side. More would give a guesser more codes that are good at the same time. */
const DRIFT = 1;
/** RFC 4226 asks for 128 bits at least and recommends 160. */
export const TOTP_SECRET_BYTES = 20;

export function totpCode(secret: Buffer, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", secret).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, "0");
}

/** The step of this code, if it is good now and later than the last one that was used; else null. */
export function acceptedStep(secret: Buffer, code: string, nowMs: number, lastStep: number): number | null {
  const now = Math.floor(nowMs / STEP_MS);
  let accepted: number | null = null;
  // All of them are compared, so that the time taken does not say which one it was.
  for (let step = now - DRIFT; step <= now + DRIFT; step++) {
    const isIt = sameText(totpCode(secret, step), code);
    if (isIt && step > lastStep && accepted === null) accepted = step;
  }
  return accepted;
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** RFC 4648 without padding: how authenticators are told a secret. */
export function base32(bytes: Buffer): string {
  let bits = 0;
  let count = 0;
  let text = "";
  for (const byte of bytes) {
    bits = (bits << 8) | byte;
    count += 8;
    while (count >= 5) {
      count -= 5;
      text += BASE32.charAt((bits >>> count) & 31);
    }
    bits &= (1 << count) - 1;
  }
  return count === 0 ? text : text + BASE32.charAt((bits << (5 - count)) & 31);
}

/** What an authenticator reads from a picture or a link. */
export function totpUri(issuer: string, user: string, secret: Buffer): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(user)}`;
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=${encodeURIComponent(issuer)}&algorithm=SHA1&digits=${DIGITS}&period=${STEP_MS / 1000}`;
}

function sameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one, "utf8"), Buffer.from(other, "utf8")];
  return a.length === b.length && timingSafeEqual(a, b);
}
