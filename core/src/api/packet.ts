import { z } from "zod";

/** A packet to be judged by a server's effective config. Addresses are literal; what is left out is unknown, not "any". */
export const explainRequestSchema = z.strictObject({
  direction: z.enum(["inbound", "forward", "outbound"]),
  protocol: z.enum(["tcp", "udp", "icmp"]),
  source: z.string().describe("Literal address"),
  destination: z.string().describe("Literal address"),
  port: z.int().min(1).max(65_535).optional().describe("Destination port; for tcp and udp"),
  fromInterface: z.string().optional().describe("Role or kernel name of the interface it comes in by"),
  toInterface: z.string().optional().describe("Role or kernel name of the interface it goes out by"),
});
export type ExplainRequest = z.infer<typeof explainRequestSchema>;

export const explainResponseSchema = z.object({
  verdict: z.enum(["allow", "reject", "drop", "not_ours"]),
  rule: z.string().nullable().describe("The rule that decided; null when a default did, or nothing of ours"),
  why: z.string().describe("In a sentence"),
  from: z
    .object({ document: z.string(), revision: z.int(), layer: z.string(), path: z.string(), line: z.int().optional() })
    .nullable()
    .describe("Where that rule is written"),
});
export type ExplainResponse = z.infer<typeof explainResponseSchema>;
