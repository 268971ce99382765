import { readFileSync, readdirSync, statSync } from "node:fs";

/** The machine's processes as /proc shows them. A process may end between two reads: absence is an answer, not a fault. */

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Fields of /proc/PID/stat after the command name, which may itself hold blanks and brackets. */
function statFields(pid: number): readonly string[] | undefined {
  const text = read(`/proc/${String(pid)}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Ticks since boot (field 22 of proc(5)): together with the pid it names one process for ever. */
export function startTicks(pid: number): string | undefined {
  return statFields(pid)?.[19];
}

export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Alive and not a zombie: a zombie holds no namespace, no mount and no file. */
export function isRunning(pid: number): boolean {
  const state = statFields(pid)?.[0];
  return state !== undefined && state !== "Z" && state !== "X";
}

export function childrenOf(pid: number): readonly number[] {
  const text = read(`/proc/${String(pid)}/task/${String(pid)}/children`);
  return text === undefined
    ? []
    : text
        .split(" ")
        .filter((word) => word !== "")
        .map(Number);
}

/** The pid that the process has in its innermost pid namespace. */
export function innermostPid(pid: number): number | undefined {
  const line = read(`/proc/${String(pid)}/status`)
    ?.split("\n")
    .find((candidate) => candidate.startsWith("NSpid:"));
  const last = line?.trim().split(/\s+/).at(-1);
  return last === undefined ? undefined : Number(last);
}

export function commandName(pid: number): string | undefined {
  return read(`/proc/${String(pid)}/comm`)?.trim();
}

/** Device and inode: the identity of a namespace. */
function identity(path: string): string | undefined {
  try {
    const found = statSync(path, { bigint: true });
    return `${String(found.dev)}:${String(found.ino)}`;
  } catch {
    return undefined;
  }
}

/** Every running process whose network namespace is one of these files. The machine's own namespace never counts. */
export function processesInNamespaces(paths: readonly string[]): readonly number[] {
  const own = identity("/proc/self/ns/net");
  const wanted = new Set(paths.map(identity).filter((id) => id !== undefined && id !== own));
  if (wanted.size === 0) return [];
  return readdirSync("/proc")
    .filter((entry) => /^[0-9]+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      const id = identity(`/proc/${String(pid)}/ns/net`);
      return id !== undefined && wanted.has(id) && isRunning(pid);
    });
}

export function kill(pid: number, signal: NodeJS.Signals | number): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already, which is what was wanted.
  }
}
