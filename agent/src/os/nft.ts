import { spawn, type ChildProcessByStdio } from "node:child_process";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { tellWitness } from "./command-witness.ts";
import { ENVIRONMENT, exec } from "./exec.ts";
import { makeFolder, removeFileDurably, writeFileDurably } from "./files.ts";

/**
 * The one hand that loads nftables batches and lists them.
 *
 * A spawned nft spends 10 to 20 ms on closing its netlink socket; one `nft -j -i` that stays open does not. It is fed a line that includes a
 * 0600 file, which nft loads as one transaction, then a line that must fail with a name of ours in its message: that message on standard
 * error is the end mark. A process that answers in any other way is killed, and spawned nft takes its place.
 */
export class Nft {
  readonly #folder: string;
  #process: Interactive | null = null;
  #count = 0;
  #queue: Promise<unknown> = Promise.resolve();

  /** `folder` is for the batch files: root's alone, in memory. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Loads one batch: all of it or, with the reason, nothing. */
  async load(batch: string, timeoutMs: number): Promise<Result<null, string>> {
    return this.#withFile(batch, async (path) => {
      const answer = await this.#ask(`include "${path}"`, timeoutMs);
      if (answer.ok) return answer.value.errors === "" ? ok(null) : err(answer.value.errors);
      // Whether the batch was loaded is not known. Loading it again is harmless: batches are written to be repeatable.
      const spawned = await exec(["nft", "-f", path], { timeoutMs });
      return spawned.status === 0 ? ok(null) : err(spawned.stderr);
    });
  }

  /** Lets the kernel check a batch without loading it. */
  async rehearse(batch: string, timeoutMs: number): Promise<Result<null, string>> {
    return this.#withFile(batch, async (path) => {
      const spawned = await exec(["nft", "-c", "-f", path], { timeoutMs });
      return spawned.status === 0 ? ok(null) : err(spawned.stderr);
    });
  }

  /** A listing as JSON, by the words after `nft -j`. */
  async list(words: readonly string[], timeoutMs: number): Promise<Result<string, string>> {
    const answer = await this.#ask(words.join(" "), timeoutMs);
    if (answer.ok) return answer.value.errors === "" ? ok(answer.value.output) : err(answer.value.errors);
    const spawned = await exec(["nft", "-j", ...words], { timeoutMs });
    return spawned.status === 0 ? ok(spawned.stdout) : err(spawned.stderr);
  }

  close(): void {
    this.#process?.kill();
    this.#process = null;
  }

  async #withFile<T>(batch: string, task: (path: string) => Promise<T>): Promise<T> {
    makeFolder(this.#folder, 0o700);
    const path = `${this.#folder}/${process.pid}-${this.#count++}.nft`;
    writeFileDurably(path, batch.endsWith("\n") ? batch : `${batch}\n`, 0o600);
    try {
      return await task(path);
    } finally {
      removeFileDurably(path);
    }
  }

  async #ask(line: string, timeoutMs: number): Promise<Result<{ output: string; errors: string }, string>> {
    const turn = this.#queue.then(async () => {
      this.#process ??= new Interactive();
      const started = performance.now();
      const answer = await this.#process.ask(line, `holdfast_mark_${this.#count++}`, timeoutMs);
      const status = answer.ok ? (answer.value.errors === "" ? 0 : 1) : null;
      tellWitness({ program: "nft", status, milliseconds: performance.now() - started });
      if (!answer.ok) this.close();
      return answer;
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

class Interactive {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #output: Buffer[] = [];
  #errors = "";
  #wake: () => void = () => undefined;
  #gone: string | null = null;

  constructor() {
    this.#child = spawn("nft", ["-j", "-i"], {
      stdio: ["pipe", "pipe", "pipe"],
      shell: false,
      env: ENVIRONMENT,
    });
    this.#child.stdout.on("data", (chunk: Buffer) => this.#output.push(chunk));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
      this.#wake();
    });
    const end = (why: string): void => {
      this.#gone ??= why;
      this.#wake();
    };
    this.#child.on("error", (error) => end(error.message));
    this.#child.on("close", () => end("nft ended"));
    this.#child.stdin.on("error", (error) => end(error.message));
    // An idle nft must not keep a module alive that wants to leave.
    this.#child.unref();
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) {
      if (stream instanceof Socket) stream.unref();
    }
  }

  async ask(
    line: string,
    mark: string,
    timeoutMs: number,
  ): Promise<Result<{ output: string; errors: string }, string>> {
    this.#output = [];
    this.#errors = "";
    // Nothing inside the line may look like the end mark or like a second line.
    if (line.includes("\n") || line.includes(mark)) return err("not one line");
    this.#child.stdin.write(`${line}\nlist table inet ${mark}\n`);
    const inTime = await this.#until(
      () =>
        this.#errors.includes(`\n${" ".repeat(16)}${"^".repeat(mark.length)}`) &&
        this.#errors.includes(`list table inet ${mark}\n`),
      timeoutMs,
    );
    if (!inTime) return err(this.#gone ?? `nft did not answer in ${timeoutMs} ms`);
    // What nft wrote to standard output before its error message is in the pipe by now; let this turn of the loop read it.
    await new Promise((resolve) => setImmediate(resolve));
    const errors = this.#errors
      .slice(0, this.#errors.indexOf(`list table inet ${mark}\n`))
      .replace(/Error: No such file or directory\n?$/, "");
    return ok({ output: Buffer.concat(this.#output).toString("utf8"), errors: errors.trim() });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #until(done: () => boolean, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => finish(false), timeoutMs);
      const finish = (answer: boolean): void => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        resolve(answer);
      };
      this.#wake = () => {
        if (this.#gone !== null) finish(false);
        else if (done()) finish(true);
      };
      this.#wake();
    });
  }
}
