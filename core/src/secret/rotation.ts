import type { TunnelDocument } from "../policy/document.ts";
import { secretOfTunnel } from "./secret-file.ts";

/** How old a key of the store may become, as a tunnel that names it says. */
export interface RotationRule {
  readonly tunnel: string;
  readonly secret: string;
  readonly version: number;
  readonly rotateSeconds: number;
}

/** Null where the tunnel says nothing of it, or its key is not of the store. */
export function rotationRule({ name: tunnel, body: { psk, rotateSeconds } }: TunnelDocument): RotationRule | null {
  if (rotateSeconds === undefined) return null;
  if (psk.from === "generated") return { tunnel, secret: secretOfTunnel(tunnel), version: psk.version, rotateSeconds };
  return psk.from === "secret" ? { tunnel, secret: psk.name, version: psk.version, rotateSeconds } : null;
}

/** When a key that was made then is due. */
export function dueMs(madeMs: number, { rotateSeconds }: Pick<RotationRule, "rotateSeconds">): number {
  return madeMs + rotateSeconds * 1_000;
}
