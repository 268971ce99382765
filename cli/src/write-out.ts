import { once } from "node:events";
import type { Writable } from "node:stream";
import { CliError } from "./cli-error.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit-code.ts";

/** Writes to standard output and waits until there is room again: a reader that is slow must not fill this process's memory. */
export async function writeOut(context: Context, part: string): Promise<void> {
  const stdout: Writable = context.process.stdout;
  if (stdout.write(part)) return;
  try {
    await once(stdout, "drain");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(EXIT.refused, "cli.not_written", `Standard output takes no more: ${why}.`, "");
  }
}
