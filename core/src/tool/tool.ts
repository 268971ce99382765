import type { Family } from "../net/address.ts";

/** What a person may have a server look for: named verbs with typed arguments, each one run of one fixed program there (ADR 0036). */
export const TOOLS = ["ping", "trace", "resolve", "capture"] as const;
export type Tool = (typeof TOOLS)[number];

export const CAPTURE_PROTOCOLS = ["tcp", "udp", "icmp", "icmpv6", "arp", "esp"] as const;
export type CaptureProtocol = (typeof CAPTURE_PROTOCOLS)[number];

/** Listens on all interfaces at once. */
export const ANY_INTERFACE = "any";

export interface PingAsk {
  readonly tool: "ping";
  /** A literal address or a name. */
  readonly host: string;
  /** Null: whichever the server takes. */
  readonly family: Family | null;
  readonly count: number;
}
export interface TraceAsk {
  readonly tool: "trace";
  readonly host: string;
  readonly family: Family | null;
  readonly hops: number;
}
export interface ResolveAsk {
  readonly tool: "resolve";
  readonly host: string;
  readonly family: Family | null;
}
/** All that is given must fit; what is null fits everything. */
export interface CaptureAsk {
  readonly tool: "capture";
  readonly interface: string;
  /** A literal address: a name would be looked up by the server, by which a capture would send packets of its own. */
  readonly address: string | null;
  readonly port: number | null;
  readonly protocol: CaptureProtocol | null;
  readonly count: number;
  readonly seconds: number;
}
export type ToolAsk = PingAsk | TraceAsk | ResolveAsk | CaptureAsk;

/** How a run ended. `no_answer`: the host was silent, the name is not known. `too_long`, `too_much`: a bound was reached. */
export const TOOL_OUTCOMES = ["done", "no_answer", "failed", "stopped", "too_long", "too_much"] as const;
export type ToolOutcome = (typeof TOOL_OUTCOMES)[number];

interface Bound {
  readonly usual: number;
  readonly most: number;
}

/**
 * The least is one of each. More pings would make a probe of a server; thirty hops are what programs take for the length of the Internet; more
 * packets or seconds of a capture than a person reads belong to a capture on the server itself.
 */
export const BOUNDS = {
  pings: { usual: 4, most: 20 },
  hops: { usual: 20, most: 30 },
  packets: { usual: 100, most: 1_000 },
  seconds: { usual: 30, most: 60 },
} as const satisfies Record<string, Bound>;
