import { z } from "zod";

/** RFC 9457 problem details with our dotted code. `findings` carries everything that is wrong, not the first thing. */
export const findingSchema = z.object({
  severity: z.enum(["error", "danger", "warning", "note"]),
  code: z.string(),
  path: z.string(),
  message: z.string(),
  remedy: z.string(),
  line: z.int().optional(),
  column: z.int().optional(),
  document: z.string().optional(),
});

export const problemSchema = z.object({
  type: z.string().describe("A relative link to the code's page in the documentation"),
  title: z.string(),
  status: z.int(),
  code: z.string().describe("Stable dotted code, for example change.conflict"),
  detail: z.string(),
  remedy: z.string(),
  requestId: z.string().describe("Quote this when asking for help; the log has it"),
  findings: z.array(findingSchema).optional(),
});
export type Problem = z.infer<typeof problemSchema>;
