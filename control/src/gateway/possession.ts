import { createPublicKey, type KeyObject, verify } from "node:crypto";

/** Kinds of TLS key that agents may bring: both are constant-time in every library, and no RSA key is slow enough to be worth a choice. */
const ALLOWED = ["ed25519", "ec"] as const;

/** The key in a SubjectPublicKeyInfo, when it is of a kind that we certify; null for anything else. */
export function readPublicKey(spki: Uint8Array): KeyObject | null {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    if (!ALLOWED.some((type) => type === key.asymmetricKeyType)) return null;
    if (key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve !== "prime256v1") return null;
    return key;
  } catch {
    return null;
  }
}

/** Whether `proof` was made by the holder of the key: nobody gets a certificate for a key that they only saw. */
export function possesses(key: KeyObject, context: string, subject: string, proof: Uint8Array): boolean {
  const digest = key.asymmetricKeyType === "ed25519" ? null : "sha256";
  return verify(digest, Buffer.from(context + subject, "utf8"), key, proof);
}
