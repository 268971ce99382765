import {
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import {
  SEALED_NONCE_BYTES,
  SEALED_TAG_BYTES,
  SEALING_INFO,
  SEALING_KEY_BYTES,
} from "@holdfast/proto/wire/sealed-secret.ts";
import { writeFileDurably } from "../os/files.ts";

/** The guard's half of what a secret is sealed with; made here, and root's alone. */
export interface SealOpener {
  /** Raw, 32 bytes. */
  readonly publicKey: Buffer;
  /** Null: it was not sealed with this key, or not for this. */
  open(ephemeralKey: Uint8Array, sealed: Uint8Array, about: string): Buffer | null;
}

/** Opens the key pair, and makes it the first time. A new one only means that the control plane seals with it from the next session on. */
export function openSealing(path: string): SealOpener {
  if (!existsSync(path)) {
    const made = generateKeyPairSync("x25519").privateKey.export({ type: "pkcs8", format: "pem" });
    writeFileDurably(path, made, 0o600);
  }
  const privateKey = createPrivateKey(readFileSync(path));
  if (privateKey.asymmetricKeyType !== "x25519")
    throw new Error(`${path} is no X25519 key; remove it, and a new one is made`);
  return sealOpener(privateKey);
}

export function sealOpener(privateKey: KeyObject): SealOpener {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  const publicKey = Buffer.from(x ?? "", "base64url");
  return {
    publicKey,
    open(ephemeralKey, sealed, about) {
      if (ephemeralKey.length !== SEALING_KEY_BYTES || sealed.length <= SEALED_NONCE_BYTES + SEALED_TAG_BYTES)
        return null;
      try {
        const ephemeral = publicKeyOf(ephemeralKey);
        const shared = diffieHellman({ privateKey, publicKey: ephemeral });
        const salt = Buffer.concat([ephemeralKey, publicKey]);
        const key = Buffer.from(hkdfSync("sha256", shared, salt, Buffer.from(SEALING_INFO, "ascii"), 32));
        const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, SEALED_NONCE_BYTES), {
          authTagLength: SEALED_TAG_BYTES,
        });
        decipher.setAAD(Buffer.from(about, "utf8"));
        decipher.setAuthTag(sealed.subarray(sealed.length - SEALED_TAG_BYTES));
        const text = decipher.update(sealed.subarray(SEALED_NONCE_BYTES, sealed.length - SEALED_TAG_BYTES));
        return Buffer.concat([text, decipher.final()]);
      } catch {
        return null;
      }
    },
  };
}

function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({
    key: { kty: "OKP", crv: "X25519", x: Buffer.from(raw).toString("base64url") },
    format: "jwk",
  });
}
