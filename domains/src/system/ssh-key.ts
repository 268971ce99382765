import { err, ok, type Result } from "@holdfast/core/base/result.ts";

/**
 * Public keys, one line each, as they stand in authorized_keys. Options before a key (a command, an environment) are no part of it: they
 * would make a key a program.
 */
const HEADS: Readonly<Record<string, string>> = {
  // How the encoded key begins: its length and its own name once more (RFC 4253, 6.6).
  "ssh-ed25519": "AAAAC3NzaC1lZDI1NTE5AAAAI",
  "ssh-rsa": "AAAAB3NzaC1yc2EAAAAD",
  "ecdsa-sha2-nistp256": "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY",
  "ecdsa-sha2-nistp384": "AAAAE2VjZHNhLXNoYTItbmlzdHAzODQ",
  "ecdsa-sha2-nistp521": "AAAAE2VjZHNhLXNoYTItbmlzdHA1MjE",
  "sk-ssh-ed25519@openssh.com": "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t",
  "sk-ecdsa-sha2-nistp256@openssh.com": "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20",
};

/** An RSA key of 16,384 bits has 2,800 characters. */
const LONGEST_KEY = 4000;
const LONGEST_COMMENT = 100;

export function parsePublicKey(text: string): Result<string, string> {
  const [type = "", body = "", ...comment] = text.split(" ");
  const shown = JSON.stringify(text.slice(0, 40));
  if (text.length > LONGEST_KEY) return err(`${shown}… is too long for a public key`);
  const head = Object.hasOwn(HEADS, type) ? HEADS[type] : undefined;
  if (head === undefined)
    return err(`${shown} does not begin with the kind of a key, like ssh-ed25519; options before it are not taken`);
  if (!/^[A-Za-z0-9+/]{50,}={0,2}$/.test(body) || !body.startsWith(head))
    return err(`${shown} is not a public key of the kind ${type}; copy the whole line of the .pub file`);
  const note = comment.join(" ");
  return note.length <= LONGEST_COMMENT && /^[\x21-\x7e]*( [\x21-\x7e]+)*$/.test(note)
    ? ok(text)
    : err(`${shown} has a comment that is too long, or holds characters that no comment needs`);
}

/** Where our keys stand: below root's own folder, so that nobody's home has to be trusted or written. */
export const KEY_FOLDER = "/etc/ssh/holdfast-keys";
/** The same in the words of sshd. */
export const KEY_PATTERN = `${KEY_FOLDER}/%u`;

const HEAD = "# Made by Holdfast from a policy; changes here are overwritten.";

export function keysText(keys: readonly string[]): string {
  return `${[HEAD, ...keys].join("\n")}\n`;
}

export function keysIn(text: string): readonly string[] {
  return text.split("\n").filter((line) => parsePublicKey(line).ok);
}

/** Whether a text could be ours: our head, and keys without options. */
export function parseKeysText(text: string): Result<null, string> {
  const [head, ...lines] = text.split("\n");
  if (head !== HEAD || lines.pop() !== "") return err("this is no list of keys of ours");
  for (const line of lines) {
    const key = parsePublicKey(line);
    if (!key.ok) return key;
  }
  return ok(null);
}
