import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { constants } from "node:os";
import { LabError } from "./lab-error.ts";
import { childrenOf, commandName, kill } from "./process-table.ts";

/** Child processes by argument vector only: nothing here is ever read by a shell unless the caller names one. */

export interface CommandResult {
  /** As a shell tells it: 128 + signal number for a death by signal, 124 when the time was over (timeout(1)). */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export interface CommandOptions {
  readonly input?: string | Uint8Array;
  /** Added to a small fixed environment; nothing of the owner's own environment is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Long enough for a slow package tool on a loaded machine, short enough that a hanging test says so by itself. */
const COMMAND_TIMEOUT_MS = 30_000;
/** A ruleset of 50 000 rules lists as 18 MB of JSON. */
const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;
/** What is kept of a long-running process: enough for the last words of a crash. */
const TAIL_MAX_CHARACTERS = 256 * 1024;
const TIMED_OUT_CODE = 124;

const ENVIRONMENT = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", LANG: "C.UTF-8", TERM: "dumb" } as const;

/** A helper whose owner was killed must not run on: the kernel ends it together with the thread that started it. */
export function dyingWithOwner(argv: readonly string[]): readonly string[] {
  return ["setpriv", "--pdeathsig", "KILL", ...argv];
}

function start(
  argv: readonly string[],
  env: Readonly<Record<string, string>> | undefined,
  stdio: StdioOptions,
): ChildProcess {
  const [command, ...rest] = argv;
  if (command === undefined) throw new LabError("argv: expected at least the name of a command");
  return spawn(command, rest, { stdio, env: { ...ENVIRONMENT, ...env } });
}

function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

/**
 * nsenter into a pid namespace forks: the command is its child, and a signal to nsenter alone would leave it running.
 * The command's own children are its own affair: a control plane that is told to end stops its database itself.
 */
function signalCommand(pid: number, signal: NodeJS.Signals): void {
  const children = commandName(pid) === "nsenter" ? childrenOf(pid) : [];
  for (const child of children) kill(child, signal);
  if (children.length === 0 || signal === "SIGKILL") kill(pid, signal);
}

function killTree(pid: number): void {
  for (const child of childrenOf(pid)) kill(child, "SIGKILL");
  kill(pid, "SIGKILL");
}

export function run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = start(dyingWithOwner(argv), options.env, ["pipe", "pipe", "pipe"]);
    const output: { readonly stdout: Buffer[]; readonly stderr: Buffer[] } = { stdout: [], stderr: [] };
    let bytes = 0;
    let timedOut = false;
    const end = (): void => {
      if (child.pid !== undefined) killTree(child.pid);
      // A grandchild may hold the pipes open for ever; the answer does not wait for it.
      child.stdout?.destroy();
      child.stderr?.destroy();
    };
    const timer = setTimeout(() => {
      timedOut = true;
      end();
    }, options.timeoutMs ?? COMMAND_TIMEOUT_MS);
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream]?.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > OUTPUT_MAX_BYTES) end();
        else output[stream].push(chunk);
      });
    }
    child.on("error", (cause) => {
      clearTimeout(timer);
      reject(new LabError(`cannot start "${argv.join(" ")}"`, { cause }));
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({
        code: timedOut ? TIMED_OUT_CODE : exitCode(code, signal),
        stdout: Buffer.concat(output.stdout).toString("utf8"),
        stderr: Buffer.concat(output.stderr).toString("utf8"),
        timedOut,
      });
    });
    // A command that does not read its input closes the pipe: its exit code says what that meant.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input);
  });
}

/** For the lab's own commands, whose failure is a fault of the lab. */
export async function must(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await run(argv, options);
  if (result.code !== 0) {
    throw new LabError(
      `"${argv.join(" ")}" ended with ${String(result.code)}: ${(result.stderr || result.stdout).trim()}`,
    );
  }
  return result.stdout;
}

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each line of standard output. */
  readonly onLine?: (line: string) => void;
  /** A file descriptor that takes both outputs instead of the tail. */
  readonly outputTo?: number;
}

export interface ProcessEnd {
  readonly code: number;
  readonly signal: NodeJS.Signals | null;
}

/** A process that runs until it ends or is stopped. Must be stopped. */
export class RunningProcess {
  readonly argv: readonly string[];
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  #end: ProcessEnd | undefined;
  #tail = "";

  constructor(argv: readonly string[], options: SpawnOptions = {}) {
    this.argv = argv;
    const out = options.outputTo ?? "pipe";
    this.#child = start(dyingWithOwner(argv), options.env, ["pipe", out, out]);
    let partial = "";
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#keep(text);
      if (options.onLine === undefined) return;
      const lines = (partial + text).split("\n");
      partial = lines.pop() ?? "";
      for (const line of lines) options.onLine(line);
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#keep(text));
    this.#child.stdin?.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      const finish = (end: ProcessEnd): void => {
        this.#end ??= end;
        resolve(this.#end);
      };
      this.#child.on("error", (cause) => {
        this.#keep(`cannot start: ${cause.message}\n`);
        finish({ code: 127, signal: null });
      });
      this.#child.on("exit", (code, signal) => finish({ code: exitCode(code, signal), signal }));
    });
  }

  /** As the machine counts; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get end(): ProcessEnd | undefined {
    return this.#end;
  }

  /** The last output of both streams. */
  get output(): string {
    return this.#tail;
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  closeInput(): void {
    this.#child.stdin?.end();
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#end === undefined && this.#child.pid !== undefined) signalCommand(this.#child.pid, signal);
  }

  /** Asks, waits, then kills. */
  async stop(signal: NodeJS.Signals = "SIGTERM", graceMs = 3_000): Promise<ProcessEnd> {
    this.signal(signal);
    const timer = setTimeout(() => this.signal("SIGKILL"), graceMs);
    const end = await this.ended;
    clearTimeout(timer);
    return end;
  }

  #keep(text: string): void {
    this.#tail = (this.#tail + text).slice(-TAIL_MAX_CHARACTERS);
  }
}
