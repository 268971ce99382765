import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildAgentPackage } from "./agent-package.ts";
import { REPOSITORY_ROOT } from "./bundle.ts";

/**
 * `make package`: builds the Debian package of the agent into dist/. With --quick it is larger and ready at once, for trials; the last line
 * of output is its path.
 */
const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } }, strict: true });
const path = await buildAgentPackage({
  folder: join(REPOSITORY_ROOT, "dist"),
  compression: values.quick ? "quick" : "small",
  epochSeconds: sourceDate(),
});
const megabytes = (statSync(path).size / 1e6).toFixed(1);
const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
process.stdout.write(`${megabytes} MB, sha256 ${sha256}\n${path}\n`);

/** When the sources were last changed: what the environment says, else the last commit. */
function sourceDate(): number {
  const said = process.env["SOURCE_DATE_EPOCH"] ?? lastCommit();
  if (!/^\d{1,11}$/.test(said))
    throw new Error(`SOURCE_DATE_EPOCH=${said}: expected seconds since 1970; it is needed where there is no git`);
  return Number(said);
}

function lastCommit(): string {
  try {
    return execFileSync("git", ["log", "-1", "--format=%ct"], { cwd: REPOSITORY_ROOT, encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}
