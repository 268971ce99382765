import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { tellWitness } from "./command-witness.ts";
import { ENVIRONMENT } from "./exec.ts";

/**
 * The kernel's trace of packets, and of every change of rules, as one nft prints it that also owns the table which takes the sample.
 *   T1. It ends with this process: systemd kills the unit's group, and elsewhere the next packet finds nobody who reads it. With the owner the
 *       kernel removes the table, so nothing is left to be traced.
 *   T2. What is not read is not kept: a line that is too long is let go, and nothing is queued here.
 */
export interface PacketTap {
  close(): void;
}

/** Milliseconds until the table is there. nft reads the whole rule set first; 50,000 rules take it some seconds. */
const READY_WITHIN_MS = 20_000;
/** A traced packet with its rule is some 400 bytes. */
const LONGEST_LINE = 16_384;
/** A table that nobody has: what nft says of it comes after whatever it had to say of the script. */
const MARK = "holdfast_mark_tap";

export async function openPacketTap(
  script: string,
  onLine: (line: string) => void,
  onEnd: (why: string) => void,
): Promise<Result<PacketTap, string>> {
  const child = spawn("nft", ["-n", "-i"], { stdio: ["pipe", "pipe", "pipe"], shell: false, env: ENVIRONMENT });
  // A write to one that has just ended; its end is told by "close".
  child.stdin.on("error", () => undefined);
  const refused = await refusalOf(child, script);
  if (refused !== null) {
    child.kill("SIGKILL");
    return err(refused);
  }
  tellWitness({ program: "nft", status: null, milliseconds: 0 });
  readLines(child.stdout, onLine);
  child.stderr.resume();
  let isClosed = false;
  child.once("close", () => {
    if (!isClosed) onEnd("nft ended");
  });
  child.stdin.write("monitor\n");
  return ok({
    close: () => {
      isClosed = true;
      child.kill("SIGKILL");
    },
  });
}

/** Null when the script was taken; otherwise why not. */
function refusalOf(child: ChildProcessByStdio<Writable, Readable, Readable>, script: string): Promise<string | null> {
  return new Promise((resolve) => {
    let said = "";
    const end = (answer: string | null): void => {
      clearTimeout(timer);
      child.stderr.removeAllListeners("data");
      child.off("close", ended);
      resolve(answer);
    };
    const ended = (): void => end(said === "" ? "nft ended at once" : firstLine(said));
    const timer = setTimeout(() => end(`nft did not answer in ${READY_WITHIN_MS} ms`), READY_WITHIN_MS);
    child.on("error", (error: NodeJS.ErrnoException) =>
      end(error.code === "ENOENT" ? "there is no nft" : error.message),
    );
    child.on("close", ended);
    child.stderr.on("data", (data: Buffer) => {
      said = (said + data.toString("utf8")).slice(0, LONGEST_LINE);
      const at = said.indexOf(MARK);
      if (at < 0) return;
      const before = said.slice(0, at).replace(/Error: No such file or directory[^\n]*\nlist table inet $/, "");
      end(before.trim() === "" ? null : firstLine(before));
    });
    child.stdin.write(`${script}\nlist table inet ${MARK}\n`);
  });
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("latin1").on("data", (data: string) => {
    const lines = (rest + data).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST_LINE) rest = "";
    for (const line of lines) if (line.length <= LONGEST_LINE) onLine(line);
  });
}
