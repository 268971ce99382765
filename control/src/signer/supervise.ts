/**
 * Starts the signer beside the control plane and keeps it running: for a house on one machine that has set nothing else up. As root it gets a
 * user of its own; otherwise it is this user's, and what is won is that the key is in no memory of the process that answers people.
 */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import type { ConnectionTarget } from "../postgres/connection-target.ts";
import { CLEAN_ENVIRONMENT } from "../postgres/database-user.ts";
import { SIGNER_USER, type SignerAccount, signerAccount } from "../postgres/signer-account.ts";

export interface SupervisedSigner {
  readonly socket: string;
  stop(): Promise<void>;
}

/** The first pause before a signer that ended is started again; it doubles up to the second. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const HEALTHY_AFTER_MS = 60_000;
/** Linux limits the path of a unix socket to 107 bytes. */
const LONGEST_SOCKET = 107;

export interface SuperviseOptions {
  /** `<data directory>/signer`. */
  readonly folder: string;
  readonly database: ConnectionTarget;
  /** The database knows it by a role of its own; without one it is the application there, and stays this user here. */
  readonly hasOwnRole: boolean;
  readonly approvalsAtLeast: string | null;
  readonly log: Logger;
}

export function superviseSigner(options: SuperviseOptions): SupervisedSigner {
  const { folder, log } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const user = ownUser(options);
  const place = socketPlace(folder, user);
  const env = { ...CLEAN_ENVIRONMENT, ...environment(options, place.socket, user) };

  let isWanted = true;
  let wake: () => void = () => undefined;
  let child = start();
  const running = (async () => {
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      const sinceMs = performance.now();
      const end = await child.ended;
      if (!isWanted) return;
      if (performance.now() - sinceMs > HEALTHY_AFTER_MS) pauseMs = FIRST_PAUSE_MS;
      log.error(
        { result_code: "signer.ended", detail: end },
        `the signer of commands has ended: starting it again in ${pauseMs} ms`,
      );
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, pauseMs).unref();
      });
      if (!isWanted) return;
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      child = start();
    }
  })();

  return {
    socket: place.socket,
    async stop() {
      isWanted = false;
      wake();
      child.kill();
      await running;
      place.remove();
    },
  };

  function start(): { readonly ended: Promise<string>; kill(): void } {
    const started = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "signer-main.ts")],
      {
        env,
        stdio: ["pipe", "inherit", "inherit"],
      },
    );
    // Its input is never written to; that it ends is the message.
    started.stdin.on("error", () => undefined);
    const ended = new Promise<string>((resolve) => {
      started.on("error", (error) => resolve(error.message));
      started.on("exit", (code, signal) => resolve(signal ?? `exit ${String(code)}`));
    });
    return { ended, kill: () => void started.kill("SIGTERM") };
  }
}

function environment(
  { folder, database, approvalsAtLeast, log }: SuperviseOptions,
  socket: string,
  user: SignerAccount | null,
): Record<string, string> {
  return {
    HOLDFAST_SIGNER_DIR: folder,
    HOLDFAST_SIGNER_SOCKET: socket,
    HOLDFAST_SIGNER_SUPERVISED: "yes",
    HOLDFAST_LOG_LEVEL: log.level === "silent" ? "error" : log.level,
    ...(approvalsAtLeast === null ? {} : { HOLDFAST_SIGNER_APPROVALS: approvalsAtLeast }),
    ...(user === null ? {} : { HOLDFAST_SIGNER_UID: String(user.uid), HOLDFAST_SIGNER_GID: String(user.gid) }),
    ...(database.kind === "url"
      ? { HOLDFAST_SIGNER_DATABASE_URL: database.url }
      : {
          HOLDFAST_SIGNER_DATABASE_SOCKET: database.directory,
          HOLDFAST_SIGNER_ROLE: database.user,
          HOLDFAST_SIGNER_DATABASE: database.database,
        }),
  };
}

/** Null where this process is nobody who could give one, or where that user could not reach its folder or the database. */
function ownUser({ folder, database, hasOwnRole, log }: SuperviseOptions): SignerAccount | null {
  if (process.getuid?.() !== 0 || !hasOwnRole) return null;
  const user = signerAccount();
  if (user !== null) {
    giveFolder(folder, user);
    const needed = database.kind === "url" ? [folder] : [folder, database.directory];
    if (needed.every((each) => spawnSync("test", ["-x", each], { ...user, env: CLEAN_ENVIRONMENT }).status === 0))
      return user;
  }
  log.warn(
    { result_code: "signer.no_own_user" },
    `the signer runs as root: there is no user ${SIGNER_USER}, or it cannot enter ${folder} and the database's folder`,
  );
  return null;
}

/** A key that was brought here was written as root. A link in the folder is followed by nobody. */
function giveFolder(folder: string, user: SignerAccount): void {
  chownSync(folder, user.uid, user.gid);
  for (const name of readdirSync(folder)) lchownSync(join(folder, name), user.uid, user.gid);
}

function socketPlace(folder: string, user: SignerAccount | null): { readonly socket: string; remove(): void } {
  const usual = join(folder, "socket");
  if (Buffer.byteLength(usual) <= LONGEST_SOCKET) return { socket: usual, remove: () => undefined };
  const directory = mkdtempSync(join(tmpdir(), "holdfast-signer-"));
  if (user !== null) chownSync(directory, user.uid, user.gid);
  return { socket: join(directory, "socket"), remove: () => rmSync(directory, { recursive: true, force: true }) };
}
