import { identitiesOf } from "@holdfast/core/compose/tunnel-ends.ts";
import { boundTo, type NamedKey } from "@holdfast/core/compose/tunnel-key.ts";
import type { TunnelDocument } from "@holdfast/core/policy/document.ts";
import { TUNNEL_AUTHORITY_SECRET } from "@holdfast/core/secret/secret-file.ts";
import type { Caller } from "../api/caller.ts";
import {
  isGoodForIssuing,
  issueForEnd,
  makeTunnelAuthority,
  type TunnelAuthority,
} from "../authority/tunnel-authority.ts";
import type { House } from "../house.ts";
import { listVersions, lockSecret } from "../store/secrets.ts";
import type { Transaction } from "../store/transaction.ts";

type Issuer = Pick<House, "secrets" | "nowMs">;

/** New keys and certificates for these ends of a tunnel, into the store. */
export async function issueCertificates(
  house: Issuer,
  tx: Transaction,
  caller: Caller,
  tunnel: TunnelDocument,
  ends: readonly NamedKey[],
  version: number,
): Promise<void> {
  const authority = await authorityOf(house, tx, caller);
  for (const { server, secret } of ends) {
    if (server === null || secret === null) continue;
    const end = tunnel.body.ends.find((one) => one.kind === "managed" && one.server === server);
    if (end?.kind !== "managed") continue;
    const [identity = server, ...also] = identitiesOf(tunnel.body, end);
    const issued = await issueForEnd(authority, { tunnel: tunnel.name, identity, also }, house.nowMs());
    const { value, certificate: own, authority: by, keyId, notAfterMs } = issued;
    const certificate = { own, authority: by, keyId, notAfterMs };
    const made = { name: secret, version, value, boundTo: boundTo(tunnel, server), madeBy: caller.userId, certificate };
    await house.secrets.add(tx, made, caller.actor);
  }
}

/** The newest; made when it is needed first, and again when it would end before what it issues. */
export async function authorityOf(
  house: Issuer,
  tx: Transaction,
  caller: Caller,
): Promise<Pick<TunnelAuthority, "value" | "certificate">> {
  await lockSecret(tx, TUNNEL_AUTHORITY_SECRET);
  const newest = (await listVersions(tx)).findLast(({ name }) => name === TUNNEL_AUTHORITY_SECRET);
  const notAfterMs = newest?.not_after?.getTime() ?? 0;
  if (newest !== undefined && newest.certificate !== null && isGoodForIssuing(notAfterMs, house.nowMs())) {
    const value = await house.secrets.value(tx, TUNNEL_AUTHORITY_SECRET, newest.version);
    if (value !== null) return { value, certificate: newest.certificate };
  }
  const version = (newest?.version ?? 0) + 1;
  const made = await makeTunnelAuthority(version, house.nowMs());
  const { value, certificate: own, keyId } = made;
  const certificate = { own, authority: own, keyId, notAfterMs: made.notAfterMs };
  const secret = { name: TUNNEL_AUTHORITY_SECRET, version, value, boundTo: "", madeBy: caller.userId, certificate };
  await house.secrets.add(tx, secret, caller.actor);
  return made;
}
