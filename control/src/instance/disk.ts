import { statfs } from "node:fs/promises";
import path from "node:path";

export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** The file system under the embedded database, or under the keys where the database is elsewhere. Null when it cannot be asked. */
export async function diskUnder(dataDirectory: string): Promise<DiskSpace | null> {
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
