import { spawn } from "node:child_process";
import { fstatSync } from "node:fs";
import type { Writable } from "node:stream";
import { ENVIRONMENT } from "./exec.ts";

/** Milliseconds. After one such wait nothing is sent to a journal that does not answer any more. */
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
 * Hands one entry to journald with fields of its own. Node has no datagram sockets of the unix kind, which the journal's own protocol wants;
 * util-linux's logger, which every Debian has, speaks it. False when it was not taken: the caller then writes to the stream as ever.
 */
export function sendToJournal(fields: Readonly<Record<string, string>>): Promise<boolean> {
  const input = Object.entries(fields)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
  return new Promise((resolve) => {
    const child = spawn("logger", ["--journald"], {
      timeout: WITHIN_MS,
      killSignal: "SIGKILL",
      env: ENVIRONMENT,
      stdio: ["pipe", "ignore", "ignore"],
    });
    child.once("error", () => resolve(false));
    child.once("close", (status) => resolve(status === 0));
    // One that could not be started says so by `error`. Where the process had no descriptors left there is no end to write to at all, whatever
    // the types say; where it ended early the end is closed.
    const stdin: Writable | undefined = child.stdin;
    stdin?.on("error", () => undefined);
    stdin?.end(input);
  });
}
