import { linkSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "./lab-error.ts";
import { bootId, isRunning, startTicks } from "./process-table.ts";

/** Who owns a lab: the record by which a later run knows whether what it finds is in use or left over. */
export interface Owner {
  readonly prefix: string;
  readonly pid: number;
  readonly startTicks: string;
  readonly bootId: string;
}

const SUFFIX = ".owner.json";

function ownerFile(directory: string, prefix: string): string {
  return join(directory, prefix + SUFFIX);
}

export function homeOf(directory: string, prefix: string): string {
  return join(directory, prefix);
}

/** The record appears whole or not at all (link is atomic), and before anything else of the lab does. */
export function claim(directory: string, prefix: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const ticks = startTicks(process.pid);
  if (ticks === undefined) throw new LabError("/proc is not readable: a lab cannot record its owner");
  const owner: Owner = { prefix, pid: process.pid, startTicks: ticks, bootId: bootId() };
  const draft = join(directory, `.${prefix}.${String(process.pid)}.draft`);
  writeFileSync(draft, JSON.stringify(owner), { mode: 0o600 });
  try {
    linkSync(draft, ownerFile(directory, prefix));
  } catch (cause) {
    const holder = readOwner(directory, prefix);
    throw new LabError(
      `"${prefix}" in ${directory} is in use by process ${String(holder?.pid ?? "?")}: close that lab or choose another name`,
      { cause },
    );
  } finally {
    rmSync(draft, { force: true });
  }
}

export function release(directory: string, prefix: string): void {
  rmSync(ownerFile(directory, prefix), { force: true });
}

function readOwner(directory: string, prefix: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(ownerFile(directory, prefix), "utf8"));
    return isOwner(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isOwner(value: unknown): value is Owner {
  return (
    typeof value === "object" &&
    value !== null &&
    "pid" in value &&
    typeof value.pid === "number" &&
    "startTicks" in value &&
    typeof value.startTicks === "string" &&
    "bootId" in value &&
    typeof value.bootId === "string"
  );
}

function isAlive(owner: Owner): boolean {
  return owner.bootId === bootId() && isRunning(owner.pid) && startTicks(owner.pid) === owner.startTicks;
}

/** Prefixes whose owner is dead. A record that cannot be read belongs to nobody. */
export function orphans(directory: string): readonly string[] {
  let entries: string[];
  try {
    entries = readdirSync(directory);
  } catch {
    return [];
  }
  return entries
    .filter((entry) => entry.endsWith(SUFFIX))
    .map((entry) => entry.slice(0, -SUFFIX.length))
    .filter((prefix) => {
      const owner = readOwner(directory, prefix);
      return owner === undefined || !isAlive(owner);
    });
}
