/**
 * A check that must pass during the trial if it passed before (baseline).
 *   inbound   the control plane (or a peer) opens a new connection to the server from outside
 *   outbound  the server itself opens a new connection
 * `expected: "closed"` is met by a refusal or silence.
 */
export interface Probe {
  readonly id: string;
  readonly direction: "inbound" | "outbound";
  readonly protocol: "tcp" | "udp" | "icmp";
  /** Inbound: the server's address to dial, or "self" for its management address. Outbound: the address to dial. */
  readonly address: string;
  /** Absent for icmp. */
  readonly port?: number;
  readonly expected: "open" | "closed";
  /** The change is not confirmed before it passed, whatever it said before the change: a new tunnel that carries nothing is no success. */
  readonly mustHold?: boolean;
  /** Where it comes from, for people: `floor`, or `Policy/web-host expect[2]`. */
  readonly origin: string;
}

export type ProbeResult = "open" | "closed" | "unreachable_vantage";
