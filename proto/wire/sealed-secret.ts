import { SIGNED_TEXT } from "./session.ts";

/**
 * How a secret is sealed for one server, spelled alike by both ends:
 *   shared  = X25519(ephemeral key of the control plane, sealing key of the guard)
 *   key     = HKDF-SHA256(shared, salt: ephemeral public key + sealing public key, info: SEALING_INFO), 32 bytes
 *   sealed  = nonce (12 bytes) + AES-256-GCM(key, value, additional data: `sealedAbout`) + tag (16 bytes)
 * Public keys are raw, 32 bytes.
 */
export const SEALING_INFO = "holdfast-sealed-secret-v1\n";
export const SEALING_KEY_BYTES = 32;
export const SEALED_NONCE_BYTES = 12;
export const SEALED_TAG_BYTES = 16;

/** What a sealed secret is of: one that is shown to another server, in another transaction or under another name does not open. */
export function sealedAbout(of: {
  readonly serverId: string;
  readonly requestId: string;
  readonly file: string;
}): string {
  return `${of.serverId}\n${of.requestId}\n${of.file}`;
}

/** What the guard's receipt key signs, so that nobody between guard and control plane can put a sealing key of theirs in its place. */
export function sealingKeyText(serverId: string, sealingKeyHex: string): string {
  return `${SIGNED_TEXT.sealingKey}${serverId}\n${sealingKeyHex}`;
}
