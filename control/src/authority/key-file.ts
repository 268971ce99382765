import { randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A file that only its owner can read: 0600 in a folder of 0700. Others could sign commands to every server with it. */
const SECRET_MODE = 0o600;

/**
 * Reads a secret, or makes it once. Two processes that start at the same instant agree: whoever links its file first wins, the other reads it.
 * @throws Error when others may read the file: a secret that was readable is no secret, and a person must decide.
 */
export async function readOrMakeSecret(path: string, make: () => Promise<string>): Promise<string> {
  const existing = await readSecret(path);
  if (existing !== null) return existing;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = join(dirname(path), `.${randomUUID()}.new`);
  const file = await open(temporary, "wx", SECRET_MODE);
  try {
    await file.writeFile(await make());
    await file.sync();
  } finally {
    await file.close();
  }
  await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await unlink(temporary);
  await syncFolder(dirname(path));
  const written = await readSecret(path);
  if (written === null) throw new Error(`${path} is gone right after it was written`);
  return written;
}

async function readSecret(path: string): Promise<string | null> {
  let mode: number;
  try {
    mode = (await stat(path)).mode;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  if ((mode & 0o077) !== 0) {
    throw new Error(
      `${path} may be read by others (mode ${(mode & 0o777).toString(8)}, expected 600): chmod 600 it, and make new keys if somebody has read it`,
    );
  }
  return readFile(path, "utf8");
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
