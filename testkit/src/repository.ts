/** What is in this repository: its root, the sources of its rooms, the files that git knows. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { ROOM_NAMES } from "./rooms.ts";

export const REPOSITORY_ROOT = resolve(import.meta.dirname, "../..");

const NOT_OURS: ReadonlySet<string> = new Set(["node_modules", "dist"]);

/** Every TypeScript file of every room, as paths from the root, sorted. */
export function roomSources(root: string): string[] {
  return ROOM_NAMES.filter((room) => existsSync(join(root, room)))
    .flatMap((room) => typescriptBelow(root, room))
    .toSorted();
}

function typescriptBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : typescriptBelow(root, path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

/** The files that are committed or would be with the next `git add`; a file deleted from the work tree is left out. */
export function filesKnownToGit(root: string): string[] {
  // A clone of one user that root tests is still this clone: git would refuse to read it.
  const list = execFileSync(
    "git",
    ["-c", `safe.directory=${root}`, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return list.split("\0").filter((path) => path !== "" && existsSync(join(root, path)));
}
