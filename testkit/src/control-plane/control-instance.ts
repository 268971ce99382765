import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessEnd, RunningProcess, SpawnOptions } from "../servers/child.ts";
import { nodeBinary, repository } from "../servers/machine.ts";

/** A start on a busy machine makes a PostgreSQL, keys and a signer first; one that has ended is seen at once. */
const READY_PATIENCE_MS = 180_000;
const READY_POLL_MS = 100;
/** It lets go of its work and stops its PostgreSQL first. */
const STOP_PATIENCE_MS = 20_000;

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** A bare node or a server of the lab. */
export interface ControlPlace {
  spawn(argv: readonly string[], options?: SpawnOptions): RunningProcess;
}

/** One process of the real control plane in a place of the lab. Must be stopped or killed. */
export class ControlInstance {
  /** The first login, when this was the database's first start; null when it was not, or when it ended before it said. */
  readonly login: Promise<Login | null>;
  readonly #process: RunningProcess;

  constructor(place: ControlPlace, env: Readonly<Record<string, string>>) {
    const login = Promise.withResolvers<Login | null>();
    this.login = login.promise;
    this.#process = place.spawn(
      [nodeBinary, "--disable-warning=ExperimentalWarning", join(repository, "control/src/main.ts")],
      {
        env,
        onLine(line) {
          const match = /^Login:\s+(\S+) \/ (\S+)$/.exec(line);
          if (match?.[1] !== undefined && match[2] !== undefined) login.resolve({ user: match[1], password: match[2] });
          if (line.startsWith("Console:")) login.resolve(null);
        },
      },
    );
    void this.#process.ended.then(() => login.resolve(null));
  }

  get ended(): Promise<ProcessEnd> {
    return this.#process.ended;
  }

  get running(): boolean {
    return this.#process.end === undefined;
  }

  /** The last of what it wrote. */
  get output(): string {
    return this.#process.output;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal);
  }

  async stop(): Promise<void> {
    await this.#process.stop("SIGTERM", STOP_PATIENCE_MS);
  }

  /** Resolves when it answers at this address; fails at once when it has ended. */
  async ready(url: string): Promise<void> {
    const deadline = performance.now() + READY_PATIENCE_MS;
    while (performance.now() < deadline && this.running) {
      const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(READY_POLL_MS * 20) }).catch(
        () => null,
      );
      if (answer?.ok === true) return;
      await sleep(READY_POLL_MS);
    }
    const why = this.running ? `is not ready after ${READY_PATIENCE_MS / 1000} s` : "has ended";
    throw new Error(`the control plane ${why}:\n${this.output.slice(-4_000)}`);
  }
}
