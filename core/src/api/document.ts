import { z } from "zod";
import { findingSchema } from "./problem.ts";

export const documentSummarySchema = z.object({
  kind: z.string(),
  name: z.string(),
  revision: z.int(),
  digest: z.string(),
  author: z.string(),
  at: z.string(),
  deleted: z.boolean(),
  inForceOn: z.array(z.object({ server: z.string(), revision: z.int() })),
});

export const documentSchema = documentSummarySchema.extend({ text: z.string().nullable(), etag: z.string() });

export const revisionSchema = z.object({
  revision: z.int(),
  digest: z.string(),
  author: z.string(),
  at: z.string(),
  changeId: z.string(),
  comment: z.string(),
  text: z.string().nullable(),
});

export const validateRequestSchema = z.object({ text: z.string(), file: z.string().optional() });
export const validateResponseSchema = z.object({
  documents: z.array(z.object({ kind: z.string(), name: z.string() })),
  findings: z.array(findingSchema),
});

export const diffResponseSchema = z.object({
  from: z.int(),
  to: z.int(),
  diff: z.string().describe("Unified diff of the texts"),
});
