import { setTimeout as sleep } from "node:timers/promises";
import { ControlInstance, type Login } from "../control-plane/control-instance.ts";
import type { LabNode } from "../servers/node.ts";

/** A control plane that dies again and again is started no more often than this. */
const RESTART_PAUSE_MS = 1000;
/** How long it stays away when it was killed for the story: long enough that everybody sees who mends the server. */
const STORY_PAUSE_MS = 4000;

export interface ControlPlane {
  /** The first login, when this was the first start. */
  readonly login: Promise<Login | null>;
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
  const first = new ControlInstance(place, env);
  let running = first;

  const supervise = async (): Promise<void> => {
    for (;;) {
      const end = await running.ended;
      if (!wanted) return;
      say(`The control plane ended (${end.signal ?? `exit ${end.code}`}) and is started again.`);
      if (end.signal !== "SIGKILL") say(running.output.trim().split("\n").slice(-5).join("\n"));
      await sleep(pauseMs);
      pauseMs = RESTART_PAUSE_MS;
      if (!wanted) return;
      running = new ControlInstance(place, env);
    }
  };
  const supervised = supervise();

  return {
    login: first.login,
    ready: (url) => running.ready(url),
    kill() {
      pauseMs = STORY_PAUSE_MS;
      running.signal("SIGKILL");
    },
    async stop() {
      wanted = false;
      await running.stop();
      await supervised;
    },
  };
}
