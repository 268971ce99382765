import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Account } from "@holdfast/core/domain.ts";
import { errorCode, readTextIfThere } from "./files.ts";

/** Where sshd looks unless it is told otherwise (sshd_config(5), AuthorizedKeysFile). */
const KEY_FILES = [".ssh/authorized_keys", ".ssh/authorized_keys2"] as const;
/** Bytes; somebody with more keys than this has enough to get in. */
const LONGEST_KEY_FILE = 1024 * 1024;

/** The accounts that this server's own files know, with whether they could log in. Neither keys nor hashes leave this function. */
export function readAccounts(root: string, folder: string): readonly Account[] {
  const groups = fieldsOf(join(root, folder, "group"));
  const shadow = shadowOf(join(root, folder, "shadow"));
  return fieldsOf(join(root, folder, "passwd")).flatMap(
    ([name = "", , uid = "", gid, comment = "", home = "", shell = ""]) => {
      if (name === "" || !/^\d+$/.test(uid)) return [];
      const own = groups.flatMap(([group = "", , id, members = ""]) =>
        id === gid || members.split(",").includes(name) ? [group] : [],
      );
      return [
        {
          name,
          uid: Number(uid),
          shell,
          groups: own.toSorted(),
          primary: groups.find(([, , id]) => id === gid)?.[0] ?? "",
          comment,
          expires: shadow === null ? null : (shadow.get(name)?.expires ?? ""),
          keys: home.startsWith("/") ? keysBelow(join(root, home)) : 0,
          password: shadow === null ? "unknown" : (shadow.get(name)?.password ?? "locked"),
        },
      ];
    },
  );
}

function fieldsOf(path: string): readonly (readonly string[])[] {
  return (readTextIfThere(path) ?? "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(":"));
}

interface Shadow {
  readonly password: Account["password"];
  readonly expires: string;
}

function shadowOf(path: string): ReadonlyMap<string, Shadow> | null {
  try {
    return new Map(
      fieldsOf(path).map(([name = "", hash = "", , , , , , expires = ""]) => [
        name,
        { password: /^[!*]/.test(hash) || hash === "" ? "locked" : "set", expires },
      ]),
    );
  } catch {
    return null;
  }
}

function keysBelow(home: string): number | null {
  let count = 0;
  for (const file of KEY_FILES) {
    const found = keysIn(join(home, file));
    if (found === null) return null;
    count += found;
  }
  return count;
}

/** What lies in somebody's home is not to be trusted: no link is followed and nothing that could block is read. */
function keysIn(path: string): number | null {
  let descriptor;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(descriptor);
    if (!stat.isFile() || stat.size > LONGEST_KEY_FILE) return null;
    return readFileSync(descriptor, "utf8").split("\n").filter(isKey).length;
  } catch (error) {
    return errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR" ? 0 : null;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function isKey(line: string): boolean {
  return /(?:^|\s)(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp\d+|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)\s+[A-Za-z0-9+/]{40,}/.test(
    line.trimStart().startsWith("#") ? "" : line,
  );
}
