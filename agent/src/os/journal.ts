import { spawnSync } from "node:child_process";
import { fstatSync } from "node:fs";
import { ENVIRONMENT } from "./exec.ts";

/** A journal that does not answer must not hold up an undo: after one such wait nothing is sent to it any more. */
const WITHIN_MS = 1_000;

/** True when this descriptor is systemd's stream to the journal (systemd.exec(5), JOURNAL_STREAM). */
export function isJournal(descriptor: number, env: NodeJS.ProcessEnv): boolean {
  const stream = env["JOURNAL_STREAM"];
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(descriptor);
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/**
 * Hands one entry to journald with fields of its own, and waits until it has it: lines keep their order, and one that was written survives
 * what happens next. Node has no datagram sockets of the unix kind, which the journal's own protocol wants; util-linux's logger, which every
 * Debian has, speaks it. False when it was not taken: the caller then writes to the stream as ever.
 */
export function sendToJournal(fields: Readonly<Record<string, string>>): boolean {
  const input = Object.entries(fields)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
  const { status } = spawnSync("logger", ["--journald"], {
    input,
    timeout: WITHIN_MS,
    env: ENVIRONMENT,
    stdio: ["pipe", "ignore", "ignore"],
  });
  return status === 0;
}
