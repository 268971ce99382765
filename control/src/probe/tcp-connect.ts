import { connect } from "node:net";
import type { ProbeResult } from "@holdfast/core/plan/probe.ts";

/** Errors of this machine's own: it has no way there, so it can say nothing about the server. */
const BLIND: ReadonlySet<string> = new Set([
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "EACCES",
  "EPERM",
  "EMFILE",
  "ENFILE",
  "EINVAL",
]);

/** One new TCP connection, closed at once: an old one would be let through by connection tracking, and prove nothing. */
export function tcpConnect(address: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const settle = (result: ProbeResult): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => settle("closed"), timeoutMs);
    socket.once("connect", () => settle("open"));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      settle(BLIND.has(error.code ?? "") ? "unreachable_vantage" : "closed"),
    );
  });
}
