import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { PostgresBinaries } from "./binaries.ts";
import type { ClusterHome } from "./cluster-home.ts";
import { CLEAN_ENVIRONMENT, type DatabaseUser } from "./database-user.ts";
import type { PostgresFailure } from "./failure.ts";

/** One running postmaster. `ended` resolves when it is gone, however it went. */
export interface Postmaster {
  readonly pid: number;
  readonly ended: Promise<void>;
}

export type LogLine = (line: string) => void;

/** How often a condition that PostgreSQL writes into a file is looked at. */
const POLL_MS = 25;
/** Recovery after a crash replays the log; hours of it would take minutes. Longer than this is no recovery but a hang. */
const START_WITHIN_MS = 180_000;
/** A fast shutdown ends the sessions and writes a checkpoint; after this an immediate one leaves the rest to recovery. */
const STOP_WITHIN_MS = 15_000;
/** Killed processes need this long at most to disappear. */
const GONE_WITHIN_MS = 5_000;

/** Starts a postmaster and waits until it takes connections. */
export async function startPostmaster(
  binaries: PostgresBinaries,
  home: ClusterHome,
  user: DatabaseUser,
  settings: Readonly<Record<string, string>>,
  log: LogLine,
): Promise<Result<Postmaster, PostgresFailure>> {
  const argv = ["-D", home.cluster];
  for (const [name, value] of Object.entries({ ...serverSettings(home), ...settings }))
    argv.push("-c", `${name}=${value}`);
  const child = spawnGuarded(binaries.postgres, argv, user);
  const tail: string[] = [];
  readLines(child, (line) => {
    tail.push(line);
    if (tail.length > 20) tail.shift();
    log(line);
  });

  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", (error) => {
      tail.push(error.message);
      resolve();
    });
  });
  const deadline = performance.now() + START_WITHIN_MS;
  while (child.pid !== undefined && isRunning(child) && performance.now() < deadline) {
    if (readyPid(home.cluster) === child.pid) return ok({ pid: child.pid, ended });
    await sleep(POLL_MS);
  }
  if (isRunning(child)) child.kill("SIGQUIT");
  return err({
    code: "postgres.start_failed",
    message: `PostgreSQL did not start in ${home.cluster}: ${tail.join(" | ")}`,
  });
}

/** Ends a postmaster: first so that nothing is left to recover, then by force. True when it is gone. */
export async function stopPostmaster(pid: number): Promise<boolean> {
  const steps = [
    ["SIGINT", STOP_WITHIN_MS],
    ["SIGQUIT", GONE_WITHIN_MS],
    ["SIGKILL", GONE_WITHIN_MS],
  ] as const;
  for (const [signal, withinMs] of steps) {
    if (!send(pid, signal)) return true;
    const deadline = performance.now() + withinMs;
    while (performance.now() < deadline) {
      if (!send(pid, 0)) return true;
      await sleep(POLL_MS);
    }
  }
  return false;
}

/** The postmaster that a dead supervisor left behind on this cluster. The pid in the file alone proves nothing: it may be another process by now. */
export function orphanPid(cluster: string): number | undefined {
  const pid = Number(pidFile(cluster)?.[0]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  try {
    const isPostgres = readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("postgres");
    return isPostgres && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Runs initdb to its end; false and the reason in the log when it failed. */
export async function runInitdb(
  binaries: PostgresBinaries,
  directory: string,
  superuser: string,
  user: DatabaseUser,
  log: LogLine,
): Promise<boolean> {
  const child = spawnGuarded(
    binaries.initdb,
    [
      "-D",
      directory,
      "-U",
      superuser,
      "--locale=C.UTF-8",
      "-E",
      "UTF8",
      "--data-checksums",
      "--auth=reject",
      "--no-instructions",
    ],
    user,
  );
  readLines(child, log);
  return new Promise((resolve) => {
    child.once("error", () => resolve(false));
    child.once("exit", (code) => resolve(code === 0));
  });
}

function serverSettings(home: ClusterHome): Record<string, string> {
  return {
    listen_addresses: "",
    unix_socket_directories: home.socketDirectory,
    // Its folder decides who comes here, and the kernel's word who is let in.
    unix_socket_permissions: "0777",
    hba_file: home.hba,
    ident_file: home.ident,
    logging_collector: "off",
    log_destination: "stderr",
    log_line_prefix: "",
    timezone: "UTC",
    log_timezone: "UTC",
    // Statements here are short; compiling them costs more than it saves.
    jit: "off",
  };
}

/**
 * In its own session, so that Ctrl-C in a terminal reaches the control plane alone, which then stops the database in order; and with a
 * signal from the kernel when the control plane dies, so that a kill leaves no orphan.
 */
function spawnGuarded(program: string, argv: readonly string[], user: DatabaseUser): ChildProcess {
  return spawn("setpriv", ["--pdeathsig", "INT", "--", program, ...argv], {
    ...user.drop,
    cwd: "/",
    env: CLEAN_ENVIRONMENT,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function readLines(child: ChildProcess, log: LogLine): void {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on("line", log);
  }
}

/** The eighth line of postmaster.pid turns `ready` when connections are taken. */
function readyPid(cluster: string): number | undefined {
  const lines = pidFile(cluster);
  return lines?.[7]?.trim() === "ready" ? Number(lines[0]) : undefined;
}

function pidFile(cluster: string): readonly string[] | undefined {
  const path = join(cluster, "postmaster.pid");
  return existsSync(path) ? readFileSync(path, "utf8").split("\n") : undefined;
}

/** False when there is no such process. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}
