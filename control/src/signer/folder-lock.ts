import { spawnSync } from "node:child_process";
import { openSync } from "node:fs";
import { CLEAN_ENVIRONMENT } from "../postgres/database-user.ts";

/** One whose control plane has just been killed takes a moment to be gone. In seconds. */
const PREDECESSOR_ENDS_WITHIN_S = "3";

/** Takes the folder for this process, until it ends. False when another one has it. */
export function lockFolder(path: string): boolean {
  const lock = openSync(path, "w", 0o600);
  // Node has no flock(2); a lock that a child takes on an inherited descriptor belongs to the open file, which is ours too.
  const locked = spawnSync("flock", ["--timeout", PREDECESSOR_ENDS_WITHIN_S, "3"], {
    stdio: ["ignore", "ignore", "ignore", lock],
    env: CLEAN_ENVIRONMENT,
  });
  return locked.status === 0;
}
