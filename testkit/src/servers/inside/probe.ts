import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { answer, readCommands } from "./command-lines.ts";

/** One new connection or datagram per command, from the network namespace that this process was started in. */
export interface ProbeCommand {
  readonly id: number;
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly sourceAddress?: string;
  readonly sourcePort?: number;
}

/**
 * open: the far end accepted, or echoed the datagram. refused: it, or something between, answered with a reset or "port unreachable".
 * unreachable: something answered that there is no way or that it is not permitted. timeout: silence.
 */
export type ProbeVerdict = "open" | "refused" | "unreachable" | "timeout";

export interface ProbeAnswer {
  readonly id: number;
  readonly verdict: ProbeVerdict;
  readonly tookMs: number;
  /** The system's own word where there was one, such as EHOSTUNREACH. */
  readonly error?: string;
}

const VERDICTS: Readonly<Record<string, ProbeVerdict>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "refused",
  ETIMEDOUT: "timeout",
};

/** Every other word of the system says that there is no way, or that the way is forbidden. */
function verdictOf(error: NodeJS.ErrnoException): ProbeVerdict {
  return VERDICTS[error.code ?? ""] ?? "unreachable";
}

function probe(command: ProbeCommand): void {
  const began = performance.now();
  let done = false;
  const finish = (verdict: ProbeVerdict, error?: NodeJS.ErrnoException): void => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    const result: ProbeAnswer = {
      id: command.id,
      verdict,
      tookMs: performance.now() - began,
      ...(error?.code === undefined ? {} : { error: error.code }),
    };
    answer(result);
    close();
  };
  const timer = setTimeout(() => finish("timeout"), command.timeoutMs);
  const close = command.protocol === "tcp" ? probeTcp(command, finish) : probeUdp(command, finish);
}

type Finish = (verdict: ProbeVerdict, error?: NodeJS.ErrnoException) => void;

function probeTcp(command: ProbeCommand, finish: Finish): () => void {
  const socket = connect({
    host: command.address,
    port: command.port,
    ...(command.sourceAddress === undefined ? {} : { localAddress: command.sourceAddress }),
    ...(command.sourcePort === undefined ? {} : { localPort: command.sourcePort }),
  });
  socket.on("connect", () => finish("open"));
  socket.on("error", (error: NodeJS.ErrnoException) => finish(verdictOf(error), error));
  // A reset leaves no TIME_WAIT behind: the same source port can be probed again at once.
  return () => socket.resetAndDestroy();
}

function probeUdp(command: ProbeCommand, finish: Finish): () => void {
  const socket = createSocket(isIPv6(command.address) ? "udp6" : "udp4");
  socket.on("message", () => finish("open"));
  socket.on("error", (error: NodeJS.ErrnoException) => finish(verdictOf(error), error));
  socket.bind(
    {
      port: command.sourcePort ?? 0,
      ...(command.sourceAddress === undefined ? {} : { address: command.sourceAddress }),
    },
    () => {
      // Connected, so that an ICMP error comes back to this socket.
      socket.connect(command.port, command.address, () => socket.send(`probe ${String(command.id)}`));
    },
  );
  return () => socket.close();
}

readCommands((command) => probe(command as ProbeCommand));
answer("ready");
