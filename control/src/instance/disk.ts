import { statfs } from "node:fs/promises";
import path from "node:path";
import { within } from "./within.ts";

export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface Disk {
  /** Null when it cannot be asked, or does not answer. */
  space(): Promise<DiskSpace | null>;
}

/** A disk answers in microseconds, a network file system whose server is gone never. */
const WITHIN_MS = 1_000;

/**
 * Asks anew only when the last question was answered: one that hangs holds a thread of this process, and there are four for all of its
 * files and names.
 */
export function disk(ask: () => Promise<DiskSpace | null>, withinMs: number = WITHIN_MS): Disk {
  let asked: Promise<DiskSpace | null> | null = null;
  return {
    async space() {
      asked ??= ask().finally(() => {
        asked = null;
      });
      return within(withinMs, asked);
    },
  };
}

/** The file system under the embedded database, or under the keys where the database is elsewhere. */
export async function spaceUnder(dataDirectory: string): Promise<DiskSpace | null> {
  for (const place of [path.join(dataDirectory, "database"), dataDirectory]) {
    try {
      const { bavail, blocks, bsize } = await statfs(place);
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    } catch {
      continue; // not there, or not for this user: the folder around it says it too
    }
  }
  return null;
}
