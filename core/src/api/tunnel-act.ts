import { z } from "zod";
import { SEVERITIES } from "../base/finding.ts";
import { TUNNEL_PARTS, TUNNEL_VERBS } from "../plan/tunnel-act.ts";

export const tunnelActSchema = z
  .strictObject({
    act: z.enum(TUNNEL_VERBS),
    of: z
      .enum(TUNNEL_PARTS)
      .optional()
      .describe(
        "The child that carries packets, or the whole association. Left out: ike for terminate, child for rekey",
      ),
    acknowledge: z
      .array(z.string().max(100))
      .max(20)
      .default([])
      .describe("Codes of findings of severity danger that a person has read"),
    preview: z.boolean().default(false).describe("Only says what it would cut and open"),
  })
  .refine(({ act, of }) => act !== "initiate" || of !== "ike", {
    path: ["of"],
    message: "A tunnel is begun as a whole: without its child an association carries nothing",
  });

export const tunnelActedSchema = z.object({
  id: z.string().nullable().describe("The request's id, by which logs and audit log name it; null for a preview"),
  outcome: z
    .enum(["possible", "refused", "nothing_to_do", "done"])
    .describe("`possible` and `refused` of a preview alone"),
  findings: z
    .array(
      z.object({
        severity: z.enum(SEVERITIES),
        code: z.string(),
        path: z.string(),
        message: z.string(),
        remedy: z.string(),
      }),
    )
    .describe("What it cuts and opens, or why it cannot be done"),
});
export type TunnelActed = z.infer<typeof tunnelActedSchema>;
