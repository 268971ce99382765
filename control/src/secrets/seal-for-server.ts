import {
  createCipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import {
  SEALED_NONCE_BYTES,
  SEALED_TAG_BYTES,
  SEALING_INFO,
  SEALING_KEY_BYTES,
} from "@holdfast/proto/wire/sealed-secret.ts";

export interface Sealed {
  readonly ephemeralKey: Buffer;
  readonly sealed: Buffer;
}

/** Seals for the guard that has the other half of this key; proto/wire/sealed-secret.ts says how. Each sealing has a key of its own. */
export function sealForServer(sealingKey: Buffer, plain: Buffer, about: string): Sealed {
  const ephemeral = generateKeyPairSync("x25519");
  const ephemeralKey = rawPublicKey(ephemeral.publicKey);
  const shared = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: publicKeyOf(sealingKey) });
  const salt = Buffer.concat([ephemeralKey, sealingKey]);
  const key = Buffer.from(hkdfSync("sha256", shared, salt, Buffer.from(SEALING_INFO, "ascii"), 32));
  const nonce = randomBytes(SEALED_NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: SEALED_TAG_BYTES });
  cipher.setAAD(Buffer.from(about, "utf8"));
  return { ephemeralKey, sealed: Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]) };
}

function publicKeyOf(raw: Buffer): KeyObject {
  if (raw.length !== SEALING_KEY_BYTES) throw new Error("a sealing key has 32 bytes");
  return createPublicKey({ key: { kty: "OKP", crv: "X25519", x: raw.toString("base64url") }, format: "jwk" });
}

function rawPublicKey(key: KeyObject): Buffer {
  const { x } = key.export({ format: "jwk" });
  if (x === undefined) throw new Error("this is no X25519 key");
  return Buffer.from(x, "base64url");
}
