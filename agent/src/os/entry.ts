import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Entry } from "@holdfast/core/domain.ts";
import { errorCode } from "./files.ts";

/** Bytes. Longer files are not configuration that a policy would hold, and every snapshot would carry them. */
const LONGEST_TEXT = 256 * 1024;

/** What stands at a path. A link is not followed, so that nobody is led elsewhere by it. */
export function readEntry(path: string): Entry {
  try {
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) return { type: "link", target: readlinkSync(path) };
    if (!stat.isFile()) return { type: "other", why: "it is neither a file nor a link" };
    if (stat.uid !== 0 || stat.gid !== 0) return { type: "other", why: "it belongs to another account than root" };
    if (stat.size > LONGEST_TEXT) return { type: "other", why: `it has more than ${LONGEST_TEXT} bytes` };
    const bytes = readWithoutFollowing(path);
    const text = bytes.toString("utf8");
    // Only what comes back byte for byte can be put back.
    if (!Buffer.from(text, "utf8").equals(bytes)) return { type: "other", why: "it is not UTF-8 text" };
    return { type: "file", mode: stat.mode & 0o7777, text };
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return { type: "absent" };
    return { type: "other", why: `it cannot be read (${code ?? String(error)})` };
  }
}

function readWithoutFollowing(path: string): Buffer {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Texts of a folder by name, in the order of names; a file that cannot be read has the text "". */
export function readFolder(path: string, suffix: string): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  let names: readonly string[];
  try {
    names = readdirSync(path).toSorted();
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return texts;
    throw error;
  }
  for (const name of names.filter((one) => one.endsWith(suffix))) texts[name] = shortText(join(path, name));
  return texts;
}

function shortText(path: string): string {
  let descriptor;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(descriptor);
    return stat.isFile() && stat.size <= LONGEST_TEXT ? readFileSync(descriptor, "utf8") : "";
  } catch {
    return "";
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
