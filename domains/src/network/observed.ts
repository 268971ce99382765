import type { IpRoute, IpRule, VlanRange } from "@holdfast/core/plan/ip-state.ts";
import type { OwnFiles } from "./own-file.ts";

/** What was read from a server. Type aliases throughout, so that all of it is plain JSON to the compiler too. */
export type NetworkObserved = {
  readonly renderer: Renderer;
  /** Others who write network settings of this server, by name, with what they do. */
  readonly competing: readonly string[];
  /** What could not be read, in words; null where all was. */
  readonly unreadable: string | null;
  /** Our files, on trial (`/run`) and confirmed (`/etc`). A file in `/run` counts, whatever `/etc` has. */
  readonly own: { readonly run: OwnFiles; readonly etc: OwnFiles };
  /** Files of others that networkd reads, in its order. */
  readonly foreign: readonly ForeignFile[];
  readonly links: readonly ObservedLink[];
  readonly routes: readonly ObservedRoute[];
  readonly rules: readonly ObservedRule[];
  readonly neighbours: readonly ObservedNeighbour[];
  /** Null: could not be read. */
  readonly forwarding: { readonly ipv4: boolean | null; readonly ipv6: boolean | null };
  /** Whether systemd-resolved runs: without it name servers of a link are asked by nobody. */
  readonly resolved: boolean;
  /** Which devices this kernel can make; null: not known. */
  readonly kernel: { readonly vlan: boolean | null; readonly bond: boolean | null };
};

/**
 * Who sets the network up.
 *   running    systemd-networkd, and it answers
 *   starting   systemd-networkd, which this boot has not started yet: only its files can be set and read
 *   foreign    somebody else, or nobody: we read and change nothing
 */
export type Renderer =
  | { readonly state: "running" }
  | { readonly state: "starting" }
  | { readonly state: "foreign"; readonly name: string; readonly why: string };

export type ForeignFile = { readonly path: string; readonly kind: "network" | "netdev"; readonly text: string };

export type ObservedAddress = {
  /** Canonical `ADDRESS/PREFIX`. */
  readonly address: string;
  /** set: by a file or by hand; learnt: DHCP or a router; link: link-local. */
  readonly source: "set" | "learnt" | "link";
  /** Not yet known to be nobody else's. */
  readonly tentative: boolean;
  /** Seconds for which it was lent; null: for ever. */
  readonly leaseSeconds: number | null;
  /** The DHCP server that lent it; left out where it is none, and by versions that did not ask. */
  readonly lender?: string;
};

export type BridgeState = {
  readonly stp: boolean;
  readonly priority: number;
  /** Hundredths of a second, as the kernel counts. */
  readonly forwardDelay: number;
  readonly helloTime: number;
  readonly maxAge: number;
  /** Null while the spanning tree protocol shortens it, after a change of the tree. */
  readonly ageing: number | null;
  readonly multicastSnooping: boolean;
  /** Whether it tells VLANs apart; null: nothing is said of it. A kernel that cannot says no, and refuses to be told so. */
  readonly vlanFiltering: boolean | null;
  /** The VLAN that new ports are in by themselves; 0: none. */
  readonly defaultVlan: number | null;
};

export type PortState = { readonly cost: number; readonly priority: number; readonly isolated: boolean };

export type BondState = {
  readonly mode: string;
  readonly hashPolicy: string | null;
  readonly lacpRate: string | null;
  readonly monitorMs: number;
  readonly arpIntervalMs: number;
  /** Sorted. */
  readonly arpTargets: readonly string[];
  readonly minLinks: number;
  /** The kernel's name of a member. */
  readonly primary: string | null;
};

export type ObservedLink = {
  readonly name: string;
  /** The address that its hardware was made with, as far as that is known; null where it has none. */
  readonly mac: string | null;
  /** Kind of device, for example `bridge`; null for hardware. */
  readonly kind: string | null;
  /** Whether somebody wants it up; what the wire says is `carrier`. */
  readonly up: boolean;
  readonly carrier: boolean;
  readonly mtu: number;
  readonly master: string | null;
  /** What networkd says: configured, configuring, failed, unmanaged; empty where it says nothing. */
  readonly setup: string;
  readonly operational: string;
  /** The file that networkd took for it; null: none. */
  readonly file: string | null;
  readonly addresses: readonly ObservedAddress[];
  readonly dns: readonly string[];
  readonly search: readonly string[];
  readonly bridge: BridgeState | null;
  readonly port: PortState | null;
  /** Of a bridge or a port of one, the VLANs that it is in; null where nobody said. */
  readonly vlans: readonly VlanRange[] | null;
  readonly vlan: { readonly id: number; readonly parent: string | null } | null;
  readonly bond: BondState | null;
  readonly counters: {
    readonly rxBytes: number;
    readonly rxErrors: number;
    readonly txBytes: number;
    readonly txErrors: number;
  };
};

export type ObservedRoute = IpRoute;

export type ObservedRule = IpRule & {
  /** It says more than this; what that is, is not known here, and it cannot be made again. */
  readonly isStrange: boolean;
};

export type ObservedNeighbour = {
  readonly address: string;
  readonly link: string;
  readonly mac: string | null;
  readonly state: string;
};

/** By whom routes are made that are not settings: the kernel itself, redirects, routers and DHCP servers. */
export const LEARNT_PROTOCOLS: ReadonlySet<number> = new Set([1, 2, 9, 16]);
/** What networkd writes for what a file says. */
export const STATIC_PROTOCOL = 4;
/** What a person's `ip route add` and files write. */
export const SET_PROTOCOLS: ReadonlySet<number> = new Set([3, STATIC_PROTOCOL]);
