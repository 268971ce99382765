import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from "node:crypto";

/**
 * One envelope: AES-256-GCM under a key of 32 bytes. What it is of is additional data, so that an envelope that was moved to another row, or put
 * back from an older version, does not open.
 */

const CIPHER = "aes-256-gcm";
export const KEY_BYTES = 32;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;

export function newKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

/** Nonce, ciphertext and tag, one after another. A nonce is random: no key of ours seals more than some thousand times. */
export function seal(key: Buffer, plain: Buffer, about: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(about, "utf8"));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Null: another key, another subject, or not what was sealed. Nobody is told which. */
export function open(key: Buffer, sealed: Buffer, about: string): Buffer | null {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(about, "utf8"));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
  } catch {
    return null;
  }
}

/** What a key is called where it must not stand itself. */
export function keyIdOf(key: Buffer): string {
  return createHash("sha256").update("holdfast-key-id\n", "ascii").update(key).digest("hex").slice(0, 16);
}

/** What is shown of a value instead of it: without the key nobody can try out guesses. */
export function fingerprintOf(key: Buffer, about: string, value: string): string {
  return createHmac("sha256", key)
    .update(`holdfast-fingerprint\n${about}\n`, "utf8")
    .update(value, "utf8")
    .digest("hex")
    .slice(0, 16);
}
