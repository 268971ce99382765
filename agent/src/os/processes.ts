import { spawn } from "node:child_process";
import { closeSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode, readTextIfThere, removeFileDurably, writeFileDurably } from "./files.ts";

/** How this very program is started again in another role. */
export interface SelfCommand {
  readonly program: string;
  readonly operands: readonly string[];
}

export function selfCommand(): SelfCommand {
  return { program: process.execPath, operands: [...process.execArgv, process.argv[1] ?? ""] };
}

/** A process that must be told from another one that got its number later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot, field 22 of /proc/pid/stat. */
  readonly startTime: string;
}

/** Starts a role that outlives this process: its own session and process group. Resolves when the role says it is ready. */
export async function startDetached(
  self: SelfCommand,
  role: readonly string[],
  readyWithinMs: number,
  output: "inherit" | "ignore",
): Promise<ProcessIdentity | null> {
  const child = spawn(self.program, [...self.operands, ...role, "--ready-fd", "3"], {
    // A role's output stays with the caller's, so that the lines of all roles end in one log; a person's terminal is not for it.
    // Descriptor 3 is where readiness is told.
    stdio: ["ignore", output, output, "pipe"],
    detached: true,
  });
  child.unref();
  const pipe = child.stdio[3];
  const ready = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), readyWithinMs);
    const end = (answer: boolean): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    pipe?.once("data", () => end(true));
    pipe?.once("close", () => end(false));
    child.once("error", () => end(false));
  });
  pipe?.destroy();
  if (!ready || child.pid === undefined) {
    if (child.pid !== undefined) child.kill("SIGKILL");
    return null;
  }
  return identify(child.pid);
}

/** Tells the process that started this one that its work has begun. A starter that is gone does not matter. */
export function tellReady(descriptor: number): void {
  try {
    writeSync(descriptor, "1");
    closeSync(descriptor);
  } catch (error) {
    if (errorCode(error) !== "EPIPE" && errorCode(error) !== "EBADF") throw error;
  }
}

export function identify(pid: number): ProcessIdentity | null {
  const startTime = startTimeOf(pid);
  return startTime === null ? null : { pid, startTime };
}

export function isAlive(one: ProcessIdentity): boolean {
  return startTimeOf(one.pid) === one.startTime;
}

export function rememberProcess(path: string, one: ProcessIdentity): void {
  writeFileDurably(path, JSON.stringify(one), 0o600);
}

export function rememberedProcess(path: string): ProcessIdentity | null {
  const text = readTextIfThere(path);
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("pid" in value) || !("startTime" in value)) return null;
    const { pid, startTime } = value;
    return typeof pid === "number" && Number.isInteger(pid) && pid > 1 && typeof startTime === "string"
      ? { pid, startTime }
      : null;
  } catch {
    return null;
  }
}

export function forgetProcess(path: string): void {
  removeFileDurably(path);
}

/** Kills a process that leads its own group, with all of the group, and waits until nothing of it runs. */
export async function killGroup(leader: ProcessIdentity, withinMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    const now = statFields(leader.pid);
    // A number is not given away while its group has members: another process under it means that the group is gone.
    if (now !== null && now[START_TIME] !== leader.startTime) return true;
    const members = membersOf(leader.pid);
    if (members.length === 0) return true;
    if (performance.now() > giveUpAt) return false;
    for (const pid of members) kill(pid);
    await sleep(5);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

/** Processes of the group that run; one that only waits to be reaped does nothing any more. */
function membersOf(group: number): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const fields = statFields(pid);
      return fields !== null && fields[STATE] !== "Z" && fields[GROUP] === String(group);
    });
}

function startTimeOf(pid: number): string | null {
  const fields = statFields(pid);
  return fields === null || fields[STATE] === "Z" ? null : (fields[START_TIME] ?? null);
}

/** Places in what statFields gives; proc(5) counts from 1 and has two fields before. */
const STATE = 0;
const GROUP = 2;
const START_TIME = 19;

/** Fields of /proc/pid/stat from the third (state) on; the second is a name in brackets that may hold anything. */
function statFields(pid: number): readonly string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}
