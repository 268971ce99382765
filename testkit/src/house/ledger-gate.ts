import { join } from "node:path";
import type { RunningProcess } from "../servers/child.ts";
import { LabError } from "../servers/lab-error.ts";
import { nodeBinary } from "../servers/machine.ts";
import type { LabServer } from "../servers/server.ts";
import type { GateAnswer, GateCommand } from "./inside/ledger-gate.ts";

export type { GateAnswer } from "./inside/ledger-gate.ts";

const LEDGER = "/var/lib/holdfast/ledger";
/** Node starts in a tenth of a second; a busy machine needs much longer. */
const START_PATIENCE_MS = 30_000;
const ANSWER_PATIENCE_MS = 90_000;

/** Two records came so quickly that the gate was not between them: nothing is wrong but the attempt. */
export class RanPast extends LabError {}

/**
 * Stops a transaction of a server between two records of its ledger, by holding the ledger's own lock. Whoever waits for the lock gives up
 * after 30 s, so what is done at a step must be quick. Must be closed; ends with the server at the latest.
 */
export class LedgerGate {
  readonly #server: LabServer;
  readonly #process: RunningProcess;
  readonly #waiting: ((line: string) => void)[] = [];

  private constructor(server: LabServer) {
    this.#server = server;
    const script = join(import.meta.dirname, "inside/ledger-gate.ts");
    this.#process = server.spawn(
      // Before everything else on a busy machine, or records run past it.
      ["nice", "--adjustment=-15", nodeBinary, "--disable-warning=ExperimentalWarning", script, JSON.stringify(LEDGER)],
      {
        onLine: (line) => this.#waiting.shift()?.(line),
      },
    );
  }

  static async open(server: LabServer): Promise<LedgerGate> {
    const gate = new LedgerGate(server);
    await gate.#next(START_PATIENCE_MS);
    return gate;
  }

  hold(): Promise<GateAnswer> {
    return this.#ask({ verb: "hold" });
  }

  release(): Promise<GateAnswer> {
    return this.#ask({ verb: "release" });
  }

  /** Lets the transaction go on until its last record is one of these, and stops it there. */
  passTo(...kinds: readonly string[]): Promise<GateAnswer> {
    return this.#ask({ verb: "pass", kinds });
  }

  /** Lets a module do its step and stops before `step_done`. */
  passUnwritten(): Promise<GateAnswer> {
    return this.#ask({ verb: "pass_unwritten" });
  }

  /** Waits without holding. */
  watch(...kinds: readonly string[]): Promise<GateAnswer> {
    return this.#ask({ verb: "watch", kinds });
  }

  look(): Promise<GateAnswer> {
    return this.#ask({ verb: "look" });
  }

  async close(): Promise<void> {
    await this.#process.stop("SIGKILL");
  }

  async #ask(command: GateCommand): Promise<GateAnswer> {
    const line = this.#next(ANSWER_PATIENCE_MS);
    this.#process.write(`${JSON.stringify(command)}\n`);
    const answer = JSON.parse(await line) as GateAnswer;
    if (answer.failed?.startsWith("ran past") === true)
      throw new RanPast(`the ledger of ${this.#server.name} ${answer.failed}`);
    if (answer.failed !== undefined) throw new LabError(`the ledger of ${this.#server.name}: ${answer.failed}`);
    return answer;
  }

  #next(patienceMs: number): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const fail = (why: string): void =>
      reject(new LabError(`the ledger gate of ${this.#server.name} ${why}: ${this.#process.output.slice(-2_000)}`));
    const timer = setTimeout(() => fail("does not answer"), patienceMs);
    this.#waiting.push((line) => {
      clearTimeout(timer);
      resolve(line);
    });
    void this.#process.ended.then((end) => fail(`has ended (${end.signal ?? end.code})`));
    return promise;
  }
}
