import { z } from "zod";

/** Characters of a value. A shorter pre-shared key can be tried out by whoever has seen one exchange (RFC 7296, 2.15); a longer one is no key. */
export const SECRET_LENGTH = { least: 20, most: 1024 } as const;

/** What is wrong with a value is said without it. */
const valueSchema = z
  .string()
  .refine((value) => value.length >= SECRET_LENGTH.least && value.length <= SECRET_LENGTH.most, {
    error: `A value has from ${SECRET_LENGTH.least} to ${SECRET_LENGTH.most} characters`,
  })
  .refine((value) => /^[\x21-\x7e]*$/.test(value), {
    error: "A value is one line of plain characters without spaces",
  })
  .describe("Written once, read never");

export const putSecretSchema = z.strictObject({ value: valueSchema });

export const rotateSecretSchema = z
  .strictObject({
    value: valueSchema.optional().describe("Absent: 32 random bytes, which nobody is shown"),
    reason: z.string().max(4000).default(""),
  })
  .default({ reason: "" });

/** What is public of a private key. */
const certificateOfSecretSchema = z.object({
  subject: z.string(),
  issuer: z.string(),
  serial: z.string().describe("Lower-case hex"),
  fingerprint: z.string().describe("SHA-256 of the certificate, lower-case hex"),
  notBefore: z.string(),
  notAfter: z.string(),
  isChained: z.boolean().describe("Whether the authority that is told beside it has signed it"),
  pem: z.string(),
  authorityPem: z.string().describe("Of the authority that has issued it, which an external end must be given"),
});

export const secretVersionSchema = z.object({
  version: z.int(),
  fingerprint: z.string().describe("Tells two values apart; the value itself is never shown"),
  madeBy: z.string(),
  madeAt: z.string(),
  dueAt: z
    .string()
    .nullable()
    .default(null)
    .describe(
      "When it is older than a tunnel that names it allows (auth.rotate), or a month before its certificate ends; null where none says",
    ),
  certificate: certificateOfSecretSchema.nullable().default(null).describe("Null: it is no private key"),
});
export const secretSchema = z.object({
  name: z
    .string()
    .describe(
      "NAME, tunnel.NAME for a key that was made for a tunnel, tunnel.NAME--END for the private key of one end",
    ),
  kind: z.enum(["written", "generated"]),
  versions: z.array(secretVersionSchema),
  usedBy: z.array(
    z.object({
      document: z.string(),
      version: z.int(),
      as: z.enum(["head", "in_force", "draft", "under_way"]).describe("Why it may not be deleted"),
    }),
  ),
  etag: z.string().describe("The newest version; 0 for a secret that does not exist yet"),
});
export const rekeySchema = z.object({
  keyId: z.string().describe("What the key is called that all secrets are wrapped with now"),
  wrapped: z.int().describe("Secrets that were wrapped anew by this call"),
});
export type Secret = z.infer<typeof secretSchema>;
export type SecretCertificateView = z.infer<typeof certificateOfSecretSchema>;
