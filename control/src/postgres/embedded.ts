/**
 * Supervises the PostgreSQL that comes with Holdfast: a real one, started and kept running by the control plane, reached over a unix
 * socket only.
 *
 *   E1. One supervisor per home. A second one is refused; a dead one's lock is free.
 *   E2. While the supervisor lives, a postmaster that ends is started again, with a growing pause. When the supervisor is killed, the
 *       kernel tells PostgreSQL to stop; what is left of it all the same is stopped by the next supervisor before it starts its own.
 *   E3. A cluster is there whole or not at all: initdb works beside its place and is moved there when complete.
 *   E4. Who speaks is the kernel's word (peer authentication): the operating system's user of the control plane, and the signer's as its role; no passwords.
 */
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { embeddedBinaries, type PostgresBinaries } from "./binaries.ts";
import { openClusterHome, OUTSIDE, type ClusterHome } from "./cluster-home.ts";
import type { ConnectionTarget } from "./connection-target.ts";
import { databaseUser, type DatabaseUser } from "./database-user.ts";
import type { PostgresFailure } from "./failure.ts";
import { orphanPid, runInitdb, startPostmaster, stopPostmaster, type LogLine, type Postmaster } from "./postmaster.ts";
import { SIGNER_USER } from "./signer-account.ts";

export const SUPERUSER = "holdfast_superuser";
export const OWNER_ROLE = "holdfast_owner";
export const APP_ROLE = "holdfast_app";
/** Reads what the signer of commands has to know, and nothing else. */
export const SIGNER_ROLE = "holdfast_signer";

/** The first pause before a postmaster that ended is started again; it doubles up to the second. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** After this long a postmaster counts as healthy and the pause begins anew. */
const HEALTHY_AFTER_MS = 60_000;

export interface EmbeddedOptions {
  /** The database's own directory, usually `<data directory>/database`. */
  readonly home: string;
  /** What PostgreSQL writes to its log, and what the supervisor has to say. */
  readonly log: LogLine;
  /** Another installation than the one that comes with Holdfast. */
  readonly binaries?: PostgresBinaries;
  /** Where database and binaries go when the database user cannot enter their usual places. */
  readonly outside?: string;
  /** Server settings beside our own. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres {
  readonly major: number;
  /** The postmaster at this moment. */
  pid(): number;
  target(user: string, database: string): ConnectionTarget;
  /** Resolves when PostgreSQL is down and its home is free. */
  stop(): Promise<void>;
}

export async function startEmbedded(options: EmbeddedOptions): Promise<Result<EmbeddedPostgres, PostgresFailure>> {
  const user = databaseUser();
  if (!user.ok) return user;
  const outside = options.outside ?? OUTSIDE;
  const binaries = options.binaries === undefined ? embeddedBinaries(user.value, outside) : ok(options.binaries);
  if (!binaries.ok) return binaries;
  const home = openClusterHome(options.home, outside, user.value);
  if (!home.ok) return home;

  const started = await prepareAndStart(binaries.value, home.value, user.value, options);
  if (!started.ok) {
    home.value.release();
    return started;
  }
  return ok(supervise(started.value, binaries.value, home.value, user.value, options));
}

async function prepareAndStart(
  binaries: PostgresBinaries,
  home: ClusterHome,
  user: DatabaseUser,
  options: EmbeddedOptions,
): Promise<Result<Postmaster, PostgresFailure>> {
  const orphan = orphanPid(home.cluster);
  if (orphan !== undefined) {
    options.log(`a PostgreSQL without its control plane is still running as process ${orphan}: stopping it`);
    if (!(await stopPostmaster(orphan))) {
      return err({
        code: "postgres.orphan_will_not_end",
        message: `process ${orphan} holds ${home.cluster} and does not end: end it by hand`,
      });
    }
  }
  const made = await makeCluster(binaries, home, user, options.log);
  if (!made.ok) return made;
  writeAccessRules(home, user);

  // After a kill of the postmaster its children may hold the shared memory for a moment longer.
  let attempt = await startPostmaster(binaries, home, user, options.settings ?? {}, options.log);
  for (let pauseMs = FIRST_PAUSE_MS; !attempt.ok && pauseMs <= 1_600; pauseMs *= 2) {
    await sleep(pauseMs);
    attempt = await startPostmaster(binaries, home, user, options.settings ?? {}, options.log);
  }
  return attempt;
}

