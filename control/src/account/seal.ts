import { NONCE_BYTES, open, seal, TAG_BYTES } from "../secrets/envelope.ts";

/** Keeps a secret of an account in the database so that the database alone does not give it away. */
export interface Seal {
  /** `about` is bound to it: what was sealed for one account opens for no other. */
  close(secret: Buffer, about: string): Buffer;
  /** Throws when it was sealed with another key, for somebody else, or was changed. */
  open(sealed: Buffer, about: string): Buffer;
}

/** An envelope whose tag stands before the text, which is how the rows of accounts have it. */
export function sealWith(key: Buffer): Seal {
  return {
    close(secret, about) {
      const envelope = seal(key, secret, about);
      const tagAt = envelope.length - TAG_BYTES;
      return Buffer.concat([
        envelope.subarray(0, NONCE_BYTES),
        envelope.subarray(tagAt),
        envelope.subarray(NONCE_BYTES, tagAt),
      ]);
    },
    open(sealed, about) {
      const textAt = NONCE_BYTES + TAG_BYTES;
      const envelope = [sealed.subarray(0, NONCE_BYTES), sealed.subarray(textAt), sealed.subarray(NONCE_BYTES, textAt)];
      const secret = open(key, Buffer.concat(envelope), about);
      if (secret === null) throw new Error("a sealed secret of an account does not open");
      return secret;
    },
  };
}
