import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { PostgresFailure } from "./failure.ts";

/**
 * The operating system's user that PostgreSQL runs as. PostgreSQL refuses root, rightly: a hole in it would be a hole in everything.
 * `drop` is set when this process is root and its children must become that user.
 */
export interface DatabaseUser {
  readonly name: string;
  readonly drop: { readonly uid: number; readonly gid: number } | null;
}

/** Our own user first; Debian's where it is there; else our own is created. */
const CANDIDATES = ["holdfast-db", "postgres"] as const;

/** Children get nothing of this process's environment: no proxy, no preload, no locale, no PG* variable. */
export const CLEAN_ENVIRONMENT = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8", TZ: "UTC" } as const;

export function databaseUser(): Result<DatabaseUser, PostgresFailure> {
  const self = userInfo();
  if (self.uid !== 0) return ok({ name: self.username, drop: null });

  const existing = firstKnown();
  if (existing !== undefined) return ok(existing);
  spawnSync("useradd", ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", CANDIDATES[0]], {
    env: CLEAN_ENVIRONMENT,
  });
  const created = firstKnown();
  if (created !== undefined) return ok(created);
  return err({
    code: "postgres.no_database_user",
    message: `PostgreSQL does not run as root and the user ${CANDIDATES[0]} could not be created: create it, run Holdfast as another user, or set DATABASE_URL`,
  });
}

/** True when that user can reach the file or directory and run or enter it. Asked of the kernel as that user, so that ACLs count too. */
export function mayUse(user: DatabaseUser, path: string): boolean {
  return spawnSync("test", ["-x", path], { ...user.drop, env: CLEAN_ENVIRONMENT }).status === 0;
}

function firstKnown(): DatabaseUser | undefined {
  const accounts = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  for (const name of CANDIDATES) {
    const account = accounts.find((fields) => fields[0] === name);
    const [uid, gid] = [Number(account?.[2]), Number(account?.[3])];
    if (uid > 0 && gid > 0) return { name, drop: { uid, gid } };
  }
  return undefined;
}
