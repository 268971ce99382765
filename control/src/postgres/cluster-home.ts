import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { CLEAN_ENVIRONMENT, mayUse, type DatabaseUser } from "./database-user.ts";
import type { PostgresFailure } from "./failure.ts";
import { signerAccount } from "./signer-account.ts";

/**
 * The directories of one embedded PostgreSQL. The home is the control plane's own and holds what PostgreSQL may read but not change; only
 * `cluster` and the socket directory belong to the database user, so nothing that root writes can be redirected by it.
 */
export interface ClusterHome {
  readonly root: string;
  readonly cluster: string;
  /** Where initdb works until it is complete. */
  readonly halfMade: string;
  readonly hba: string;
  readonly ident: string;
  readonly socketDirectory: string;
  /** Gives the home up. */
  release(): void;
}

/** Linux limits the path of a unix socket to 107 bytes; `.s.PGSQL.5432` and a slash come after the directory. */
const LONGEST_SOCKET_DIRECTORY = 107 - "/.s.PGSQL.5432".length;

/** A control plane that has just been killed takes a moment to be gone; one that is alive keeps the lock longer than this. In seconds. */
const PREDECESSOR_ENDS_WITHIN_S = "3";

/** Where the database goes when the database user cannot enter the data directory, for example in root's home. */
export const OUTSIDE = "/var/lib/holdfast-database";

/** Takes the home for this process. Only one process has it, also after a crash: the kernel lets go of the lock when its holder ends. */
export function openClusterHome(
  path: string,
  outside: string,
  user: DatabaseUser,
): Result<ClusterHome, PostgresFailure> {
  const reached = reachable(path, outside, user);
  if (!reached.ok) return reached;
  const root = reached.value;

  const lock = openSync(join(root, "supervisor.lock"), "w", 0o600);
  // Node has no flock(2); a lock that a child takes on an inherited descriptor belongs to the open file, which is ours too.
  const locked = spawnSync("flock", ["--timeout", PREDECESSOR_ENDS_WITHIN_S, "3"], {
    stdio: ["ignore", "ignore", "ignore", lock],
    env: CLEAN_ENVIRONMENT,
  });
  if (locked.status !== 0) {
    closeSync(lock);
    return err({
      code: "postgres.in_use",
      message: `another control plane is running on the database in ${root}: stop it, or give this one another HOLDFAST_DATA_DIR`,
    });
  }

  let socketDirectory = join(root, "socket");
  const isShort = Buffer.byteLength(socketDirectory) <= LONGEST_SOCKET_DIRECTORY;
  if (isShort) mkdirSync(socketDirectory, { recursive: true, mode: 0o710 });
  else socketDirectory = mkdtempSync(join(tmpdir(), "holdfast-db-"));
  // Only the database's own user, root and the signer's group come as far as the socket; there the kernel says who is asking.
  chmodSync(socketDirectory, 0o710);
  if (user.drop !== null) chownSync(socketDirectory, user.drop.uid, (signerAccount() ?? user.drop).gid);

  return ok({
    root,
    cluster: join(root, "cluster"),
    halfMade: join(root, "cluster.half-made"),
    hba: join(root, "hba.conf"),
    ident: join(root, "ident.conf"),
    socketDirectory,
    release() {
      if (!isShort) rmSync(socketDirectory, { recursive: true, force: true });
      closeSync(lock);
    },
  });
}

/** The home itself, or a symbolic link at its place that leads to a home which the database user can enter. */
function reachable(path: string, outside: string, user: DatabaseUser): Result<string, PostgresFailure> {
  if (isLink(path) && !existsSync(path)) {
    return err({
      code: "postgres.unreachable_directory",
      message: `${path} leads to ${readlinkSync(path)}, which is gone: put the database back there, or remove the link to begin with an empty one`,
    });
  }
  if (!existsSync(path)) {
    mkdirSync(path, { recursive: true, mode: 0o711 });
    if (!mayUse(user, path)) {
      rmSync(path, { recursive: true });
      mkdirSync(outside, { recursive: true, mode: 0o711 });
      const home = join(outside, randomBytes(8).toString("hex"));
      mkdirSync(home, { mode: 0o711 });
      symlinkSync(home, path);
    }
  }
  const root = realpathSync(path);
  if (mayUse(user, root)) return ok(root);
  return err({
    code: "postgres.unreachable_directory",
    message: `the user ${user.name}, as whom PostgreSQL runs, cannot enter ${root}: allow it (chmod o+x on each directory above), or set HOLDFAST_DATA_DIR to a place it can enter`,
  });
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}
