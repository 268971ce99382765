import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tellWitness } from "./command-witness.ts";
import { ENVIRONMENT } from "./exec.ts";

/** Milliseconds within which many lines are one. */
const QUIET_MS = 200;
/** Milliseconds before a program that ended is started again. */
const AGAIN_MS = 5_000;

export interface ChangeWatch {
  close(): void;
}

/**
 * Runs a program that prints when somebody changes something, and touches a file then. What it prints is thrown away: whoever watches the file
 * looks for itself. It ends with this process: systemd kills the unit's group, and elsewhere its next line finds nobody who reads it. Where it
 * cannot run nobody is told anything, and looks from time to time are all there is.
 */
export function watchForChanges(argv: readonly [string, ...string[]], file: string): ChangeWatch {
  const [program, ...rest] = argv;
  let closed = false;
  let again: NodeJS.Timeout | null = null;
  let pending: NodeJS.Timeout | null = null;
  let stopOne: () => void = () => undefined;
  const touch = (): void => {
    pending = null;
    try {
      writeFileSync(file, "", { mode: 0o644 });
    } catch {
      // The next look sees it too.
    }
  };
  const start = (): void => {
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "ignore"], shell: false, env: ENVIRONMENT });
    tellWitness({ program, status: null, milliseconds: 0 });
    child.stdout.on("data", () => {
      pending ??= setTimeout(touch, QUIET_MS);
    });
    stopOne = () => child.kill("SIGKILL");
    let isOver = false;
    const over = (): void => {
      if (isOver || closed) return;
      isOver = true;
      again = setTimeout(start, AGAIN_MS);
    };
    child.on("error", over).on("close", over);
  };
  start();
  return {
    close: () => {
      closed = true;
      if (again !== null) clearTimeout(again);
      if (pending !== null) clearTimeout(pending);
      stopOne();
    },
  };
}
