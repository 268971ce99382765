import { z } from "zod";
import { PACKET_DIRECTIONS, PACKET_OUTCOMES } from "../net/seen-packet.ts";

/** One packet that a server's firewall decided about, and the rule of which policy said so. */
export const packetSchema = z.object({
  number: z.int(),
  at: z.string().describe("By the server's own clock"),
  direction: z.enum(PACKET_DIRECTIONS),
  outcome: z.enum(PACKET_OUTCOMES).describe("would_drop: the firewall observes and let it through"),
  rule: z
    .string()
    .nullable()
    .describe("NAME, NAME.limited, locked.NAME, publish.NAME or default; null: it has no name in the kernel"),
  foreignTable: z.string().nullable().describe("The table of another firewall that dropped it"),
  inInterface: z.string().nullable(),
  outInterface: z.string().nullable(),
  protocol: z.string().describe("tcp, udp, icmp, icmpv6 or a number"),
  source: z.string(),
  destination: z.string(),
  sourcePort: z.int().nullable(),
  destinationPort: z.int().nullable(),
  icmpType: z.int().nullable(),
  from: z
    .object({ document: z.string(), revision: z.int(), layer: z.string(), path: z.string(), line: z.int().optional() })
    .nullable()
    .describe("Where that rule is written"),
  why: z.string().nullable().describe("What its author wrote as the reason"),
});
export type Packet = z.infer<typeof packetSchema>;

/** The events of the stream by name. What has another name is for a newer client. */
export const PACKET_EVENTS = {
  packets: z.object({
    packets: z.array(packetSchema),
    missed: z.int().describe("Seen and let go before they were taken"),
    sampled: z.boolean().describe("More came than the sample of 50 a second and direction holds"),
  }),
  /** The server cannot be asked for a moment; the stream goes on by itself. */
  lost: z.object({ why: z.string() }),
  /** Nothing more comes. */
  ended: z.object({ code: z.string(), message: z.string() }),
};
