import { err, ok, type Result } from "../base/result.ts";
import { parseItemName } from "../policy/name.ts";

/** One version of a secret, without what it is. */
export interface SecretVersion {
  /** NAME for one that somebody wrote, `tunnel.NAME` for the key that was made for a tunnel. */
  readonly name: string;
  readonly version: number;
  /** Made with a key of the control plane: it tells two values apart and gives nobody a way to try out guesses. */
  readonly fingerprint: string;
  /** The two servers that a generated key was made for; empty for one that somebody wrote. */
  readonly boundTo: string;
}

/** The key of a tunnel is called so; a dot cannot stand in a name that a person gives. */
const TUNNEL_PREFIX = "tunnel.";

export function secretOfTunnel(tunnel: string): string {
  return `${TUNNEL_PREFIX}${tunnel}`;
}

/** The tunnel whose key this is; null for a secret that somebody wrote. */
export function tunnelOfSecret(name: string): string | null {
  return name.startsWith(TUNNEL_PREFIX) ? name.slice(TUNNEL_PREFIX.length) : null;
}

/** What stands for a secret in a config, and how its file on a server is called: `NAME.VERSION.FINGERPRINT`. */
export function secretFile({ name, version, fingerprint }: Omit<SecretVersion, "boundTo">): string {
  return `${name}.${version}.${fingerprint}`;
}

export function parseSecretFile(text: string): Result<Omit<SecretVersion, "boundTo">, string> {
  const found = /^((?:tunnel\.)?([a-z0-9-]{1,63}))\.([1-9][0-9]{0,5})\.([0-9a-f]{16})$/.exec(text);
  const [, name = "", item = "", version = "", fingerprint = ""] = found ?? [];
  if (found === null || !parseItemName(item).ok)
    return err(`${JSON.stringify(text.slice(0, 120))} is no secret of Holdfast`);
  return ok({ name, version: Number(version), fingerprint });
}
