import { spawn, type ChildProcess } from "node:child_process";
import type { SelfCommand } from "./processes.ts";

export interface Supervised {
  /** Ends the child and waits for its end. */
  stop(): Promise<void>;
}

/** Milliseconds before a child that ended is started again; doubled with each end that comes at once. */
const RESTART_FIRST_MS = 100;
const RESTART_LONGEST_MS = 5_000;
/** Milliseconds after which a child counts as having started well. */
const STARTED_WELL_MS = 10_000;
/** Milliseconds that a child may take to end before it is killed. */
const STOP_TIMEOUT_MS = 5_000;

/** Keeps one role running, where no init system does. */
export function supervise(self: SelfCommand, role: readonly string[], onEnd: (how: string) => void): Supervised {
  let stopped = false;
  let pauseMs = RESTART_FIRST_MS;
  let timer: NodeJS.Timeout | undefined;
  let child: ChildProcess | null = null;
  const start = (): void => {
    const startedMs = performance.now();
    const running = spawn(self.program, [...self.operands, ...role], { stdio: ["ignore", "inherit", "inherit"] });
    child = running;
    running.once("exit", (status, signal) => {
      child = null;
      if (stopped) return;
      onEnd(signal ?? `status ${status}`);
      pauseMs =
        performance.now() - startedMs > STARTED_WELL_MS ? RESTART_FIRST_MS : Math.min(RESTART_LONGEST_MS, pauseMs * 2);
      timer = setTimeout(start, pauseMs);
    });
  };
  start();
  return {
    stop: () =>
      new Promise((resolve) => {
        stopped = true;
        clearTimeout(timer);
        const running = child;
        if (running === null) return resolve();
        const kill = setTimeout(() => running.kill("SIGKILL"), STOP_TIMEOUT_MS);
        running.once("exit", () => {
          clearTimeout(kill);
          resolve();
        });
        running.kill("SIGTERM");
      }),
  };
}
