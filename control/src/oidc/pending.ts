/**
 * A sign-in under way. It lies sealed in the browser that began it, and nowhere else: whoever only asks for one fills no table, and any
 * instance goes on with it. That it is used once is written down when it is used.
 */
import { z } from "zod";
import type { Seal } from "../account/seal.ts";

/** From the button to the way back: time to type a password and to look for a telephone. Longer would leave more to find in a browser. */
export const ASKED_MS = 10 * 60_000;
/** To type a code of an authenticator. */
export const PROVEN_MS = 5 * 60_000;

/** Whom it was begun with: another provider in the settings since then has no part in it. */
const issuer = z.string();
const untilMs = z.number();
const askedSchema = z.object({
  issuer,
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  /** Where the person wanted to go. */
  next: z.string(),
  untilMs,
});
/** The provider has said who it is; a code is still asked for. */
const provenSchema = z.object({
  issuer,
  /** Used once, like a state. */
  id: z.string(),
  subject: z.string(),
  userId: z.string(),
  next: z.string(),
  untilMs,
});
const SCHEMAS = { asked: askedSchema, proven: provenSchema } as const;

export type Asked = z.infer<typeof askedSchema>;
export type Proven = z.infer<typeof provenSchema>;

/** What was sealed as the one never opens as the other. */
const about = (kind: keyof typeof SCHEMAS): string => `oidc/${kind}`;

export function sealPending(seal: Seal, kind: "asked", pending: Asked): string;
export function sealPending(seal: Seal, kind: "proven", pending: Proven): string;
export function sealPending(seal: Seal, kind: keyof typeof SCHEMAS, pending: Asked | Proven): string {
  return seal.close(Buffer.from(JSON.stringify(pending), "utf8"), about(kind)).toString("base64url");
}

/** Null: there is none, it is of the other kind, or it was not sealed here. */
export function openAsked(seal: Seal, sealed: string | null): Asked | null {
  return askedSchema.safeParse(opened(seal, "asked", sealed)).data ?? null;
}

export function openProven(seal: Seal, sealed: string | null): Proven | null {
  return provenSchema.safeParse(opened(seal, "proven", sealed)).data ?? null;
}

function opened(seal: Seal, kind: keyof typeof SCHEMAS, sealed: string | null): unknown {
  if (sealed === null) return null;
  try {
    return JSON.parse(seal.open(Buffer.from(sealed, "base64url"), about(kind)).toString("utf8"));
  } catch {
    return null;
  }
}
