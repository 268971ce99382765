import type { CaptureAsk, Tool, ToolAsk } from "@holdfast/core/tool/tool.ts";

/** All arguments of a tool's program, each of them ours or checked: `checkAsk` has seen the request. */
export interface ToolCommand {
  readonly operands: readonly string[];
  /** Milliseconds after which it is ended, whatever it does. */
  readonly longestMs: number;
}

/** Where Debian and its kin have them, in the order in which they are looked for, never by a search path; and in which package. */
export const PROGRAMS = {
  ping: { paths: ["/usr/bin/ping", "/bin/ping"], package: "iputils-ping" },
  trace: { paths: ["/usr/bin/tracepath", "/usr/sbin/tracepath"], package: "iputils-tracepath" },
  resolve: { paths: ["/usr/bin/getent"], package: "libc-bin" },
  capture: { paths: ["/usr/bin/tcpdump", "/usr/sbin/tcpdump"], package: "tcpdump" },
} as const satisfies Record<Tool, { readonly paths: readonly string[]; readonly package: string }>;

/** Seconds in which a ping is waited for. */
const PING_WAIT_SECONDS = 2;
/** A resolver that asks three servers twice has said what it can by then. */
const RESOLVE_MS = 15_000;
/** tracepath waits three seconds for each hop that is silent; after this most ways are known as far as they ever will be. */
const TRACE_MS = 60_000;
/** Of a packet: more than the longest headers there are (two tags, IPv6 with options, an error that quotes as much). The rest is cut off later. */
const SNAP_BYTES = 256;

export function toolCommand(ask: ToolAsk): ToolCommand {
  switch (ask.tool) {
    case "ping":
      return {
        operands: [
          "-n",
          "-O",
          ...family(ask.family),
          "-c",
          String(ask.count),
          "-i",
          "1",
          "-W",
          String(PING_WAIT_SECONDS),
          "-w",
          String(ask.count + PING_WAIT_SECONDS),
          "--",
          ask.host,
        ],
        // Its name may have to be found first.
        longestMs: (ask.count + PING_WAIT_SECONDS) * 1_000 + RESOLVE_MS,
      };
    case "trace":
      return {
        operands: ["-n", ...family(ask.family), "-m", String(ask.hops), "--", ask.host],
        longestMs: TRACE_MS,
      };
    case "resolve":
      return {
        // A literal address has a colon, or ends in a number: then its name is asked for.
        operands: isAddress(ask.host) ? ["hosts", ask.host] : [DATABASE[ask.family ?? 0], ask.host],
        longestMs: RESOLVE_MS,
      };
    case "capture":
      return {
        operands: [
          "-i",
          ask.interface,
          // Names nothing, puts no interface into another mode, writes each packet at once to nothing but its output.
          "-n",
          "-p",
          "-U",
          "--immediate-mode",
          "-s",
          String(SNAP_BYTES),
          "-c",
          String(ask.count),
          "-w",
          "-",
          ...captureFilter(ask),
        ],
        longestMs: ask.seconds * 1_000,
      };
  }
}

/** In the words of pcap-filter(7): what was given, all of it. Nothing of it is a text of the asker's. */
export function captureFilter({ address, port, protocol }: CaptureAsk): readonly string[] {
  const parts = [
    ...(protocol === null ? [] : [PROTOCOL[protocol]]),
    ...(address === null ? [] : [["host", address]]),
    ...(port === null ? [] : [["port", String(port)]]),
  ];
  return parts.flatMap((part, at) => (at === 0 ? part : ["and", ...part]));
}

const PROTOCOL = {
  tcp: ["tcp"],
  udp: ["udp"],
  icmp: ["icmp"],
  icmpv6: ["icmp6"],
  arp: ["arp"],
  esp: ["(", "ip", "proto", "50", "or", "ip6", "proto", "50", ")"],
} as const satisfies Record<NonNullable<CaptureAsk["protocol"]>, readonly string[]>;

const DATABASE = { 0: "ahosts", 4: "ahostsv4", 6: "ahostsv6" } as const satisfies Record<0 | 4 | 6, string>;

function family(of: 4 | 6 | null): readonly string[] {
  return of === null ? [] : [`-${of}`];
}

function isAddress(host: string): boolean {
  return host.includes(":") || /\.[0-9]+$/.test(host);
}
