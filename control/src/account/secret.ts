import { randomBytes, randomInt } from "node:crypto";

/** What looks for secrets in what was committed or logged finds ours by it, and no command line takes one for an option. */
const MARK = "hf_";

/** 256 bits: nobody guesses it, so its plain SHA-256 may be kept. */
export function newSecret(): string {
  return MARK + randomBytes(32).toString("base64url");
}

/** Without letters and digits that look like others: it is read from a terminal and typed into a form. */
const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";
/** 20 of 31 letters are 99 bits. */
const LENGTH = 20;

/** A password for once, in groups that an eye can follow. */
export function newOneTimePassword(): string {
  const letters = Array.from({ length: LENGTH }, () => LETTERS.charAt(randomInt(LETTERS.length)));
  return letters.join("").replace(/(.{5})(?=.)/g, "$1-");
}
