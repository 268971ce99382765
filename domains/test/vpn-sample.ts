import type { IpsecConn, IpsecListed, IpsecReading } from "@holdfast/core/plan/ipsec-state.ts";
import { connOf, poolsIn, wantedOf } from "../src/vpn/conn.ts";
import { blocksOf, intoOf, linksOf, recordOf } from "../src/vpn/diff.ts";
import { intoText, type VpnObserved } from "../src/vpn/facts.ts";
import type { PeopleConfig, TunnelConfig, VpnConfig } from "../src/vpn/model.ts";
import { poolSize } from "../src/vpn/people.ts";
import { recordText } from "../src/vpn/record.ts";

/** A server at one end, and what it observes before and after. */

export const TUNNEL: TunnelConfig = {
  local: { address: "203.0.113.10", identity: "gw-seoul", networks: ["10.10.0.0/16"] },
  remote: { address: "198.51.100.7", identity: "gw-busan", networks: ["10.20.10.0/24"] },
  peer: "busan (gw-busan)",
  initiates: true,
  clearText: "block",
  keyFile: "pair-1",
  suite: "strong-2026",
  ikeProposals: ["aes256gcm16-prfsha384-ecp384"],
  childProposals: ["aes256gcm16-ecp384"],
  ikeSeconds: 43_200,
  childSeconds: 3_600,
  deadSeconds: 30,
  deadThen: "restart",
};

export function vpnConfig(over: Partial<TunnelConfig> = {}): VpnConfig {
  return { tunnels: { pair: { ...TUNNEL, ...over } } };
}

/** The same server, with people who call in. */
export const PEOPLE: PeopleConfig = {
  local: TUNNEL.local,
  pools: ["10.99.0.0/24"],
  dns: ["10.10.0.53"],
  persons: {
    alice: { identity: "alice@example.com", keyFile: "pair-1" },
    bob: { identity: "bob@example.com", keyFile: "pair-2" },
  },
  clearText: "block",
  suite: "strong-2026",
  ikeProposals: TUNNEL.ikeProposals,
  childProposals: TUNNEL.childProposals,
  ikeSeconds: 43_200,
  childSeconds: 3_600,
  deadSeconds: 30,
};

export function peopleConfig(over: Partial<PeopleConfig> = {}): VpnConfig {
  return { tunnels: {}, people: { staff: { ...PEOPLE, ...over } } };
}

type Charon = Extract<IpsecReading["charon"], { readonly state: "up" }>;

export const EMPTY_CHARON: Charon = {
  state: "up",
  version: "5.9.8",
  dataPlane: "libipsec",
  conns: [],
  keys: [],
  sas: [],
  pools: [],
};

/** A server that could carry the tunnel, with nothing of ours. */
export function bareServer(over: Partial<VpnObserved> = {}): VpnObserved {
  return {
    ipsec: { charon: EMPTY_CHARON, keyFiles: { "pair-1": null, "pair-2": null } },
    record: {},
    recordProblem: null,
    recordText: null,
    boot: null,
    swanctl: true,
    addresses: ["10.10.0.1/16", "203.0.113.10/24"],
    blocks: [],
    routes: ["10.10.0.0/16", "203.0.113.0/24"],
    routesProblem: null,
    forwarding: true,
    lookupLost: [],
    links: [],
    into: [],
    canMakeLinks: null,
    ...over,
  };
}

export function listing(conn: IpsecConn): IpsecListed {
  return {
    name: conn.name,
    labels: [conn.label],
    localAddresses: [conn.localAddress ?? "%any"],
    remoteAddresses: [conn.remoteAddress ?? "%any"],
    localIdentity: conn.localIdentity,
    remoteIdentity: conn.remoteIdentity,
    localNetworks: conn.localNetworks,
    remoteNetworks: conn.pools === undefined ? conn.remoteNetworks : ["dynamic"],
    version: "IKEv2",
  };
}

export function withCharon(observed: VpnObserved, charon: Partial<Charon>): VpnObserved {
  const before = observed.ipsec.charon.state === "up" ? observed.ipsec.charon : EMPTY_CHARON;
  return { ...observed, ipsec: { ...observed.ipsec, charon: { ...before, ...charon } } };
}

export function charonDown(observed: VpnObserved): VpnObserved {
  return { ...observed, ipsec: { ...observed.ipsec, charon: { state: "down", why: "it does not run" } } };
}

/** The same server with this config in force. */
export function inForce(config: VpnConfig, observed = bareServer()): VpnObserved {
  const wanted = wantedOf(config);
  const record = recordOf(wanted);
  return withCharon(
    {
      ...observed,
      record,
      recordText: recordText(record),
      blocks: blocksOf(wanted),
      links: linksOf(wanted)
        .map((link) => ({ ...link, isUp: true }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      into: intoOf(wanted).toSorted((a, b) => (intoText(a) < intoText(b) ? -1 : 1)),
    },
    {
      conns: wanted.map(({ conn }) => listing(conn)).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      keys: [...new Set(wanted.map(({ key }) => key.id))].toSorted(),
      pools: poolsIn(wanted).map(({ name, network }) => ({
        name,
        base: network.split("/")[0] ?? "",
        size: poolSize(network),
        online: 0,
        offline: 0,
      })),
    },
  );
}

export function labelOf(over: Partial<TunnelConfig> = {}): string {
  return connOf("pair", { ...TUNNEL, ...over }).label;
}
