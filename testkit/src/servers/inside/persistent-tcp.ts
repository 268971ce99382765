import { connect } from "node:net";
import { answer, instructions, readCommands } from "./command-lines.ts";

/** One connection to an echo listener that is never renewed: what happens to sessions that were there before a change. */
export interface PersistentInstructions {
  readonly address: string;
  readonly port: number;
  readonly everyMs: number;
}

export interface Gap {
  /** Since the connection was opened. */
  readonly fromMs: number;
  readonly lengthMs: number;
}

export interface PersistentReport {
  readonly state: "connecting" | "open" | "reset" | "ended" | "failed";
  readonly error?: string;
  readonly sent: number;
  readonly echoed: number;
  /** Times without an echo that were longer than `gapMinMs`; the last may still go on. */
  readonly gaps: readonly Gap[];
  readonly longestGapMs: number;
}

const { address, port, everyMs } = instructions() as PersistentInstructions;
/** Two missed echoes may be a busy machine. */
const gapMinMs = Math.max(3 * everyMs, 100);

let state: PersistentReport["state"] = "connecting";
let error: string | undefined;
let opened = 0;
let lastEcho = 0;
let sent = 0;
let echoed = 0;
let longest = 0;
const gaps: Gap[] = [];

function endGap(now: number): void {
  const lengthMs = now - lastEcho;
  longest = Math.max(longest, lengthMs);
  if (lengthMs > gapMinMs) gaps.push({ fromMs: lastEcho - opened, lengthMs });
}

function report(): PersistentReport {
  const silent = state === "open" ? performance.now() - lastEcho : 0;
  const ongoing = silent > gapMinMs ? [{ fromMs: lastEcho - opened, lengthMs: silent }] : [];
  return {
    state,
    sent,
    echoed,
    gaps: [...gaps, ...ongoing],
    longestGapMs: Math.max(longest, silent),
    ...(error === undefined ? {} : { error }),
  };
}

const socket = connect({ host: address, port, noDelay: true });
socket.on("connect", () => {
  state = "open";
  opened = performance.now();
  lastEcho = opened;
  answer("ready");
  setInterval(() => {
    if (state !== "open") return;
    sent += 1;
    socket.write("\n");
  }, everyMs);
});
socket.on("data", (chunk) => {
  const now = performance.now();
  endGap(now);
  lastEcho = now;
  echoed += chunk.length;
});
socket.on("error", (cause: NodeJS.ErrnoException) => {
  if (state === "open") endGap(performance.now());
  error = cause.code ?? cause.message;
  state = state === "connecting" ? "failed" : "reset";
  if (state === "failed") answer({ failed: error });
});
socket.on("end", () => {
  if (state !== "open") return;
  endGap(performance.now());
  state = "ended";
});

readCommands(() => answer(report()));
