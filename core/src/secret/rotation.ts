import type { TunnelDocument } from "../policy/document.ts";
import { secretOfEnd, secretOfTunnel } from "./secret-file.ts";

const DAY_SECONDS = 86_400;
/** How long a certificate of a tunnel is good. */
export const TUNNEL_CERTIFICATE_SECONDS = 365 * DAY_SECONDS;
/** A certificate is due so long before it ends: time for a change, its approval and a window. */
export const RENEW_BEFORE_SECONDS = 30 * DAY_SECONDS;

/** How old a key of the store may become, as a tunnel that names it says. */
export interface RotationRule {
  readonly tunnel: string;
  readonly secret: string;
  readonly version: number;
  readonly rotateSeconds: number;
}

/** Null where the tunnel says nothing of it, or its key is not of the store. A certificate ends, whatever a tunnel says. */
export function rotationRule({ name: tunnel, body }: TunnelDocument): RotationRule | null {
  const { key, rotateSeconds } = body;
  if (key.from === "certificate") {
    // Those of both ends are made at once.
    const end = body.ends.find(({ kind }) => kind === "managed");
    const latest = TUNNEL_CERTIFICATE_SECONDS - RENEW_BEFORE_SECONDS;
    return {
      tunnel,
      secret: secretOfEnd(tunnel, end?.name ?? ""),
      version: key.version,
      rotateSeconds: Math.min(rotateSeconds ?? latest, latest),
    };
  }
  if (rotateSeconds === undefined) return null;
  if (key.from === "generated") return { tunnel, secret: secretOfTunnel(tunnel), version: key.version, rotateSeconds };
  return key.from === "secret" ? { tunnel, secret: key.name, version: key.version, rotateSeconds } : null;
}

/** When a key that was made then is due. */
export function dueMs(madeMs: number, { rotateSeconds }: Pick<RotationRule, "rotateSeconds">): number {
  return madeMs + rotateSeconds * 1_000;
}
