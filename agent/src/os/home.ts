import { randomBytes } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { readTextIfThere, syncDirectory } from "./files.ts";

const HOMES = "/home";
const SKELETON = "/etc/skel";
/** What Debian gives to a new home (HOME_MODE in login.defs). */
const MODE = 0o700;

/** A home that could not be made would keep a confirmed change from being finished, so it is asked before. */
export function canMakeHome(root: string, name: string): Result<null, string> {
  if (existsSync(join(root, HOMES, name))) return ok(null);
  try {
    accessSync(join(root, HOMES), constants.W_OK);
    return ok(null);
  } catch {
    return err(`nobody can make a home in ${HOMES} of this server`);
  }
}

/**
 * Makes /home/NAME from the server's own skeleton, where the account names it and nothing is there; it appears whole or not at all. Another
 * home than that is nothing that we would make.
 */
export function makeHome(root: string, name: string): Result<null, string> {
  const home = join(root, HOMES, name);
  const line = (readTextIfThere(join(root, "/etc/passwd")) ?? "")
    .split("\n")
    .map((text) => text.split(":"))
    .find(([first]) => first === name);
  const [, , uid = "", gid = "", , stated] = line ?? [];
  if (stated !== `${HOMES}/${name}` || existsSync(home)) return ok(null);
  const owner = { uid: Number(uid), gid: Number(gid) };
  const temporary = join(root, HOMES, `.${name}.${randomBytes(6).toString("hex")}.new`);
  try {
    mkdirSync(temporary, { mode: MODE });
    copyInto(join(root, SKELETON), temporary, owner);
    chmodSync(temporary, MODE);
    lchownSync(temporary, owner.uid, owner.gid);
    renameSync(temporary, home);
    syncDirectory(join(root, HOMES));
    return ok(null);
  } catch (error) {
    return err(`${HOMES}/${name} could not be made: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Folders are given away after what is in them: until then nobody but root can change what is being written. */
function copyInto(from: string, to: string, owner: { readonly uid: number; readonly gid: number }): void {
  if (!existsSync(from)) return;
  for (const name of readdirSync(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    const stat = lstatSync(source);
    if (stat.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (stat.isDirectory()) {
      mkdirSync(target, { mode: 0o700 });
      copyInto(source, target, owner);
      chmodSync(target, stat.mode & 0o777);
    } else if (stat.isFile()) {
      copyFileSync(source, target, constants.COPYFILE_EXCL);
      chmodSync(target, stat.mode & 0o777);
    } else continue;
    lchownSync(target, owner.uid, owner.gid);
  }
}
