import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { lstatSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { IpsecKey } from "@holdfast/core/plan/ipsec-state.ts";
import { parseItemName } from "@holdfast/core/policy/name.ts";
import {
  certificateFile,
  CERTIFICATE_FOLDER,
  certificatePem,
  parseKeyFile,
  privateKeyId,
} from "@holdfast/domains/vpn/conn.ts";
import { errorCode, namesIn, readTextIfThere, removeFileDurably, writeFileDurably } from "./files.ts";

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

/** A private key of the store, in PEM: the base64 of its PKCS #8, and the one that this number is of. */
export function readPrivateKey(root: string, file: string, id: string): Result<string, string> {
  const read = readKey(root, file);
  if (!read.ok) return read;
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: Buffer.from(read.value, "base64"), format: "der", type: "pkcs8" });
  } catch {
    return err("it is no private key");
  }
  return keyIdOf(key) === id
    ? ok(key.export({ type: "pkcs8", format: "pem" }).toString())
    : err("it is not the key of this certificate");
}

/** As strongSwan has it: the SHA-1 of the bits of the public key, which of an elliptic curve are an uncompressed point. */
function keyIdOf(key: KeyObject): string {
  const jwk = createPublicKey(key).export({ format: "jwk" });
  if (jwk.kty !== "EC" || jwk.x === undefined || jwk.y === undefined) return "";
  const point = [Buffer.from([4]), Buffer.from(jwk.x, "base64url"), Buffer.from(jwk.y, "base64url")];
  return createHash("sha1").update(Buffer.concat(point)).digest("hex");
}

/** strongSwan loads every private key in here when it starts. */
const PRIVATE_FOLDER = "/etc/swanctl/private";
const PRIVATE_NAME = /^holdfast-[0-9a-f]{40}\.pem$/;
const CERTIFICATE_NAME = /^holdfast-[0-9a-f]{16}\.pem$/;

/**
 * What strongSwan loads when it starts: all of these keys and certificates, and no others of ours. A key that cannot be read leaves everything as it
 * is. Certificates come before the keys, since the file of the connections that names them comes after both.
 */
export function writeBootKeys(
  root: string,
  keys: readonly IpsecKey[],
  certificates: readonly string[] = [],
): Result<null, string> {
  try {
    const files = new Map<string, string>();
    for (const { id, file } of keys) {
      const number = privateKeyId(id);
      if (number === null) continue;
      const read = readPrivateKey(root, file, number);
      if (!read.ok) return err(`the key ${file} cannot be used: ${read.error}`);
      files.set(join(root, PRIVATE_FOLDER, `holdfast-${number}.pem`), read.value);
    }
    const shared = writeSharedKeys(
      root,
      keys.filter(({ id }) => privateKeyId(id) === null),
    );
    if (!shared.ok) return shared;
    for (const one of certificates) files.set(join(root, certificateFile(one)), certificatePem(one));
    for (const [path, text] of files) {
      if (readTextIfThere(path) !== text) writeFileDurably(path, text, BOOT_KEYS_MODE);
    }
    for (const [folder, isOurs] of [
      [join(root, PRIVATE_FOLDER), PRIVATE_NAME],
      [join(root, CERTIFICATE_FOLDER), CERTIFICATE_NAME],
    ] as const)
      for (const name of namesIn(folder))
        if (isOurs.test(name) && !files.has(join(folder, name))) removeFileDurably(join(folder, name));
    return ok(null);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

/** All of these keys, or no file. */
function writeSharedKeys(root: string, keys: readonly IpsecKey[]): Result<null, string> {
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
