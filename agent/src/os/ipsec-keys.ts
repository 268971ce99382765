import { lstatSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { IpsecKey } from "@holdfast/core/plan/ipsec-state.ts";
import { parseItemName } from "@holdfast/core/policy/name.ts";
import { parseKeyFile } from "@holdfast/domains/vpn/conn.ts";
import { errorCode, readTextIfThere, removeFileDurably, writeFileDurably } from "./files.ts";

/**
 * Pre-shared keys. They lie on the server, where an administrator or the guard put them, and are read at the moment in which strongSwan gets
 * them: no plan, no snapshot, no log and no answer ever holds one.
 */
/** Beside the boot file of the tunnels, and nobody's but root's. */
const BOOT_KEYS_FILE = "/etc/swanctl/conf.d/holdfast-keys.conf";
const BOOT_KEYS_MODE = 0o600;

/** Characters. A shorter key can be tried out by whoever has seen one exchange (RFC 7296, 2.15); a longer one is no key. */
const SHORTEST_KEY = 20;
const LONGEST_KEY = 1024;

/** Every file in the folder, with what is wrong with it; null where it can be used. */
export function readKeyNames(folder: string): { readonly [name: string]: string | null } {
  let names: readonly string[];
  try {
    names = readdirSync(folder).toSorted();
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return {};
    throw error;
  }
  return Object.fromEntries(
    names.filter((name) => parseItemName(name).ok).map((name) => [name, problemOf(readKeyAt(join(folder, name)))]),
  );
}

function problemOf(key: Result<string, string>): string | null {
  return key.ok ? null : key.error;
}

/** The key of this name, wherever keys of its kind lie. */
export function readKey(root: string, file: string): Result<string, string> {
  const place = parseKeyFile(file);
  return place.ok ? readKeyAt(join(root, place.value.path)) : place;
}

/** The key in a file that nobody but root can have written or read. */
function readKeyAt(path: string): Result<string, string> {
  const folder = dirname(path);
  try {
    for (const place of [folder, path]) {
      const stat = lstatSync(place);
      if (place === path && !stat.isFile()) return err("it is no plain file");
      if (stat.uid !== 0) return err(`${place === path ? "it" : "its folder"} belongs to another account than root`);
      if ((stat.mode & (place === path ? 0o077 : 0o022)) !== 0)
        return err(place === path ? "others than root may read or write it" : "others may write into its folder");
    }
    const key = (readTextIfThere(path) ?? "").replace(/\r?\n$/, "");
    if (key.length < SHORTEST_KEY || key.length > LONGEST_KEY)
      return err(`it has ${key.length} characters, and a key has from ${SHORTEST_KEY} to ${LONGEST_KEY}`);
    return /^[\x21-\x7e]+$/.test(key) ? ok(key) : err("it holds something else than one line of plain characters");
  } catch (error) {
    return err(
      errorCode(error) === "ENOENT" ? "there is no such file" : `it cannot be read (${errorCode(error) ?? ""})`,
    );
  }
}

/** The identities that a key proves. Whoever it is loaded for may come in as any of them, so this end's own, in old notes, is none. */
export function provenBy({ owners }: IpsecKey): readonly string[] {
  return owners.slice(-1);
}

/** What strongSwan loads when it starts: all of these keys, or no file. A key that cannot be read leaves the file as it is. */
export function writeBootKeys(root: string, keys: readonly IpsecKey[]): Result<null, string> {
  const path = join(root, BOOT_KEYS_FILE);
  try {
    if (keys.length === 0) {
      if (errorCodeOfFolder(dirname(path)) === null) removeFileDurably(path);
      return ok(null);
    }
    const lines: string[] = [];
    for (const key of keys) {
      const read = readKey(root, key.file);
      if (!read.ok) return err(`the key ${key.file} cannot be used: ${read.error}`);
      const ids = provenBy(key).map((owner, index) => `    id-${index + 1} = "${owner}"`);
      // In base64 no character of a key can mean anything else.
      const secret = `0s${Buffer.from(read.value, "utf8").toString("base64")}`;
      lines.push(`  ${key.id} {`, ...ids, `    secret = "${secret}"`, "  }");
    }
    writeFileDurably(path, ["# Written by Holdfast.", "secrets {", ...lines, "}", ""].join("\n"), BOOT_KEYS_MODE);
    return ok(null);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

function errorCodeOfFolder(path: string): string | null {
  try {
    readdirSync(path);
    return null;
  } catch (error) {
    return errorCode(error) ?? "unreadable";
  }
}
