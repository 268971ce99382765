import { once } from "node:events";
import type { Writable } from "node:stream";
import { CliError } from "./cli-error.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit-code.ts";

/** Writes to standard output and waits until there is room again: a reader that is slow must not fill this process's memory. */
export async function writeOut(context: Context, part: string): Promise<void> {
  const stdout: Writable = context.process.stdout;
  // Whoever has left does not come back, and nothing more is fetched for nobody.
  if (!stdout.writable) throw notWritten(stdout.errored ?? new Error("it is closed"));
  if (stdout.write(part)) return;
  await once(stdout, "drain").catch((error: unknown) => {
    throw notWritten(error);
  });
}

export function notWritten(error: unknown): CliError {
  const why = error instanceof Error ? error.message : String(error);
  return new CliError(EXIT.refused, "cli.not_written", `Standard output takes no more: ${why}.`, "");
}
