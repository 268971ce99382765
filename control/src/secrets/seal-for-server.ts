import { createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync, type KeyObject } from "node:crypto";
import { SEALING_INFO, SEALING_KEY_BYTES } from "@holdfast/proto/wire/sealed-secret.ts";
import { seal } from "./envelope.ts";

export interface Sealed {
  readonly ephemeralKey: Buffer;
  readonly sealed: Buffer;
}

/**
 * Seals for the guard that has the other half of this key; proto/wire/sealed-secret.ts says how. Each sealing has a key of its own. Null: nothing
 * can be sealed with this key. It comes from a server, and a point of low order is one: what it gives is known to everybody.
 */
export function sealForServer(sealingKey: Buffer, plain: Buffer, about: string): Sealed | null {
  const ephemeral = generateKeyPairSync("x25519");
  const ephemeralKey = rawPublicKey(ephemeral.publicKey);
  const shared = sharedWith(ephemeral.privateKey, sealingKey);
  if (shared === null) return null;
  const salt = Buffer.concat([ephemeralKey, sealingKey]);
  const key = Buffer.from(hkdfSync("sha256", shared, salt, Buffer.from(SEALING_INFO, "ascii"), 32));
  return { ephemeralKey, sealed: seal(key, plain, about) };
}

function sharedWith(privateKey: KeyObject, sealingKey: Buffer): Buffer | null {
  if (sealingKey.length !== SEALING_KEY_BYTES) return null;
  try {
    return diffieHellman({ privateKey, publicKey: publicKeyOf(sealingKey) });
  } catch {
    return null; // OpenSSL refuses a result that says nothing of the private key
  }
}

function publicKeyOf(raw: Buffer): KeyObject {
  return createPublicKey({ key: { kty: "OKP", crv: "X25519", x: raw.toString("base64url") }, format: "jwk" });
}

function rawPublicKey(key: KeyObject): Buffer {
  const { x } = key.export({ format: "jwk" });
  if (x === undefined) throw new Error("this is no X25519 key");
  return Buffer.from(x, "base64url");
}
