import { createSocket } from "node:dgram";
import { connect, isIP } from "node:net";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ProbeOutcomeSchema, ProbeTarget } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { exec } from "../os/exec.ts";

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
  if (protocol !== "icmp" && (port < 1 || port > 65_535))
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
