/** What a firewall decided about one packet, as its server saw it: headers only. */
export const PACKET_DIRECTIONS = ["inbound", "forward", "outbound"] as const;
export type PacketDirection = (typeof PACKET_DIRECTIONS)[number];

/** `would_drop`: the firewall observes, and let through what it will drop or reject when it enforces. */
export const PACKET_OUTCOMES = ["allowed", "dropped", "rejected", "would_drop"] as const;
export type PacketOutcome = (typeof PACKET_OUTCOMES)[number];

export interface SeenPacket {
  /** Unix milliseconds of the server's wall clock. */
  readonly atMs: number;
  readonly direction: PacketDirection;
  readonly outcome: PacketOutcome;
  /** NAME of a rule, NAME.limited, locked.NAME, publish.NAME, default; null where it has no name in the kernel. */
  readonly rule: string | null;
  /** Another firewall's table that dropped it; null where ours decided. */
  readonly foreignTable: string | null;
  readonly inInterface: string | null;
  readonly outInterface: string | null;
  /** tcp, udp, icmp, icmpv6, or the number of the protocol. */
  readonly protocol: string;
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number | null;
  readonly destinationPort: number | null;
  readonly icmpType: number | null;
}
