import { randomBytes } from "node:crypto";
import { closeSync, openSync, readlinkSync, readSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { zoneOfTarget } from "@holdfast/domains/system/timezone.ts";
import { errorCode, removeFileDurably, syncDirectory } from "./files.ts";

const LINK = "/etc/localtime";
const ZONES = "/usr/share/zoneinfo";

/** Whether this server knows the zone: a file there that begins as zone files do (RFC 8536). */
export function knowsZone(root: string, target: string): Result<null, string> {
  const zone = zoneOfTarget(target);
  if (zone === null) return err(`${target} is not below ${ZONES}`);
  try {
    const descriptor = openSync(join(root, ZONES, zone), "r");
    try {
      const magic = new Uint8Array(4);
      readSync(descriptor, magic, 0, magic.length, 0);
      return Buffer.from(magic).toString("latin1") === "TZif" ? ok(null) : err(`${zone} is not a time zone`);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return err(
      errorCode(error) === "ENOENT"
        ? `this server does not know the time zone ${zone}`
        : `the time zone ${zone} cannot be read (${errorCode(error) ?? String(error)})`,
    );
  }
}

/** Makes the link point there, in one act; null takes it away. */
export function pointLocaltime(root: string, target: string | null): Result<null, string> {
  const path = join(root, LINK);
  try {
    if (target === null) {
      removeFileDurably(path);
      return ok(null);
    }
    const temporary = join(dirname(path), `.${randomBytes(6).toString("hex")}.new`);
    try {
      symlinkSync(target, temporary);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    syncDirectory(dirname(path));
    return readlinkSync(path) === target ? ok(null) : err(`${LINK} does not point to ${target}`);
  } catch (error) {
    return err(`${LINK}: ${errorCode(error) ?? String(error)}`);
  }
}
