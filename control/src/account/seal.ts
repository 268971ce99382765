import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** Keeps a secret of an account in the database so that the database alone does not give it away. */
export interface Seal {
  /** `about` is bound to it: what was sealed for one account opens for no other. */
  close(secret: Buffer, about: string): Buffer;
  /** Throws when it was sealed with another key, for somebody else, or was changed. */
  open(sealed: Buffer, about: string): Buffer;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM: nonce, tag, cipher text. */
export function sealWith(key: Buffer): Seal {
  return {
    close(secret, about) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(about, "utf8"));
      const text = Buffer.concat([cipher.update(secret), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), text]);
    },
    open(sealed, about) {
      const nonce = sealed.subarray(0, NONCE_BYTES);
      const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
      const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(about, "utf8")).setAuthTag(tag);
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    },
  };
}
