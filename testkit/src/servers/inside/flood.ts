import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { answer, instructions, readCommands } from "./command-lines.ts";

/** New connections or datagrams at a steady rate against an echo listener; counts what comes back. */
export interface FloodInstructions {
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
  readonly perSecond: number;
  /** A connection or an echo that takes longer is lost. */
  readonly timeoutMs: number;
}

export interface FloodReport {
  readonly sent: number;
  readonly answered: number;
  readonly lost: number;
  /** Sent and neither answered nor given up yet. */
  readonly pending: number;
  /** Lost by a refusal or another answer, by the system's word for it. */
  readonly errors: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

const { protocol, address, port, perSecond, timeoutMs } = instructions() as FloodInstructions;
const TICK_MS = 10;
/** Enough for exact percentiles of a benchmark run; what comes later replaces the oldest. */
const LATENCIES_KEPT = 100_000;

const began = performance.now();
const pending = new Map<number, number>();
const errors: Record<string, number> = {};
const latencies: number[] = [];
let sent = 0;
let answered = 0;
let lost = 0;
let stopped = false;

function succeed(sequence: number): void {
  const at = pending.get(sequence);
  if (at === undefined) return;
  pending.delete(sequence);
  latencies[answered % LATENCIES_KEPT] = performance.now() - at;
  answered += 1;
}

function fail(sequence: number, error: string): void {
  if (!pending.delete(sequence)) return;
  lost += 1;
  errors[error] = (errors[error] ?? 0) + 1;
}

function report(): FloodReport {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    sent,
    answered,
    lost,
    pending: pending.size,
    errors,
    seconds: (performance.now() - began) / 1000,
    latencyMs: { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 },
  };
}

function tcpSender(): (sequence: number) => void {
  return (sequence) => {
    const socket = connect({ host: address, port });
    socket.setTimeout(timeoutMs, () => socket.destroy());
    socket.on("connect", () => {
      succeed(sequence);
      socket.resetAndDestroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => fail(sequence, error.code ?? error.message));
  };
}

function udpSender(): (sequence: number) => void {
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  socket.on("message", (message) => succeed(message.readUInt32BE(0)));
  socket.on("error", () => undefined);
  return (sequence) => {
    const packet = Buffer.alloc(64);
    packet.writeUInt32BE(sequence, 0);
    socket.send(packet, port, address, (error) => {
      if (error !== null) fail(sequence, (error as NodeJS.ErrnoException).code ?? error.message);
    });
  };
}

const send = protocol === "tcp" ? tcpSender() : udpSender();

setInterval(() => {
  const now = performance.now();
  for (const [sequence, at] of pending) {
    if (now - at < timeoutMs) break;
    fail(sequence, "timeout");
  }
  // By the clock, not by ticks: a late tick is made up for.
  const due = Math.floor(((now - began) * perSecond) / 1000);
  while (!stopped && sent < due) {
    sent += 1;
    pending.set(sent, performance.now());
    send(sent);
  }
}, TICK_MS);

// Any command: stop sending, wait for what is on its way, then report.
readCommands((command) => {
  if (command === "report") {
    answer(report());
    return;
  }
  stopped = true;
  const settle = setInterval(() => {
    if (pending.size > 0) return;
    clearInterval(settle);
    answer(report());
  }, TICK_MS);
});
answer("ready");
