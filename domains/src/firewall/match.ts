import type { Family } from "@holdfast/core/net/address.ts";
import type { Ports } from "@holdfast/core/net/port.ts";

/** The states conntrack gives a packet before the filter sees it. */
export type ConnectionState = "new" | "established" | "related" | "invalid" | "untracked";

/** A named set, or canonical texts of one family: `192.0.2.1`, `192.0.2.0/24`, `192.0.2.10-192.0.2.20`. */
export type AddressTest =
  | { readonly kind: "set"; readonly key: string }
  | { readonly kind: "texts"; readonly texts: readonly string[] };

/** A literal kernel name, or a named set of interfaces (`zone:staff`, `interface:wan`). */
export type InterfaceTest =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "set"; readonly key: string };

export type ProtocolTest =
  /** Empty lists: every port. */
  | { readonly kind: "tcp" | "udp"; readonly from: readonly Ports[]; readonly to: readonly Ports[] }
  /** Empty list: every message. The names are nft's; those of ICMP and ICMPv6 differ. */
  | { readonly kind: "icmp"; readonly types: readonly string[] }
  | { readonly kind: "icmpv6"; readonly types: readonly string[]; readonly hopLimit?: number }
  | { readonly kind: "numbers"; readonly numbers: readonly number[] };

/** What one native rule asks of a packet. Every stated part must hold; an absent part asks nothing. */
export interface Match {
  readonly family?: Family;
  readonly in?: InterfaceTest;
  readonly out?: InterfaceTest;
  /** Addresses are of `family`, which must then be stated. */
  readonly source?: AddressTest;
  readonly destination?: AddressTest;
  readonly protocol?: ProtocolTest;
  readonly states?: readonly ConnectionState[];
  /** Only connections whose destination was translated. */
  readonly translated?: boolean;
  /** The destination is an address of this server (`local`), and not of the interface the packet came by (`elsewhere`). */
  readonly destinationIs?: "local" | "elsewhere";
  /** Only before this moment, in seconds since 1970. */
  readonly before?: number;
}
