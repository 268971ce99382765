import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Writable } from "node:stream";
import { run, text_en } from "@stricli/core";
import { buildHoldfast } from "../src/app.ts";
import { CliError } from "../src/cli-error.ts";
import type { Context } from "../src/context.ts";

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface RunOptions {
  readonly url?: string;
  /** What a person types, line by line; nobody is there without it. */
  readonly typed?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What is on standard input. */
  readonly input?: string;
  /** Whoever reads standard output, with room for one letter: takes a part, and is told how much waits, itself included. */
  readonly take?: (part: string, waiting: number) => Promise<void>;
}

/** Runs the command line in this process, with a terminal, a home and a clock of its own. */
export async function runCli(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const home = mkdtempSync(path.join(tmpdir(), "holdfast-cli-"));
  const written = { stdout: "", stderr: "" };
  const sink = (name: "stdout" | "stderr"): Writable =>
    new Writable({
      ...(options.take === undefined ? {} : { highWaterMark: 1 }),
      write(chunk: Buffer, _encoding, done) {
        written[name] += chunk.toString();
        const { take } = options;
        if (take === undefined || name === "stderr") {
          done();
          return;
        }
        void (async () => {
          await take(chunk.toString(), this.writableLength);
          done();
        })();
      },
    });
  const typed = [...(options.typed ?? [])];
  const process: Context["process"] = { stdout: sink("stdout"), stderr: sink("stderr") };
  const context: Context = {
    process,
    env: { HOLDFAST_TOKEN: "t", ...(options.url === undefined ? {} : { HOLDFAST_URL: options.url }), ...options.env },
    interactive: options.typed !== undefined,
    colour: false,
    home,
    now: () => Date.parse("2026-01-02T03:04:05Z"),
    sleep: () => new Promise((resolve) => setTimeout(resolve, 1)),
    input: () => options.input ?? "",
    ask: async (question) => {
      written.stdout += question;
      return typed.shift() ?? "";
    },
  };
  const text = {
    ...text_en,
    exceptionWhileRunningCommand: (thrown: unknown) =>
      thrown instanceof CliError ? `${thrown.code}: ${thrown.message} ${thrown.remedy}` : `bug: ${String(thrown)}`,
  };
  try {
    await run(buildHoldfast(text), argv, context);
    const code = process.exitCode;
    return { ...written, exitCode: typeof code === "number" ? (code < 0 ? 2 : code) : 0 };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
