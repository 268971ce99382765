import { type registrationSchema, type assertionSchema } from "@holdfast/core/api/passkey.ts";
import {
  browserSupportsWebAuthn,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
} from "@simplewebauthn/browser";
import type { z } from "zod";

/** The browser, or the person in front of it, made no passkey, or showed none. It says no more than that, on purpose. */
export class NoPasskey extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "NoPasskey";
  }
}

/** False where the page is not in a secure place, or the browser knows none. */
export function knowsPasskeys(): boolean {
  return browserSupportsWebAuthn();
}

export async function makePasskey(
  options: Readonly<Record<string, unknown>>,
): Promise<z.input<typeof registrationSchema>> {
  try {
    // The control plane writes them as WebAuthn does; the browser refuses what is not so.
    const optionsJSON = options as unknown as PublicKeyCredentialCreationOptionsJSON;
    return { ...(await startRegistration({ optionsJSON })) } as z.input<typeof registrationSchema>;
  } catch (error) {
    throw new NoPasskey(error);
  }
}

export async function showPasskey(
  options: Readonly<Record<string, unknown>>,
): Promise<z.input<typeof assertionSchema>> {
  try {
    const optionsJSON = options as unknown as PublicKeyCredentialRequestOptionsJSON;
    return { ...(await startAuthentication({ optionsJSON })) } as z.input<typeof assertionSchema>;
  } catch (error) {
    throw new NoPasskey(error);
  }
}
