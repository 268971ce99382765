import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { killLabGroups, removeLabGroups } from "./cgroup.ts";
import { LabError } from "./lab-error.ts";
import { belongsTo } from "./names.ts";
import { namespacePath } from "./network-namespace.ts";
import { homeOf, orphans, release } from "./owner.ts";
import { kill, processesInNamespaces } from "./process-table.ts";

/** A killed process leaves its group and its namespaces only when the kernel has torn it down. */
const DEATH_PATIENCE_MS = 10_000;
const DEATH_POLL_MS = 10;

/**
 * Removes all that a lab left on the machine, in whatever state it is found: one way for an orderly end, a dying owner and a later sweep.
 * Synchronous, because a dying owner has no event loop. The owner record goes last, so a removal that is itself killed is done again.
 */
export function removeLab(directory: string, prefix: string): void {
  const deadline = performance.now() + DEATH_PATIENCE_MS;
  for (;;) {
    killLabGroups(prefix);
    const paths = namespacesOf(prefix).map(namespacePath);
    const alive = processesInNamespaces(paths).filter((pid) => pid !== process.pid);
    for (const pid of alive) kill(pid, "SIGKILL");
    if (removeLabGroups(prefix) && alive.length === 0) break;
    if (performance.now() > deadline)
      throw new LabError(`lab ${prefix}: processes do not end: ${alive.join(", ") || "those in its control groups"}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, DEATH_POLL_MS);
  }
  for (const namespace of namespacesOf(prefix)) spawnSync("ip", ["netns", "delete", namespace], { stdio: "ignore" });
  rmSync(homeOf(directory, prefix), { recursive: true, force: true, maxRetries: 5 });
  release(directory, prefix);
}

/** Removes the labs of dead owners; returns their prefixes. */
export function sweep(directory: string): readonly string[] {
  const found = orphans(directory);
  for (const prefix of found) removeLab(directory, prefix);
  return found;
}

function namespacesOf(prefix: string): readonly string[] {
  try {
    return readdirSync("/run/netns").filter((namespace) => belongsTo(prefix, namespace));
  } catch {
    return [];
  }
}
