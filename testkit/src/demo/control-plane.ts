import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningProcess } from "../servers/child.ts";
import { nodeBinary, repository } from "../servers/machine.ts";
import type { LabNode } from "../servers/node.ts";

/** A control plane that dies again and again is started no more often than this. */
const RESTART_PAUSE_MS = 1000;
/** How long it stays away when it was killed for the story: long enough that everybody sees who mends the server. */
const STORY_PAUSE_MS = 4000;
const READY_PATIENCE_MS = 60_000;
const READY_POLL_MS = 100;

export interface ControlPlane {
  /** The first login, when this was the first start. */
  readonly login: Promise<{ readonly user: string; readonly password: string } | null>;
  /** Waits until it answers at this address. */
  ready(url: string): Promise<void>;
  kill(): void;
  stop(): Promise<void>;
}

/** Runs the control plane in its place of the lab and starts it again whenever it dies, as an init system would. */
export function startControlPlane(
  place: LabNode,
  env: Readonly<Record<string, string>>,
  say: (line: string) => void,
): ControlPlane {
  let wanted = true;
  let pauseMs = RESTART_PAUSE_MS;
  let running: RunningProcess | undefined;
  const login = Promise.withResolvers<{ user: string; password: string } | null>();

  const onLine = (line: string): void => {
    const match = /^Login:\s+(\S+) \/ (\S+)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) login.resolve({ user: match[1], password: match[2] });
    if (line.startsWith("Console:")) login.resolve(null);
  };
  const supervise = async (): Promise<void> => {
    while (wanted) {
      running = place.spawn(
        [nodeBinary, "--disable-warning=ExperimentalWarning", join(repository, "control/src/main.ts")],
        { env, onLine },
      );
      const end = await running.ended;
      if (!wanted) return;
      say(`The control plane ended (${end.signal ?? `exit ${end.code}`}) and is started again.`);
      if (end.signal !== "SIGKILL") say(running.output.trim().split("\n").slice(-5).join("\n"));
      await sleep(pauseMs);
      pauseMs = RESTART_PAUSE_MS;
    }
  };
  const supervised = supervise();

  return {
    login: login.promise,
    async ready(url) {
      const deadline = performance.now() + READY_PATIENCE_MS;
      while (performance.now() < deadline) {
        const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(READY_POLL_MS * 20) }).catch(
          () => null,
        );
        if (answer?.ok === true) return;
        await sleep(READY_POLL_MS);
      }
      throw new Error(`the control plane is not ready after ${READY_PATIENCE_MS / 1000} s:\n${running?.output ?? ""}`);
    },
    kill() {
      pauseMs = STORY_PAUSE_MS;
      running?.signal("SIGKILL");
    },
    async stop() {
      wanted = false;
      await running?.stop("SIGTERM", 20_000);
      await supervised;
    },
  };
}
