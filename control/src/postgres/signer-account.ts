import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { CLEAN_ENVIRONMENT } from "./database-user.ts";

/** The operating system's user of a signer that has one of its own. */
export const SIGNER_USER = "holdfast-signer";

export interface SignerAccount {
  readonly uid: number;
  readonly gid: number;
}

/** That user; root makes it where it is missing. Null where there is none, and where this process could not become it. */
export function signerAccount(): SignerAccount | null {
  if (process.getuid?.() !== 0) return null;
  const known = accountOf(SIGNER_USER);
  if (known !== null) return known;
  spawnSync("useradd", ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SIGNER_USER], {
    env: CLEAN_ENVIRONMENT,
  });
  return accountOf(SIGNER_USER);
}

function accountOf(name: string): SignerAccount | null {
  const fields = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .find(([first]) => first === name);
  const [uid, gid] = [Number(fields?.[2]), Number(fields?.[3])];
  return uid > 0 && gid > 0 ? { uid, gid } : null;
}
