import { createSocket } from "node:dgram";
import { connect, isIP } from "node:net";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ProbeOutcomeSchema, ProbeTarget } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { exec } from "../os/exec.ts";
import { readTextIfThere } from "../os/files.ts";

type Outcome = MessageInitShape<typeof ProbeOutcomeSchema>;

/** Milliseconds; a probe that takes longer is no better than none in a trial of seconds. */
const LONGEST_PROBE_MS = 10_000;
/** Probes of one call; more belongs into several calls. */
export const MOST_PROBES = 64;

/** Opens new connections from this server. A target that is not a literal address is not looked up anywhere: it is closed. */
export async function probe(target: ProbeTarget): Promise<Outcome> {
  const { id, protocol, address, port } = target;
  const timeoutMs = Math.min(Math.max(target.timeoutMs, 1), LONGEST_PROBE_MS);
  const family = isIP(address);
  if (family === 0) return { id, result: "closed", detail: "the address is not a literal one" };
  if (protocol !== "icmp" && protocol !== "full_size" && (port < 1 || port > 65_535))
    return { id, result: "closed", detail: "the port is out of range" };
  switch (protocol) {
    case "tcp":
      return { id, ...(await probeTcp(address, port, timeoutMs)) };
    case "udp":
      return { id, ...(await probeUdp(family, address, port, timeoutMs)) };
    case "icmp": {
      const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)));
      const ping = await exec(["ping", "-n", "-q", "-c", "1", "-W", seconds, "--", address], {
        timeoutMs: timeoutMs + 1_000,
      });
      return { id, result: ping.status === 0 ? "open" : "closed", detail: ping.status === 0 ? "" : "no echo" };
    }
    case "full_size":
      return { id, ...(await probeFullSize(family === 6 ? 6 : 4, address)) };
    default:
      return { id, result: "closed", detail: `${JSON.stringify(protocol)} is not tcp, udp or icmp` };
  }
}

type Answer = { readonly result: "open" | "closed"; readonly detail: string };

function probeTcp(host: string, port: number, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: Answer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end({ result: "closed", detail: `silence for ${timeoutMs} ms` }), timeoutMs);
    socket.once("connect", () => end({ result: "open", detail: "" }));
    socket.on("error", (error) => end({ result: "closed", detail: error.message }));
  });
}

/** UDP has no handshake: an answer is open, a refusal or silence is closed. */
function probeUdp(family: number, address: string, port: number, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = createSocket(family === 6 ? "udp6" : "udp4");
    const end = (answer: Answer): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => end({ result: "closed", detail: `silence for ${timeoutMs} ms` }), timeoutMs);
    socket.once("error", (error) => end({ result: "closed", detail: error.message }));
    socket.once("message", () => end({ result: "open", detail: "" }));
    socket.connect(port, address, () => socket.send(new Uint8Array(0)));
  });
}

/** Of the headers of IP and ICMP, without options. */
const HEADER_BYTES = { 4: 20 + 8, 6: 40 + 8 } as const satisfies Record<4 | 6, number>;
/** An echo that carries nothing. */
const SMALL_BYTES = 0;
/** Three, so that the second and third go by what a router has said to the first; as often as anybody may. */
const ECHOES = ["-n", "-q", "-c", "3", "-i", "0.2", "-W", "1"] as const;
const ECHOES_TIMEOUT_MS = 3_000;

/**
 * Whether large packets vanish on a way that small ones come back on. Large: what the way's first interface takes, with DF (`-M want`), so a
 * router that says they are too large is heeded by the kernel and the next ones pass, as with any connection.
 */
async function probeFullSize(family: 4 | 6, address: string): Promise<Answer> {
  const mtu = await mtuTowards(address);
  if (mtu === null) return { result: "open", detail: "nothing to say of sizes: it does not leave the server" };
  const [large, small] = await Promise.all([echoes(address, mtu - HEADER_BYTES[family]), echoes(address, SMALL_BYTES)]);
  if (large) return { result: "open", detail: "" };
  return small
    ? { result: "closed", detail: `small packets come back, those of ${mtu} bytes do not` }
    : { result: "open", detail: "nothing to say of sizes: no echo comes back at all" };
}

async function echoes(address: string, bytes: number): Promise<boolean> {
  const argv = ["ping", ...ECHOES, "-M", "want", "-s", String(bytes), "--", address] as const;
  return (await exec(argv, { timeoutMs: ECHOES_TIMEOUT_MS })).status === 0;
}

/** Null over loopback, or where there is no way: what never leaves the server proves nothing. */
async function mtuTowards(address: string): Promise<number | null> {
  const route = await exec(["ip", "-j", "route", "get", address], { timeoutMs: 1_000 });
  const dev = route.status === 0 ? /"dev":"([\w.@-]{1,15})"/.exec(route.stdout)?.[1] : undefined;
  if (dev === undefined || dev === "lo") return null;
  const mtu = Number(readTextIfThere(`/sys/class/net/${dev}/mtu`) ?? "");
  return Number.isInteger(mtu) && mtu > HEADER_BYTES[6] ? mtu : null;
}
