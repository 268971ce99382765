import { connect, type Socket } from "node:net";
import type { CommandOptions, CommandResult } from "../servers/child.ts";
import { LabError } from "../servers/lab-error.ts";

/** One virtio-serial port of a guest, over which commands run there one after the other (inside/serve-commands.sh). */

/** Seconds that an emulated processor may take for one command; a hang is still seen. */
const COMMAND_SECONDS = 120;
/** Milliseconds that the answer may be late after the guest itself gave the command up. */
const ANSWER_MS = 20_000;
const TIMED_OUT_CODE = 124;

export class CommandPort {
  readonly #socket: Socket;
  #last: Promise<unknown> = Promise.resolve();
  #partial = "";
  #count = 0;
  #awaited: { readonly id: string; readonly answer: (words: readonly string[]) => void } | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.#take(text));
    // A guest that is cut is seen by its caller, whose command gets no answer.
    socket.on("error", () => undefined);
  }

  static open(path: string): Promise<CommandPort> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path });
      socket.once("connect", () => resolve(new CommandPort(socket)));
      socket.once("error", reject);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  run(argv: readonly string[], options: CommandOptions): Promise<CommandResult> {
    const result = this.#last.then(() => this.#run(argv, options));
    this.#last = result.catch(() => undefined);
    return result;
  }

  #run(argv: readonly string[], { input, env, timeoutMs }: CommandOptions): Promise<CommandResult> {
    this.#count += 1;
    const id = `c${String(this.#count)}`;
    const seconds = timeoutMs === undefined ? COMMAND_SECONDS : Math.max(1, Math.ceil(timeoutMs / 1000));
    const words = env === undefined ? argv : ["env", ...Object.entries(env).map(([k, v]) => `${k}=${v}`), ...argv];
    const command = Buffer.from(words.map((word) => `${word}\0`).join("")).toString("base64");
    const given = input === undefined || input.length === 0 ? "-" : Buffer.from(input).toString("base64");
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => {
          this.#awaited = null;
          reject(new LabError(`no answer from the guest to "${argv.join(" ").slice(0, 200)}"`));
        },
        seconds * 1000 + ANSWER_MS,
      );
      const answer = ([code, out, err]: readonly string[]): void => {
        clearTimeout(timer);
        this.#awaited = null;
        const timedOut = Number(code) === TIMED_OUT_CODE;
        resolve({ code: Number(code), stdout: text(out), stderr: text(err), timedOut });
      };
      this.#awaited = { id, answer };
      this.#socket.write(`${id} ${String(seconds)} ${command} ${given}\n`);
    });
  }

  #take(data: string): void {
    const lines = (this.#partial + data).split("\n");
    this.#partial = lines.pop() ?? "";
    for (const line of lines) {
      const [id, ...words] = line.split(" ");
      if (id === this.#awaited?.id) this.#awaited?.answer(words);
    }
  }
}

function text(word: string | undefined): string {
  return word === undefined || word === "-" ? "" : Buffer.from(word, "base64").toString("utf8");
}
