import { spawn } from "node:child_process";
import { tellWitness } from "./command-witness.ts";

export interface ExecResult {
  /** Null when it was killed or could not be started. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export interface ExecLimits {
  readonly timeoutMs: number;
  /** Bytes of each stream that are kept; the rest is read and dropped, and the command counts as failed. */
  readonly maxBytes?: number;
}

/** The listing of a firewall of 50,000 rules takes about 20 MB. */
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/** Nothing of the caller's environment reaches a command: no locale, no time zone, no preload, no search path of its own. */
export const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
  LC_ALL: "C.UTF-8",
  // nft prints the end of a rule in local time.
  TZ: "UTC",
} as const;

/** Runs one program with these very arguments; there is no shell. Never rejects. */
export function exec(argv: readonly [string, ...string[]], limits: ExecLimits): Promise<ExecResult> {
  const [program, ...operands] = argv;
  const maxBytes = limits.maxBytes ?? DEFAULT_MAX_BYTES;
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(program, operands, { stdio: ["ignore", "pipe", "pipe"], env: ENVIRONMENT, shell: false });
    const out = collector(maxBytes);
    const errors = collector(maxBytes);
    child.stdout.on("data", out.take);
    child.stderr.on("data", errors.take);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, limits.timeoutMs);
    const end = (status: number | null, problem: string): void => {
      clearTimeout(timer);
      tellWitness({ program, status, milliseconds: performance.now() - started });
      const overflow = out.overflowed() || errors.overflowed();
      const stderr = [
        errors.text(),
        problem,
        overflow ? `more than ${maxBytes} bytes of output` : "",
        timedOut ? `no end after ${limits.timeoutMs} ms` : "",
      ]
        .filter(Boolean)
        .join("\n");
      resolve({ status: overflow || timedOut ? null : status, stdout: out.text(), stderr, timedOut });
    };
    child.on("error", (error) => end(null, error.message));
    child.on("close", (status, signal) => end(status, signal === null || timedOut ? "" : `ended by ${signal}`));
  });
}

interface Collector {
  readonly take: (chunk: Buffer) => void;
  text(): string;
  overflowed(): boolean;
}

function collector(maxBytes: number): Collector {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    take: (chunk) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
    },
    text: () => Buffer.concat(chunks).toString("utf8"),
    overflowed: () => size > maxBytes,
  };
}
