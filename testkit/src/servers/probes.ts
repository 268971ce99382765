import { isIPv6 } from "node:net";
import { InsideProgram, nodeOf, programArgv, type Place } from "./inside-program.ts";
import type { ListenInstructions } from "./inside/listen.ts";
import type { ProbeAnswer, ProbeCommand, ProbeVerdict } from "./inside/probe.ts";
import { LabError } from "./lab-error.ts";
import type { LabNode } from "./node.ts";

export type { ProbeVerdict } from "./inside/probe.ts";

/** New connections and packets between places, judged by what comes back. One process per place serves all its probes. */

export interface ProbeOptions {
  readonly timeoutMs?: number;
  readonly sourceAddress?: string;
  readonly sourcePort?: number;
}

export interface PacketProbe extends ProbeOptions {
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly address: string;
  /** Not for icmp. */
  readonly port?: number;
}

/** On one machine an answer takes well below a millisecond; what is silent for this long was dropped. */
const PROBE_TIMEOUT_MS = 1_000;
/** Probes in flight at once: few enough for a listener's backlog and for two cores. */
const PARALLEL_PROBES = 64;

interface Prober {
  readonly program: Promise<InsideProgram>;
  readonly waiting: Map<number, (answer: ProbeAnswer) => void>;
  next: number;
}

/** A place's prober ends with its network (reboot, cut, close); the next probe starts another. */
const probers = new WeakMap<LabNode, Prober>();

async function proberOf(place: Place): Promise<Prober> {
  const node = nodeOf(place);
  const known = probers.get(node);
  if (
    known !== undefined &&
    (await known.program.then(
      (program) => program.running,
      () => false,
    ))
  )
    return known;
  const started = probers.get(node);
  if (started !== undefined && started !== known) return started;
  const prober: Prober = { program: InsideProgram.start(place, "probe"), waiting: new Map(), next: 0 };
  probers.set(node, prober);
  const program = await prober.program;
  program.listen((answer) => {
    const { id } = answer as ProbeAnswer;
    prober.waiting.get(id)?.(answer as ProbeAnswer);
    prober.waiting.delete(id);
  });
  return prober;
}

async function probe(place: Place, command: Omit<ProbeCommand, "id">): Promise<ProbeAnswer> {
  const prober = await proberOf(place);
  const program = await prober.program;
  prober.next += 1;
  const id = prober.next;
  return new Promise((resolve, reject) => {
    prober.waiting.set(id, resolve);
    void program.process.ended.then(() =>
      reject(new LabError(`${place.name} went off during a probe of ${command.address}:${String(command.port)}`)),
    );
    program.tell({ ...command, id } satisfies ProbeCommand);
  });
}

/** A new TCP connection from a place. */
export async function tcpConnect(
  place: Place,
  address: string,
  port: number,
  options: ProbeOptions = {},
): Promise<ProbeVerdict> {
  return (await probe(place, { timeoutMs: PROBE_TIMEOUT_MS, ...options, protocol: "tcp", address, port })).verdict;
}

/** A datagram to an echo listener (listenAll): "open" when it came back. */
export async function udpEcho(
  place: Place,
  address: string,
  port: number,
  options: ProbeOptions = {},
): Promise<ProbeVerdict> {
  return (await probe(place, { timeoutMs: PROBE_TIMEOUT_MS, ...options, protocol: "udp", address, port })).verdict;
}

export interface PingResult {
  readonly sent: number;
  readonly received: number;
}

export async function ping(
  place: Place,
  address: string,
  options: { readonly count?: number; readonly timeoutMs?: number } = {},
): Promise<PingResult> {
  const sent = options.count ?? 1;
  const waitS = (options.timeoutMs ?? PROBE_TIMEOUT_MS) / 1000;
  const result = await nodeOf(place).exec([
    "ping",
    "-n",
    "-q",
    isIPv6(address) ? "-6" : "-4",
    "-i",
    "0.2",
    "-c",
    String(sent),
    "-W",
    String(waitS),
    address,
  ]);
  const received = / (\d+) received/.exec(result.stdout)?.[1];
  // ping ends with 2 and no statistics where there is no route at all: nothing was received.
  return { sent, received: received === undefined ? 0 : Number(received) };
}

/** Sends each probe once and returns the verdicts in the same order. */
export async function sendPacketProbes(
  place: Place,
  packets: readonly PacketProbe[],
): Promise<readonly ProbeVerdict[]> {
  const verdicts: ProbeVerdict[] = [];
  for (let first = 0; first < packets.length; first += PARALLEL_PROBES) {
    const batch = packets.slice(first, first + PARALLEL_PROBES);
    verdicts.push(...(await Promise.all(batch.map((packet) => sendPacketProbe(place, packet)))));
  }
  return verdicts;
}

export async function sendPacketProbe(place: Place, packet: PacketProbe): Promise<ProbeVerdict> {
  const { protocol, address, port, ...options } = packet;
  if (protocol === "icmp") return (await ping(place, address, options)).received > 0 ? "open" : "timeout";
  if (port === undefined) throw new LabError(`probe of ${address}: ${protocol} needs a port`);
  return protocol === "tcp" ? tcpConnect(place, address, port, options) : udpEcho(place, address, port, options);
}

/** Listens on all these ports in the place's network with one process; it ends at stop(), or with that network. */
export function listenAll(place: Place, ports: ListenInstructions): Promise<InsideProgram> {
  return InsideProgram.start(place, "listen", ports);
}

/** The same listener as a command line, for a unit of a server's own (systemd-run) that starts and ends with it. */
export function listenCommand(ports: ListenInstructions): readonly string[] {
  return [...programArgv("listen", ports), "as-service"];
}
