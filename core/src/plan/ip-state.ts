import type { Family } from "../net/address.ts";

/** Parts of the kernel's network, as data: what is read from `ip -j` and what `ip` is told. Type aliases, so that they are plain JSON too. */

export type IpHop = {
  readonly via: string | null;
  readonly dev: string | null;
  readonly weight: number;
  readonly onLink: boolean;
};

export type IpRoute = {
  readonly family: Family;
  readonly kind: "unicast" | "blackhole" | "unreachable" | "prohibit";
  /** Canonical network. */
  readonly to: string;
  readonly table: number;
  /** 0 where there is none in IPv4; 1024 is the kernel's own for IPv6. */
  readonly metric: number;
  /** The number of who made it: 2 kernel, 3 by hand, 4 files of networkd and others, 9 router, 16 DHCP. */
  readonly protocol: number;
  /** One, or several where packets are shared out; a dead end has none. */
  readonly hops: readonly IpHop[];
  readonly source: string | null;
};

export type IpRule = {
  readonly family: Family;
  readonly priority: number;
  readonly from: string | null;
  readonly to: string | null;
  readonly mark: { readonly value: number; readonly mask: number } | null;
  /** The kernel's name of the interface by which packets come in. */
  readonly in: string | null;
  readonly table: number | null;
  readonly protocol: number;
};

/** Where somebody said for ever that an address is. */
export type IpNeighbour = { readonly link: string; readonly address: string; readonly mac: string };

export type IpState = {
  /** `address` is `ADDRESS/PREFIX`. */
  readonly addresses: readonly { readonly link: string; readonly address: string }[];
  readonly routes: readonly IpRoute[];
  readonly rules: readonly IpRule[];
  /** Left out by plans from before there were any, and where there is none. */
  readonly neighbours?: readonly IpNeighbour[];
};

/** Settings of a bridge by the names that `ip` has for them; times in hundredths of a second. */
export const BRIDGE_SETTINGS = [
  "stp_state",
  "priority",
  "forward_delay",
  "hello_time",
  "max_age",
  "ageing_time",
  "mcast_snooping",
  "vlan_filtering",
  "vlan_default_pvid",
] as const;
export type BridgeSetting = (typeof BRIDGE_SETTINGS)[number];

/** Settings of a port of a bridge, the same way. */
export const PORT_SETTINGS = ["cost", "priority", "isolated"] as const;
export type PortSetting = (typeof PORT_SETTINGS)[number];

/** VLANs of a port of a bridge. `untagged`: what comes without a tag is of this one, and what is of this one leaves without. */
export type VlanRange = { readonly first: number; readonly last: number; readonly untagged: boolean };

export const MADE_DEVICES = ["bridge", "bond", "vlan"] as const;
/** Kinds of devices that Holdfast makes, and the only ones that it removes. */
export type MadeDevice = (typeof MADE_DEVICES)[number];

export type LinkChange =
  | { readonly op: "mtu"; readonly mtu: number }
  | { readonly op: "up" | "down" }
  | { readonly op: "delete"; readonly device: MadeDevice | "xfrm" }
  /** The interface of a tunnel, made and up. One that is there with this number is success. */
  | { readonly op: "xfrm"; readonly id: number }
  | { readonly op: "bridge"; readonly settings: { readonly [Setting in BridgeSetting]?: number } }
  /** Of a port, or of the bridge itself, which must be said. One that is gone or there already is success. */
  | {
      readonly op: "vlans";
      readonly isBridge: boolean;
      readonly absent: readonly VlanRange[];
      readonly present: readonly VlanRange[];
    }
  | { readonly op: "port"; readonly settings: { readonly [Setting in PortSetting]?: number } }
  /** What the kernel has learnt of who is where beyond the link; what somebody set stays. One that is gone is success. */
  | { readonly op: "forget_neighbours" };
