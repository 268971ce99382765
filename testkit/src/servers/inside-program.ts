import { join } from "node:path";
import type { RunningProcess } from "./child.ts";
import { LabError } from "./lab-error.ts";
import { nodeBinary } from "./machine.ts";
import type { LabNode } from "./node.ts";
import type { LabServer } from "./server.ts";

/** Where a probe or a traffic begins or ends: the network of a bare node or of a server. */
export type Place = LabNode | LabServer;

export function nodeOf(place: Place): LabNode {
  return "node" in place ? place.node : place;
}

export type ProgramName = "probe" | "listen" | "persistent-tcp" | "http-client" | "flood" | "relay" | "collect";

export function programArgv(program: ProgramName, instructions?: unknown): readonly string[] {
  const script = join(import.meta.dirname, "inside", `${program}.ts`);
  return [nodeBinary, script, ...(instructions === undefined ? [] : [JSON.stringify(instructions)])];
}

/** Node starts in a tenth of a second; a machine with eight builds running needs much longer. */
const START_PATIENCE_MS = 20_000;
const ANSWER_PATIENCE_MS = 30_000;

/** One of the programs of `inside/`, running in a place's network. Answers come in the order of the questions. Must be stopped. */
export class InsideProgram {
  readonly process: RunningProcess;
  #waiting: ((answer: unknown) => void)[] = [];
  #onAnswer: ((answer: unknown) => void) | undefined;
  readonly #name: string;

  private constructor(place: Place, program: ProgramName, instructions: unknown) {
    this.#name = `${program} on ${place.name}`;
    this.process = nodeOf(place).spawn(programArgv(program, instructions), {
      onLine: (line) => this.#take(JSON.parse(line)),
    });
  }

  /** Waits for the program's "ready", unless it has none to give (`onAnswer` takes all its lines). */
  static async start(
    place: Place,
    program: ProgramName,
    instructions?: unknown,
    onAnswer?: (answer: unknown) => void,
  ): Promise<InsideProgram> {
    const started = new InsideProgram(place, program, instructions);
    if (onAnswer !== undefined) {
      started.#onAnswer = onAnswer;
      return started;
    }
    const first = await started.#next(START_PATIENCE_MS);
    if (first !== "ready") {
      await started.stop();
      throw new LabError(`${started.#name}: ${JSON.stringify(first)}`);
    }
    return started;
  }

  get running(): boolean {
    return this.process.end === undefined;
  }

  /** From then on every answer goes there. */
  listen(onAnswer: (answer: unknown) => void): void {
    this.#onAnswer = onAnswer;
  }

  tell(command: unknown): void {
    this.process.write(`${JSON.stringify(command)}\n`);
  }

  async ask(command: unknown): Promise<unknown> {
    const answer = this.#next(ANSWER_PATIENCE_MS);
    this.tell(command);
    return answer;
  }

  async stop(): Promise<void> {
    await this.process.stop("SIGKILL");
  }

  #take(answer: unknown): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting(answer);
    else this.#onAnswer?.(answer);
  }

  #next(patienceMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settle = (answer: unknown): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      const fail = (why: string): void => {
        clearTimeout(timer);
        this.#waiting = this.#waiting.filter((waiting) => waiting !== settle);
        reject(new LabError(`${this.#name}: ${why}: ${this.process.output.slice(-2_000)}`));
      };
      const timer = setTimeout(() => fail("no answer"), patienceMs);
      this.#waiting.push(settle);
      void this.process.ended.then((end) => fail(`ended with ${String(end.code)}`));
    });
  }
}
