import { z } from "zod";

/** What an authenticator writes is larger than one thinks: an attestation with its certificates. */
const MOST_TEXT = 20_000;
const base64url = z
  .string()
  .max(MOST_TEXT)
  .regex(/^[A-Za-z0-9_-]*$/, { error: "This is not base64url" });
const nameSchema = z.string().trim().min(1).max(60);

/** WebAuthn's own words (RegistrationResponseJSON); what we do not read of it is left out. */
export const registrationSchema = z.object({
  id: base64url,
  rawId: base64url,
  type: z.literal("public-key"),
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: z.array(z.string().max(40)).max(10).optional(),
  }),
  clientExtensionResults: z.object({}).loose().default({}),
  authenticatorAttachment: z.string().max(40).optional(),
});
/** WebAuthn's own words (AuthenticationResponseJSON). */
export const assertionSchema = z.object({
  id: base64url,
  rawId: base64url,
  type: z.literal("public-key"),
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url.optional(),
  }),
  clientExtensionResults: z.object({}).loose().default({}),
  authenticatorAttachment: z.string().max(40).optional(),
});
/** What the browser's navigator.credentials is given, as WebAuthn writes it in JSON. */
export const ceremonySchema = z.object({
  options: z.record(z.string(), z.unknown()).describe("As WebAuthn's parse…OptionsFromJSON takes them"),
});

export const passkeySchema = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable(),
  synced: z.boolean().describe("Its authenticator keeps a copy elsewhere, so that it survives the device"),
});
/** Whoever makes a passkey shows that they are the person: by the password, or because they have just shown a second factor. */
export const beginPasskeySchema = z.object({ password: z.string().min(1).max(256).optional() });
export const addPasskeySchema = z.object({ name: nameSchema, passkey: registrationSchema });
export const addedPasskeySchema = passkeySchema.extend({
  recoveryCodes: z
    .array(z.string())
    .describe("Shown once, with the account's first second factor; empty where there are some already"),
});
export const renamePasskeySchema = z.object({ name: nameSchema });
export const removePasskeySchema = z.object({ password: z.string().min(1).max(256).optional() });
export const signInWithPasskeySchema = z.object({ passkey: assertionSchema });

/** The person again: a passkey, or the password with a code of the authenticator. */
export const stepUpSchema = z.union([
  z.strictObject({ passkey: assertionSchema }),
  z.strictObject({ password: z.string().min(1).max(256), code: z.string().min(1).max(64) }),
]);
