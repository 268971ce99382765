import { err, ok, type Result } from "../base/result.ts";
import { parseItemName } from "../policy/name.ts";

/** One version of a secret, without what it is. */
export interface SecretVersion {
  /** NAME for one that somebody wrote, `tunnel.NAME` for the key that was made for a tunnel. */
  readonly name: string;
  readonly version: number;
  /** Made with a key of the control plane: it tells two values apart and gives nobody a way to try out guesses. */
  readonly fingerprint: string;
  /** The servers that a generated key was made for; empty for one that somebody wrote. */
  readonly boundTo: string;
  /** What is public of it, where it is the private key of a certificate. */
  readonly certificate?: SecretCertificate;
}

/** Certificates as the base64 of their DER. */
export interface SecretCertificate {
  readonly own: string;
  /** That of the authority which issued it. */
  readonly authority: string;
  /** SHA-1 of the public key, lower-case hex: what strongSwan calls the private one by. */
  readonly keyId: string;
}

/** The key of a tunnel is called so; a dot cannot stand in a name that a person gives. */
const TUNNEL_PREFIX = "tunnel.";

export function secretOfTunnel(tunnel: string): string {
  return `${TUNNEL_PREFIX}${tunnel}`;
}

/** Between the name of a tunnel, which has no two dashes, and that of an end. */
const END = "--";

/** The private key of one end of a tunnel. */
export function secretOfEnd(tunnel: string, end: string): string {
  return `${TUNNEL_PREFIX}${tunnel}${END}${end}`;
}

/** The tunnel whose key this is, of both ends or of one; null for a secret that somebody wrote. */
export function tunnelOfSecret(name: string): string | null {
  return name.startsWith(TUNNEL_PREFIX) ? (name.slice(TUNNEL_PREFIX.length).split(END)[0] ?? null) : null;
}

export function isSecretOfEnd(name: string): boolean {
  return name.startsWith(TUNNEL_PREFIX) && name.includes(END);
}

/** Where the control plane keeps the key of the authority that issues the certificates of tunnels: in the store, and on no server. */
export const TUNNEL_AUTHORITY_SECRET = "authority.tunnels";

/** What stands for a secret in a config, and how its file on a server is called: `NAME.VERSION.FINGERPRINT`. */
export function secretFile({ name, version, fingerprint }: Omit<SecretVersion, "boundTo" | "certificate">): string {
  return `${name}.${version}.${fingerprint}`;
}

export function parseSecretFile(text: string): Result<Omit<SecretVersion, "boundTo" | "certificate">, string> {
  const found = /^((?:tunnel\.)?([a-z0-9-]{1,63}))\.([1-9][0-9]{0,5})\.([0-9a-f]{16})$/.exec(text);
  const [, name = "", item = "", version = "", fingerprint = ""] = found ?? [];
  if (found === null || !parseItemName(item).ok)
    return err(`${JSON.stringify(text.slice(0, 120))} is no secret of Holdfast`);
  return ok({ name, version: Number(version), fingerprint });
}
