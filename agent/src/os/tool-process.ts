import { type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Readable } from "node:stream";
import { tellWitness } from "./command-witness.ts";
import { ENVIRONMENT } from "./exec.ts";
import { readTextIfThere } from "./files.ts";

/** A tool at work: one program, no shell, no input, and nothing of it outlives this process. */
export interface ToolProcess {
  /** Asks it to end, so that it can say what it has counted; it is killed where it does not. */
  end(): void;
  kill(): void;
}

export interface ToolListener {
  readonly onOutput: (part: Buffer) => void;
  readonly onError: (part: Buffer) => void;
  /** Null: it was killed or could not be started. */
  readonly onEnd: (status: number | null, problem: string) => void;
}

/**
 * What comes before the program. In a unit nothing: it has no rights to give up, and systemd ends what is left of its group. Elsewhere the agent
 * is root: there the program is nobody, with the one right that it cannot do without, and ends with the process whose main thread started it.
 */
function wrapper(needsRaw: boolean): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  const rights = needsRaw ? "-all,+net_raw" : "-all";
  return [
    "/usr/bin/setpriv",
    "--no-new-privs",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    `--inh-caps=${rights}`,
    `--ambient-caps=${rights}`,
    `--bounding-set=${rights}`,
    "--pdeathsig=KILL",
    "--",
  ];
}

/** Milliseconds that a program has for its last words. */
const LAST_WORDS_MS = 1_000;

/** @param needsRaw it opens a socket that speaks or hears below the protocols */
export function startTool(
  program: string,
  operands: readonly string[],
  needsRaw: boolean,
  listener: ToolListener,
): ToolProcess {
  const started = performance.now();
  const [first = program, ...rest] = [...wrapper(needsRaw), program, ...operands];
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(first, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    env: ENVIRONMENT,
    shell: false,
  });
  let timer: NodeJS.Timeout | null = null;
  let hasEnded = false;
  const ended = (status: number | null, problem: string): void => {
    if (hasEnded) return;
    hasEnded = true;
    if (timer !== null) clearTimeout(timer);
    tellWitness({ program, status, milliseconds: performance.now() - started });
    listener.onEnd(status, problem);
  };
  child.stdout.on("data", listener.onOutput);
  child.stderr.on("data", listener.onError);
  child.on("error", (error) => ended(null, error.message));
  child.on("close", (status, signal) => ended(status, signal === null ? "" : `ended by ${signal}`));
  return {
    end: () => {
      child.kill("SIGINT");
      timer ??= setTimeout(() => child.kill("SIGKILL"), LAST_WORDS_MS);
    },
    kill: () => void child.kill("SIGKILL"),
  };
}

/** The first of these that is there. */
export function findProgram(paths: readonly string[]): string | null {
  return paths.find((path) => existsSync(path)) ?? null;
}

/** CAP_NET_RAW by its number (linux/capability.h). */
const NET_RAW = 13n;

/** Whether the kernel lets this process send an echo: by the range of groups that may (icmp(7)), or by a right. */
export function mayPing(): boolean {
  const range = /^(\d+)\s+(\d+)/.exec(readTextIfThere("/proc/sys/net/ipv4/ping_group_range") ?? "");
  const [, first = "1", last = "0"] = range ?? [];
  const groups = [process.getegid?.() ?? -1, ...(process.getgroups?.() ?? [])];
  return groups.some((group) => group >= Number(first) && group <= Number(last)) || mayListen();
}

/** Whether this process may open a socket that hears packets: CAP_NET_RAW. */
export function mayListen(): boolean {
  const held = /^CapEff:\s*([0-9a-f]+)$/m.exec(readTextIfThere("/proc/self/status") ?? "")?.[1] ?? "0";
  return ((BigInt(`0x${held}`) >> NET_RAW) & 1n) === 1n;
}
