import { dirname } from "node:path";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import { makeFolder, writeFileDurably } from "../os/files.ts";
import type { AgentPaths } from "../paths.ts";

/** The server's own floor: what nobody's policy closes. Written by root of this server only. */
export function writeLocalFloor(paths: AgentPaths, floor: ManagementPath): void {
  makeFolder(dirname(paths.floor), 0o755);
  writeFileDurably(paths.floor, `${JSON.stringify(floor, null, 2)}\n`, 0o644);
}
