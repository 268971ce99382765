import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { run, type ApplicationText, text_en } from "@stricli/core";
import { buildHoldfast } from "./app.ts";
import { CliError, usageError } from "./cli-error.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit-code.ts";
import { printFindings } from "./view/findings.ts";
import { painter } from "./view/style.ts";
import { notWritten } from "./write-out.ts";

let notShown = false;
const interactive = process.stdin.isTTY && process.stdout.isTTY;

const context: Context = {
  // Node's own type says exitCode may be undefined; unset is what both mean by it.
  process: process as Context["process"],
  env: process.env,
  interactive,
  colour: process.stdout.isTTY && process.env["NO_COLOR"] === undefined,
  home: homedir(),
  now: () => Date.now(),
  sleep: (ms) => sleep(ms),
  input: readInput,
  ask: askAtTerminal,
};

const text: ApplicationText = {
  ...text_en,
  exceptionWhileRunningCommand: (thrown) => explain(context, thrown),
};

/** Stricli has exit codes of its own for what a person typed wrongly: negative ones. */
function settleExitCode(): void {
  if (typeof process.exitCode === "number" && process.exitCode < 0) process.exitCode = EXIT.usage;
  if (notShown) process.exitCode ||= EXIT.refused;
}

/**
 * Whoever reads standard output may leave (`| head`): what is under way goes on, and ends with its own exit code. A disk that is full is
 * something else: what was to be kept is not, and that is told.
 */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE" || notShown) return;
  notShown = true;
  process.stderr.write(`${notWritten(error).message} What was to be shown is not all there.\n`);
});

process.on("exit", settleExitCode);
await run(buildHoldfast(text), process.argv.slice(2), context);
settleExitCode();

/** An expected failure is words and a remedy; anything else is a bug and says so. */
function explain(shown: Context, thrown: unknown): string {
  const paint = painter(shown);
  if (!(thrown instanceof CliError))
    return `${paint("red", "This is a bug in holdfast.")} ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`;
  if (process.argv.includes("--json")) {
    return JSON.stringify({
      code: thrown.code,
      message: thrown.message,
      remedy: thrown.remedy,
      findings: thrown.findings,
    });
  }
  const findings = thrown.findings.length === 0 ? "" : printFindings(shown, thrown.findings);
  return `${findings}${paint("red", thrown.message)}${thrown.remedy === "" ? "" : `\n${thrown.remedy}`}\n${paint("gray", thrown.code)}`;
}

/** A terminal would show what is typed, and it may be a secret. */
function readInput(): string {
  if (process.stdin.isTTY)
    throw usageError(
      "Standard input is a terminal and standard output is not.",
      "Give both, or neither, to the terminal.",
    );
  return readFileSync(0, "utf8");
}

async function askAtTerminal(question: string, options: { readonly hidden?: boolean } = {}): Promise<string> {
  process.stdout.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    input: process.stdin,
    output: options.hidden === true ? silent : process.stdout,
    terminal: options.hidden === true,
  });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once("line", resolve);
      lines.once("close", () =>
        reject(new CliError(EXIT.refused, "cli.not_confirmed", "No answer; nothing was changed.", "")),
      );
    });
  } finally {
    lines.close();
    if (options.hidden === true) process.stdout.write("\n");
  }
}