async function makeCluster(
  binaries: PostgresBinaries,
  home: ClusterHome,
  user: DatabaseUser,
  log: LogLine,
): Promise<Result<null, PostgresFailure>> {
  const versionFile = join(home.cluster, "PG_VERSION");
  if (existsSync(versionFile)) {
    const major = Number(readFileSync(versionFile, "utf8"));
    if (major === binaries.major) return ok(null);
    return err({
      code: "postgres.other_version",
      message: `the database in ${home.cluster} was made by PostgreSQL ${major}, this is ${binaries.major}: move it with pg_dump and pg_restore (docs/database.md)`,
    });
  }
  rmSync(home.halfMade, { recursive: true, force: true });
  mkdirSync(home.halfMade, { mode: 0o700 });
  if (user.drop !== null) chownSync(home.halfMade, user.drop.uid, user.drop.gid);
  if (!(await runInitdb(binaries, home.halfMade, SUPERUSER, user, log))) {
    return err({
      code: "postgres.initdb_failed",
      message: `initdb failed in ${dirname(home.cluster)}; the log before this line says why`,
    });
  }
  renameSync(home.halfMade, home.cluster);
  return ok(null);
}

/** Written at every start: the control plane's user may be another one than at the last. */
function writeAccessRules(home: ClusterHome, user: DatabaseUser): void {
  const self = userInfo().username;
  writeFileSync(home.hba, "local all all peer map=holdfast\n", { mode: 0o644 });
  const known = [SUPERUSER, OWNER_ROLE, APP_ROLE, SIGNER_ROLE].map((role) => `holdfast ${self} ${role}\n`);
  // A user of its own for the signer is nobody else to the database.
  if (self !== SIGNER_USER) known.push(`holdfast ${SIGNER_USER} ${SIGNER_ROLE}\n`);
  writeFileSync(home.ident, known.join(""), { mode: 0o644 });
  for (const file of [home.hba, home.ident]) {
    if (user.drop !== null) chownSync(file, 0, 0);
  }
}

function supervise(
  first: Postmaster,
  binaries: PostgresBinaries,
  home: ClusterHome,
  user: DatabaseUser,
  options: EmbeddedOptions,
): EmbeddedPostgres {
  let current = first;
  const stopping = new AbortController();

  const running = (async () => {
    let pauseMs = FIRST_PAUSE_MS;
    let since = performance.now();
    await current.ended;
    while (!stopping.signal.aborted) {
      if (performance.now() - since > HEALTHY_AFTER_MS) pauseMs = FIRST_PAUSE_MS;
      options.log(`PostgreSQL has ended by itself: starting it again in ${pauseMs} ms`);
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      const next = await startPostmaster(binaries, home, user, options.settings ?? {}, options.log);
      if (!next.ok) {
        options.log(next.error.message);
        continue;
      }
      current = next.value;
      since = performance.now();
      if (stopping.signal.aborted) await stopPostmaster(current.pid);
      await current.ended;
    }
  })();

  let stopped: Promise<void> | undefined;
  return {
    major: binaries.major,
    pid: () => current.pid,
    target: (role, database) => ({ kind: "socket", directory: home.socketDirectory, user: role, database }),
    stop() {
      stopped ??= (async () => {
        stopping.abort();
        await stopPostmaster(current.pid);
        await running;
        home.release();
      })();
      return stopped;
    },
  };
}
