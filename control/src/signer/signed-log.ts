/**
 * The signer's own record of what it was asked: each line carries the hash of the line before it, and is on the disk before the signature
 * leaves. Nothing else writes there, so what was signed during a break-in is known afterwards.
 */
import { createHash } from "node:crypto";
import { appendFile, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";

export interface SignedLog {
  append(line: Readonly<Record<string, Json>>): Promise<void>;
}

const FILE = "signed.jsonl";
const LONGEST_FILE = 32 << 20;
/** Files that are kept beside the one that is written. */
const KEPT = 8;
const GENESIS = "0".repeat(64);
/** More than the longest line. */
const TAIL = 64 << 10;

export async function openSignedLog(folder: string): Promise<SignedLog> {
  const path = join(folder, FILE);
  let { number, hash } = await lastOf(path);
  let queue: Promise<void> = Promise.resolve();

  const write = async (line: Readonly<Record<string, Json>>): Promise<void> => {
    await turnOver(folder, path, number);
    const text = canonicalJson({ ...line, n: number + 1, prev: hash });
    // The newline comes first: a line that a crash has cut ends there.
    await appendFile(path, `\n${text}`, { mode: 0o600, flush: true });
    number += 1;
    hash = hashOf(text);
  };
  return {
    append(line) {
      const written = queue.then(() => write(line));
      queue = written.catch(() => undefined);
      return written;
    },
  };
}

/** Where the chain of this file breaks; null when it holds. The first line of a file refers to the file before it. */
export function brokenLine(text: string): number | null {
  let before: string | null = null;
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const read = placeOf(line);
    if (read === null) continue; // cut by a crash; the next line refers to the one before it
    if (before !== null && read.prev !== before) return read.n;
    before = hashOf(line);
  }
  return null;
}

async function lastOf(path: string): Promise<{ number: number; hash: string }> {
  const lines = (await tailOf(path)).split("\n").toReversed();
  for (const line of lines) {
    const read = placeOf(line);
    if (read !== null) return { number: read.n, hash: hashOf(line) };
  }
  return { number: 0, hash: GENESIS };
}

async function tailOf(path: string): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const length = Math.min(size, TAIL);
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

async function turnOver(folder: string, path: string, number: number): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size < LONGEST_FILE) return;
  await rename(path, join(folder, `signed-${String(number).padStart(12, "0")}.jsonl`));
  const kept = (await readdir(folder)).filter((name) => /^signed-\d{12}\.jsonl$/.test(name)).sort();
  for (const name of kept.slice(0, Math.max(0, kept.length - KEPT))) await rm(join(folder, name));
}

function placeOf(line: string): { readonly n: number; readonly prev: string } | null {
  try {
    const { n, prev } = JSON.parse(line) as { readonly n?: unknown; readonly prev?: unknown };
    return typeof n === "number" && typeof prev === "string" ? { n, prev } : null;
  } catch {
    return null;
  }
}

function hashOf(line: string): string {
  return createHash("sha256").update(line, "utf8").digest("hex");
}
