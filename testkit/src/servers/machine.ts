import { accessSync, constants, existsSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { LabError } from "./lab-error.ts";

/** What of this machine the servers see: the checkout and the Node that runs it, read-only and live. */

export const repository = realpathSync(resolve(import.meta.dirname, "../../.."));

/** The first Node that runs TypeScript sources without a flag or a warning. */
const NODE_MAJOR_MIN = 24;

function findNode(): string {
  if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN) return realpathSync(process.execPath);
  const bundled = join(repository, "node_modules/node/bin/node");
  if (existsSync(bundled)) return realpathSync(bundled);
  throw new LabError(`Node ${String(NODE_MAJOR_MIN)} is needed: run "npm install" in ${repository}`);
}

export const nodeBinary = findNode();

/**
 * Directories to bind into each server. The checkout always is: it may be edited while a server runs, which an overlay does not allow.
 * A Node on another file system is not part of the overlay of "/".
 */
export function visiblePaths(): readonly string[] {
  const node = dirname(nodeBinary);
  const elsewhere = statSync(node).dev !== statSync("/").dev && !node.startsWith(`${repository}/`);
  return elsewhere ? [repository, node] : [repository];
}

export function findCommand(command: string): string | undefined {
  return ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    .map((directory) => join(directory, command))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
