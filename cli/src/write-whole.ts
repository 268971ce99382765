import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { type FileHandle, link, open, rename, rm } from "node:fs/promises";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/**
 * A file that only its writer can read, and that stands under its name when it is whole and not before: it is written beside it. What is
 * there under that name already stays.
 */
export async function writeWhole(
  file: string,
  fill: (write: (part: string | Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  if (existsSync(file)) throw notWritten(file, "it is there already");
  const beside = `${file}.${randomUUID().slice(0, 8)}.part`;
  const handle = await open(beside, "wx", 0o600).catch((cause: unknown) => {
    throw notWritten(file, cause);
  });
  try {
    await fillAndClose(file, handle, fill);
    await putInPlace(beside, file);
  } finally {
    await rm(beside, { force: true });
  }
}

async function fillAndClose(file: string, handle: FileHandle, fill: Parameters<typeof writeWhole>[1]): Promise<void> {
  const orNot = (work: Promise<unknown>): Promise<unknown> =>
    work.catch((cause: unknown) => {
      throw notWritten(file, cause);
    });
  try {
    await fill(async (part) => {
      await orNot(handle.writeFile(part));
    });
    await orNot(handle.sync());
  } finally {
    await handle.close();
  }
}

/** A link, since moving would take the place of a file that came meanwhile. Some file systems (a USB stick's) have none. */
async function putInPlace(beside: string, file: string): Promise<void> {
  try {
    await link(beside, file);
  } catch (cause) {
    if (existsSync(file)) throw notWritten(file, "it is there already");
    await rename(beside, file).catch(() => {
      throw notWritten(file, cause);
    });
  }
}

function notWritten(file: string, cause: unknown): CliError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CliError(EXIT.refused, "cli.file_not_written", `${file}: ${why}.`, "Name another file with --out.");
}
