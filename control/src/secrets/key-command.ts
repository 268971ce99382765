import { execFile } from "node:child_process";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";

/** Milliseconds. It may ask another machine; a transaction may be waiting for it. */
const TIMEOUT_MS = 5_000;
const MOST_OUTPUT_BYTES = 4_096;

/** What the operator's own program prints; run without a shell and without an argument. */
export function outputOf(path: string): Promise<Result<string, string>> {
  return new Promise((resolve) => {
    execFile(path, [], { timeout: TIMEOUT_MS, maxBuffer: MOST_OUTPUT_BYTES, encoding: "utf8" }, (error, stdout) => {
      // Neither what it printed nor what it complained of is repeated: either may hold the key.
      if (error === null) resolve(ok(stdout));
      else resolve(err(`it failed (${error.code ?? error.signal ?? "it could not be run"})`));
    });
  });
}
