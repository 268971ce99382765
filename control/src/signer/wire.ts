/**
 * What goes over the signer's socket: one line of JSON asks, one line answers, one question per connection. A question names what is to be
 * signed; it never carries the command itself, which the signer writes from the rows that it reads.
 */
import { z } from "zod";
import { KEY_LINK } from "./key-chain.ts";

/** Beside the longest config of a server there is room for its secrets, sealed. */
export const LONGEST_LINE = 16 << 20;

const uuid = z.uuid();
const fence = z.int().nonnegative();
const apply = { serverId: uuid, requestId: uuid, fence };

export const SIGNER_QUESTION = z.discriminatedUnion("ask", [
  z.strictObject({ ask: z.literal("describe") }),
  z.strictObject({
    ask: z.literal("prepare"),
    ...apply,
    secrets: z.array(
      z.strictObject({ file: z.string().max(512), ephemeralKey: z.base64(), sealed: z.base64().max(1 << 20) }),
    ),
  }),
  z.strictObject({ ask: z.literal("execute"), ...apply }),
  z.strictObject({ ask: z.literal("confirm"), ...apply }),
  z.strictObject({ ask: z.literal("abort"), ...apply, code: z.string().max(200), message: z.string().max(8_192) }),
  z.strictObject({ ask: z.literal("tunnel"), ...apply }),
  z.strictObject({
    ask: z.literal("release"),
    serverId: uuid,
    requestId: uuid,
    fence,
    reason: z.string().max(8_192),
    actor: z.string().max(200),
  }),
]);
export type SignerQuestion = z.infer<typeof SIGNER_QUESTION>;
/** What is asked to be signed. */
export type SigningWish = Exclude<SignerQuestion, { ask: "describe" }>;

export const SIGNER_ANSWER = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("described"),
    /** Raw Ed25519, lower-case hex. */
    publicKeyHex: z.string().regex(/^[0-9a-f]{64}$/),
    keyId: z.string().regex(/^[0-9a-f]{16}$/),
    /** How the house came to it, the oldest link first. */
    links: z.array(KEY_LINK).default([]),
    /** The operating system's user that holds the key. */
    uid: z.int(),
    /** What keeps it from signing now; null when nothing does. */
    trouble: z.string().nullable(),
  }),
  z.object({ kind: z.literal("signed"), command: z.base64(), signature: z.base64(), keyId: z.string() }),
  /** It does not sign that. Asking again changes nothing. */
  z.object({ kind: z.literal("refused"), code: z.string(), message: z.string() }),
  /** It cannot now. */
  z.object({ kind: z.literal("unavailable"), code: z.string(), message: z.string() }),
]);
export type SignerAnswer = z.infer<typeof SIGNER_ANSWER>;
