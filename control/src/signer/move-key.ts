import { copyFile, link, mkdir, open, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { COMMAND_KEY_FILE } from "./command-key.ts";

/**
 * Brings the command key of an installation from before there was a signer into the signer's folder. Killed anywhere, the next start goes on:
 * the old file goes last. True when something was moved. A key that is there already stays.
 */
export async function moveCommandKey(from: string, to: string): Promise<boolean> {
  const old = join(from, COMMAND_KEY_FILE);
  const place = join(to, COMMAND_KEY_FILE);
  await mkdir(to, { recursive: true, mode: 0o700 });
  const half = `${place}.half`;
  try {
    await copyFile(old, half);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  await sync(half);
  await link(half, place).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await unlink(half);
  await sync(dirname(place));
  await unlink(old);
  await sync(from);
  return true;
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
