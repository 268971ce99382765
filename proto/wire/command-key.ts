import { SIGNED_TEXT } from "./session.ts";

/** What a command key signs to say which one comes after it. Both are raw Ed25519 public keys in lower-case hex. */
export function commandKeyLinkText(previousHex: string, nextHex: string): string {
  return `${SIGNED_TEXT.commandKey}${previousHex}\n${nextHex}`;
}
