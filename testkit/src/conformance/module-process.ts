import { spawn, type ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { connectUnix } from "@holdfast/agent/os/sockets.ts";
import { dyingWithOwner } from "../servers/child.ts";
import { ModuleClient } from "./module-client.ts";

/** Milliseconds from the command to the listening socket, on a busy machine. */
const START_PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 20;
/** What is kept of what the module prints: its last words, for the report. */
const LAST_WORDS = 2_000;

/** The module under test as a process of its own, to be killed and started again as often as a check likes. Must be stopped. */
export class ModuleProcess {
  readonly #argv: readonly [string, ...string[]];
  readonly #socket: string;
  #child: ChildProcess | null = null;
  #client: ModuleClient | null = null;
  #gone: Promise<void> = Promise.resolve();
  #output = "";

  constructor(argv: readonly [string, ...string[]], socket: string) {
    this.#argv = argv;
    this.#socket = socket;
  }

  get client(): ModuleClient {
    if (this.#client === null) throw new Error("the module does not run: a check killed it and did not start it again");
    return this.#client;
  }

  get lastWords(): string {
    return this.#output.trim();
  }

  /** Starts it when it does not run, and waits until it listens. */
  async start(): Promise<void> {
    if (this.#child !== null && (this.#child.exitCode ?? this.#child.signalCode) === null) return;
    this.#client?.close();
    const [program = "", ...operands] = dyingWithOwner(this.#argv);
    // A process group of its own: what it starts is killed with it.
    const child = spawn(program, operands, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let ended = false;
    this.#gone = new Promise((resolve) => {
      const end = (): void => {
        ended = true;
        resolve();
      };
      child.once("exit", end);
      child.once("error", (error) => {
        this.#keep(error.message);
        end();
      });
    });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => this.#keep(text));
    this.#child = child;
    const giveUpAt = performance.now() + START_PATIENCE_MS;
    for (;;) {
      const socket = await connectUnix(this.#socket);
      socket?.destroy();
      if (socket !== null) break;
      if (ended || performance.now() > giveUpAt) {
        await this.kill();
        throw new Error(`the module does not listen on ${this.#socket}: ${this.lastWords}`);
      }
      await sleep(LOOK_EVERY_MS);
    }
    this.#client = new ModuleClient(this.#socket);
  }

  /** SIGKILL to it and all that it started; resolves when it is gone. */
  async kill(): Promise<void> {
    const pid = this.#child?.pid;
    if (pid !== undefined) {
      try {
        process.kill(-pid, "SIGKILL");
      } catch {
        // The whole group had ended by itself.
      }
    }
    await this.#gone;
    this.#client?.close();
    this.#client = null;
    this.#child = null;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  #keep(text: string): void {
    this.#output = (this.#output + text).slice(-LAST_WORDS);
  }
}
