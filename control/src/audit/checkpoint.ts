/** A head of the audit log as it is signed and kept elsewhere. Pure but for the key. */
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";

export interface Checkpoint {
  readonly entries: number;
  readonly head: string;
  /** ISO 8601, for people. */
  readonly at: string;
}

export interface SignedCheckpoint extends Checkpoint {
  readonly signature: Buffer;
}

export interface HeadSigner {
  /** Raw Ed25519: what servers pin. */
  readonly publicKey: Buffer;
  sign(checkpoint: Checkpoint): SignedCheckpoint;
  isOurs(checkpoint: SignedCheckpoint): boolean;
  /** A text that says by its beginning what it is. */
  signText(text: string): Buffer;
  isOurText(text: string, signature: Uint8Array): boolean;
}

/** What stands before the text, so that the signature can never be taken for one over something else. */
const CONTEXT = "holdfast-audit-head-v1\n";
/** PKCS #8 of an Ed25519 key, up to its 32 bytes of seed (RFC 8410). */
const ED25519_PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** `seed` is 32 bytes that never were in the database. */
export function headSigner(seed: Buffer): HeadSigner {
  const key = createPrivateKey({ key: Buffer.concat([ED25519_PKCS8, seed]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key);
  const signText = (text: string): Buffer => sign(null, Buffer.from(text, "utf8"), key);
  const isOurText = (text: string, signature: Uint8Array): boolean =>
    verify(null, Buffer.from(text, "utf8"), publicKey, signature);
  return {
    publicKey: Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url"),
    sign: (checkpoint) => ({ ...checkpoint, signature: signText(signed(checkpoint)) }),
    isOurs: (checkpoint) => isOurText(signed(checkpoint), checkpoint.signature),
    signText,
    isOurText,
  };
}

function signed({ entries, head, at }: Checkpoint): string {
  return CONTEXT + canonicalJson({ entries, head, at });
}
