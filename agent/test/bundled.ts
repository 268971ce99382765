import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY_ROOT } from "@holdfast/testkit/repository.ts";

/** A program of this repository in one file, as it is packaged: it starts four times as fast, and needs nothing beside it. */
export function bundled(entry: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-bundle-"));
  const bundle = join(folder, "bundle.mjs");
  try {
    const argv = [join(REPOSITORY_ROOT, "deploy/package/bundle.ts"), join(REPOSITORY_ROOT, entry), bundle];
    execFileSync(process.execPath, argv);
    return readFileSync(bundle);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
