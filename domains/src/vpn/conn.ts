import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { ok, type Result } from "@holdfast/core/base/result.ts";
import { parseAddress } from "@holdfast/core/net/address.ts";
import type { IpsecConn, IpsecKey } from "@holdfast/core/plan/ipsec-state.ts";
import { parseItemName } from "@holdfast/core/policy/name.ts";
import { parseSecretFile } from "@holdfast/core/secret/secret-file.ts";
import { KEY_FOLDER, STORE_FOLDER } from "./facts.ts";
import { fingerprint } from "./fingerprint.ts";
import { linkOf, type TunnelLink } from "./link.ts";
import type { TunnelConfig, VpnConfig } from "./model.ts";

/** A tunnel as charon gets it: names of ours, and everything that it may be told, concrete. */

export const CONN_PREFIX = "holdfast-";
/** swanctl calls a key by the name of its section, which begins so. */
export const KEY_PREFIX = "ike-holdfast-";

/** What one tunnel is on this server. */
export interface Wanted {
  readonly tunnel: string;
  readonly config: TunnelConfig;
  readonly conn: IpsecConn;
  readonly key: IpsecKey;
  /** Null: packets are chosen by their addresses. */
  readonly link: TunnelLink | null;
}

export function wantedOf(config: VpnConfig | null): readonly Wanted[] {
  return Object.entries(config?.tunnels ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([tunnel, one]) => ({
      tunnel,
      config: one,
      conn: connOf(tunnel, one),
      key: keyOf(tunnel, one),
      link: one.via === "interface" ? linkOf(tunnel) : null,
    }));
}

export function connOf(tunnel: string, config: TunnelConfig): IpsecConn {
  const { local, remote, initiates, ikeProposals, childProposals, ikeSeconds, childSeconds, deadSeconds, deadThen } =
    config;
  const conn = {
    name: `${CONN_PREFIX}${tunnel}`,
    localAddress: local.address,
    remoteAddress: remote.address,
    localIdentity: local.identity,
    remoteIdentity: remote.identity,
    localNetworks: local.networks,
    remoteNetworks: remote.networks,
    ikeProposals,
    childProposals,
    ikeSeconds,
    childSeconds,
    deadSeconds,
    deadThen,
    starts: initiates,
    ...(config.via === "interface" ? { linkId: linkOf(tunnel).id } : {}),
  };
  return { ...conn, label: `c-${fingerprint(canonicalJson({ ...conn, key: config.keyFile }))}` };
}

function keyOf(tunnel: string, config: TunnelConfig): IpsecKey {
  const owners = [idText(config.local.identity), idText(config.remote.identity)];
  // swanctl reads a dot in the name of a section as the way to a part of it.
  return { id: `${KEY_PREFIX}${tunnel}--${config.keyFile.replaceAll(".", "-")}`, file: config.keyFile, owners };
}

/** The name of a key's file: of an administrator's, or of one that the store of secrets brings. */
export function parseKeyFile(file: string): Result<{ readonly path: string }, string> {
  if (parseSecretFile(file).ok) return ok({ path: `${STORE_FOLDER}/${file}` });
  const name = parseItemName(file);
  return name.ok ? ok({ path: `${KEY_FOLDER}/${name.value}` }) : name;
}

/** The tunnel that a connection or a key of ours is of. */
export function tunnelOfConn(name: string): string {
  return name.slice(CONN_PREFIX.length);
}

/** An identity as charon reads it: addresses and mail addresses are what they look like, and anything else is a name by this sign. */
export function idText(identity: string): string {
  return identity.includes("@") || parseAddress(identity).ok ? identity : `@${identity}`;
}
