/**
 * What one domain of a server needs the firewall of that server to let through, so that nobody has to know and write it: the firewall adds it
 * as a locked rule, shown with its cause. A need opens nothing where no firewall section is stated.
 *   dhcp_client  the interface gets its address by DHCP
 *   dhcp_server  the server gives out addresses on the interface
 *   ike          key exchange with the peer, UDP 500 and 4500; without a peer address, with anybody (the peer's address is dynamic)
 *   esp          encrypted traffic with the peer, the same way
 */
export type Need =
  | {
      readonly kind: "dhcp_client" | "dhcp_server";
      readonly interface: string;
      readonly family: 4 | 6;
      readonly cause: string;
    }
  | { readonly kind: "ike" | "esp"; readonly peer: string | null; readonly cause: string };

export type NeedKind = Need["kind"];
