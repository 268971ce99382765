import { z } from "zod";
import { CERTIFICATE_STANDINGS } from "../access/certificate-standing.ts";
import { LONGEST_REQUEST, parseRequestText } from "../policy/request-text.ts";
import { checkedText } from "../policy/text-schema.ts";
import { personNameText } from "../policy/tunnel-people.ts";
import { mailText, parseTunnelName } from "../policy/tunnel-text.ts";

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
const calledServer = z.string().describe("The server that this person calls");
const requestText = checkedText(parseRequestText, {
  description: "PKCS #10 in PEM, made on the person's device. Its private key stays there.",
  examples: ["-----BEGIN CERTIFICATE REQUEST-----\nMIIB...\n-----END CERTIFICATE REQUEST-----\n"],
  longest: LONGEST_REQUEST,
});

/** What somebody pastes: of whom it is said beside it, and nothing that the request says of names is taken. */
export const certifyPersonSchema = z.strictObject({
  server: calledServer,
  tunnel: checkedText(parseTunnelName, { description: "The tunnel that it shall open", examples: ["remote-staff"] }),
  person: personNameText,
  identity: mailText,
  request: requestText,
});

/** The same before anything is certified: what the request says, and whether it would be. */
export const lookAtRequestSchema = z.strictObject({ server: calledServer, request: requestText });

/** Why a request is not certified, whoever it is for. */
export const REQUEST_FLAWS = ["unreadable", "kind", "curve", "short", "long", "exponent", "signature"] as const;
export type RequestFlaw = (typeof REQUEST_FLAWS)[number];

export const seenRequestSchema = z.object({
  says: z
    .object({
      subject: z.string().describe("What the device calls itself; the certificate names the person instead"),
      names: z
        .array(z.string())
        .describe("Other names that it asks for, with their kind; the certificate has none of them"),
      key: z.string().describe("Kind and size: EC P-384, RSA 3072"),
      keyFingerprint: z.string().describe("SHA-256 of the public key (SubjectPublicKeyInfo), lower-case hex"),
    })
    .nullable()
    .describe("Null: nothing in it can be read"),
  flaw: z
    .object({ kind: z.enum(REQUEST_FLAWS), message: z.string() })
    .nullable()
    .describe("Why it would be refused; null: nothing in the request itself stands in the way"),
  holder: z
    .object({ tunnel: z.string(), person: z.string(), identity: z.string() })
    .nullable()
    .describe("Who has a certificate for this very key already; nobody else is given one"),
});
export type SeenRequest = z.infer<typeof seenRequestSchema>;
export type RequestSays = NonNullable<SeenRequest["says"]>;

/** A certificate of a person, who is let in where a document names it. */
export const personCertificateSchema = z.object({
  identity: z.string(),
  subject: z.string(),
  issuer: z.string(),
  serial: z.string().describe("Lower-case hex"),
  fingerprint: z.string().describe("SHA-256 of the certificate, lower-case hex"),
  notBefore: z.string(),
  notAfter: z.string(),
  dueAt: z.string().describe("When it is time for the next one"),
  isChained: z.boolean().describe("Whether an authority of tunnels of this house has signed it"),
  pem: z.string(),
});

/** The same with who issued it, which the device has to trust. */
export const certifiedPersonSchema = personCertificateSchema.extend({ authorityPem: z.string() });

/** Where a document names it. */
export const listedPersonCertificateSchema = personCertificateSchema.extend({
  tunnel: z.string(),
  person: z.string(),
  as: z.array(z.enum(["head", "in_force"])).describe("Of which revision of the tunnel it is"),
});
export type PersonCertificate = z.infer<typeof personCertificateSchema>;
export type ListedPersonCertificate = z.infer<typeof listedPersonCertificateSchema>;

export type Certificate = z.infer<typeof certificateSchema>;
