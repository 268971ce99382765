import { createPublicKey, verify } from "node:crypto";

/** Whether this text was signed with the other half of this key, a SubjectPublicKeyInfo of Ed25519. */
export function isSignedBy(spki: Uint8Array, text: Buffer, signature: Uint8Array): boolean {
  try {
    return verify(null, text, createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" }), signature);
  } catch {
    return false; // a key that cannot be read has signed nothing
  }
}
