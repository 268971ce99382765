import { readPersonRequest } from "@holdfast/control/authority/person-request.ts";
import {
  issueForEnd,
  issueForPerson,
  type IssuedForEnd,
  makeTunnelAuthority,
  type TunnelAuthority,
} from "@holdfast/control/authority/tunnel-authority.ts";
import {
  type SecretVersion,
  secretFile,
  secretOfEnd,
  TUNNEL_AUTHORITY_SECRET,
} from "@holdfast/core/secret/secret-file.ts";
import type { LabServer } from "./server.ts";

/** What the control plane does for the ends of a tunnel, without one: certificates by its own authority, and files where the guard puts them. */

/** Where the guard keeps what the store of secrets sends. */
const FOLDER = "/var/lib/holdfast/secrets";

export interface TunnelEndWish {
  readonly tunnel: string;
  readonly end: string;
  readonly server: string;
  readonly version: number;
  /** What people's devices call, first how it calls itself; left out: an end of a tunnel between machines, which is called as its server. */
  readonly called?: readonly string[];
}

export interface MadeEnd {
  readonly secret: SecretVersion;
  readonly issued: IssuedForEnd;
}

export function tunnelAuthority(): Promise<TunnelAuthority> {
  return makeTunnelAuthority(1, Date.now());
}

/** @param atMs when it was issued: so long ago that it has ended, say */
export async function madeEnd(
  authority: TunnelAuthority,
  { tunnel, end, server, version, called = [server] }: TunnelEndWish,
  atMs = Date.now(),
): Promise<MadeEnd> {
  const [identity = server, ...also] = called;
  const issued = await issueForEnd(authority, { tunnel, identity, also }, atMs);
  const certificate = { own: issued.certificate, authority: issued.authority, keyId: issued.keyId };
  const fingerprint = issued.keyId.slice(0, 16);
  return {
    issued,
    secret: { name: secretOfEnd(tunnel, end), version, fingerprint, boundTo: called.join(" "), certificate },
  };
}

/**
 * What the control plane answers to a request that a person's device has made.
 *
 * @param atMs when it was issued: so long ago that it has ended, say
 */
export async function certifiedPerson(
  authority: TunnelAuthority,
  request: string,
  person: { readonly tunnel: string; readonly identity: string },
  atMs: number,
): Promise<string> {
  const read = await readPersonRequest(request);
  if (!read.ok) throw new Error(read.error.message);
  return issueForPerson(authority, { ...person, key: read.value.key }, atMs);
}

/** The authority as composing knows it. */
export function authoritySecret({ certificate: own, keyId }: TunnelAuthority): SecretVersion {
  const certificate = { own, authority: own, keyId };
  return { name: TUNNEL_AUTHORITY_SECRET, version: 1, fingerprint: keyId.slice(0, 16), boundTo: "", certificate };
}

export async function putPrivateKey(server: LabServer, { secret, issued }: MadeEnd): Promise<void> {
  await server.must(["mkdir", "-p", "-m", "700", FOLDER]);
  await server.writeFile(`${FOLDER}/${secretFile(secret)}`, `${issued.value}\n`, 0o600);
}
