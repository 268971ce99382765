import type { IpsecConn, IpsecListed, IpsecPoolSeen, IpsecSa } from "@holdfast/core/plan/ipsec-state.ts";
import { CONN_PREFIX, KEY_PREFIX, PASSWORD_PREFIX, privateKeyId } from "./conn.ts";
import type { VpnObserved } from "./facts.ts";
import { POOL_PREFIX } from "./people.ts";

/** What charon has of ours. Null: it does not run. */
export interface Live {
  readonly conns: readonly IpsecListed[];
  readonly keys: readonly string[];
  readonly sas: readonly IpsecSa[];
  readonly pools: readonly IpsecPoolSeen[];
}

export function liveOf({ ipsec: { charon }, record }: VpnObserved): Live | null {
  if (charon.state === "down") return null;
  // A private key has no name of ours: those that we have noted are ours.
  const noted = new Set(Object.values(record).map(({ key }) => key.id));
  return {
    conns: charon.conns.filter(({ name }) => name.startsWith(CONN_PREFIX)),
    keys: charon.keys.filter((id) => (privateKeyId(id) === null ? isNamedByUs(id) : noted.has(id))),
    sas: charon.sas.filter(({ name }) => name.startsWith(CONN_PREFIX)),
    pools: (charon.pools ?? []).filter(({ name }) => name.startsWith(POOL_PREFIX)),
  };
}

function isNamedByUs(id: string): boolean {
  return id.startsWith(KEY_PREFIX) || id.startsWith(PASSWORD_PREFIX);
}

/** Whether charon lists this connection as we loaded it: the label stands for what it does not list. */
export function isLoaded(conn: IpsecConn, listed: IpsecListed | undefined): boolean {
  return listed !== undefined && shapeOf(listed) === shapeText(conn);
}

/** One text for what is listed of a connection, the same for what was loaded and for what charon says. */
export function shapeOf(listed: IpsecListed): string {
  return JSON.stringify([
    listed.labels.join(),
    listed.localAddresses.join(),
    listed.remoteAddresses.join(),
    listed.localIdentity,
    listed.remoteIdentity,
    listed.localNetworks.toSorted().join(),
    listed.remoteNetworks.toSorted().join(),
    listed.version,
  ]);
}

/** What charon writes where any address will do. */
const ANY_ADDRESS = "%any";
/** What charon writes where the network is the address that is given. */
const GIVEN_ADDRESS = ["dynamic"];

function shapeText(conn: IpsecConn): string {
  return shapeOf({
    name: conn.name,
    labels: [conn.label],
    localAddresses: [conn.localAddress ?? ANY_ADDRESS],
    remoteAddresses: [conn.remoteAddress ?? ANY_ADDRESS],
    localIdentity: conn.localIdentity,
    remoteIdentity: conn.remoteIdentity,
    localNetworks: conn.localNetworks,
    remoteNetworks: conn.pools === undefined ? conn.remoteNetworks : GIVEN_ADDRESS,
    version: "IKEv2",
  });
}

export function listedOf(live: Live | null, name: string): IpsecListed | undefined {
  return live?.conns.find((one) => one.name === name);
}
