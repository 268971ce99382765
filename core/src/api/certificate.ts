import { z } from "zod";
import { CERTIFICATE_STANDINGS } from "../access/certificate-standing.ts";

export const certificateSchema = z.object({
  server: z.string(),
  standing: z.enum(CERTIFICATE_STANDINGS),
  fingerprint: z.string().nullable().describe("Of the key that the certificate is for, as the server itself shows it"),
  serial: z.string().nullable(),
  since: z.string().nullable().describe("When this key was shown"),
  notAfter: z.string().nullable(),
  earlier: z.int().describe("Certified keys of this server before this one: its renewals, and its enrolments"),
  revokedAt: z.string().nullable(),
  connected: z.boolean(),
});
export type Certificate = z.infer<typeof certificateSchema>;
