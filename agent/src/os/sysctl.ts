import { closeSync, constants, openSync, readdirSync, readFileSync, readlinkSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { normalSysctlValue, sysctlPath } from "@holdfast/domains/system/sysctl-key.ts";
import { errorCode } from "./files.ts";

/** Kernel settings below /proc/sys: read all, set one, and see whether one could be set. */

/** What holds settings; `dev`, `debug` and `abi` are about hardware and debugging. */
const FOLDERS = ["fs", "kernel", "net", "user", "vm"] as const;
/** Looking into it mounts a file system, which hangs where systemd is not up yet. */
const NEVER_ENTERED = new Set(["fs/binfmt_misc"]);
/** Bytes. The longest setting of a stock kernel has a few hundred. */
const LONGEST_VALUE = 4096;

/** Every setting that can be read, by key. What cannot be read (some are written only) is left out. */
export function readSysctlTree(folder: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const walk = (relative: string): void => {
    if (NEVER_ENTERED.has(relative)) return;
    let entries;
    try {
      entries = readdirSync(join(folder, relative), { withFileTypes: true });
    } catch (error) {
      // An interface that went away meanwhile, or a folder that this kernel does not have.
      if (errorCode(error) === "ENOENT" || errorCode(error) === "EACCES") return;
      throw error;
    }
    for (const entry of entries) {
      const path = `${relative}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else {
        const value = readValue(join(folder, path));
        if (value !== null) found[keyOf(path)] = value;
      }
    }
  };
  for (const one of FOLDERS) walk(one);
  return found;
}

/** A dot inside a name (an interface eth0.100) is written as a slash. */
function keyOf(path: string): string {
  return path
    .split("/")
    .map((part) => part.replaceAll(".", "/"))
    .join(".");
}

function readValue(path: string): string | null {
  let descriptor;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const bytes = new Uint8Array(LONGEST_VALUE);
    const length = readSync(descriptor, bytes, 0, LONGEST_VALUE, 0);
    return length === LONGEST_VALUE ? null : normalSysctlValue(Buffer.from(bytes.subarray(0, length)).toString("utf8"));
  } catch {
    return null;
  } finally {
    closeSync(descriptor);
  }
}

/** Process ids of the machine itself, and not of a container on it (PROC_PID_INIT_INO in linux/proc_ns.h). */
export const MACHINES_OWN = "pid:[4026531836]";

/**
 * A container has network settings of its own. All others are those of the machine that it runs on, and of everybody there; a /proc that is
 * mounted anew, as for a unit of ours, would let them be written all the same.
 */
function isOurs(key: string): Result<null, string> {
  if (key.startsWith("net.") || readlinkSync("/proc/self/ns/pid") === MACHINES_OWN) return ok(null);
  return err(`this server is a container, and ${key} is a setting of the machine that it runs on`);
}

/** Sets one and reads it back: the kernel rounds some values and takes others only in part. */
export function setSysctl(folder: string, key: string, value: string): Result<null, string> {
  const own = isOurs(key);
  if (!own.ok) return own;
  const path = join(folder, sysctlPath(key));
  try {
    writeInOne(path, value);
  } catch (error) {
    return err(`the kernel refuses ${key} = ${value} (${errorCode(error) ?? String(error)})`);
  }
  const found = readValue(path);
  if (found === normalSysctlValue(value)) return ok(null);
  return err(`${key} was set to ${value}, and reads back as ${found ?? "nothing"}`);
}

/** Whether the kernel would let this be written at all; nothing is written. */
export function canSetSysctl(folder: string, key: string): Result<null, string> {
  const own = isOurs(key);
  if (!own.ok) return own;
  try {
    closeSync(openSync(join(folder, sysctlPath(key)), constants.O_WRONLY));
    return ok(null);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return err(`the kernel of this server has no setting ${key}`);
    return err(`the kernel does not let ${key} be set here (${code ?? String(error)})`);
  }
}

export function setHostname(folder: string, name: string): Result<null, string> {
  const path = join(folder, "kernel/hostname");
  try {
    if (readFileSync(path, "utf8").trimEnd() !== name) writeInOne(path, name);
    const found = readFileSync(path, "utf8").trimEnd();
    return found === name ? ok(null) : err(`the name was set to ${name}, and reads back as ${found}`);
  } catch (error) {
    return err(`the kernel does not take the name ${name} (${errorCode(error) ?? String(error)})`);
  }
}

/** The kernel reads a setting from one write; a second one would be another setting. */
function writeInOne(path: string, text: string): void {
  const descriptor = openSync(path, constants.O_WRONLY);
  try {
    const bytes = Buffer.from(`${text}\n`, "utf8");
    if (writeSync(descriptor, bytes, 0, bytes.length) !== bytes.length) throw new Error("a part was written");
  } finally {
    closeSync(descriptor);
  }
}
