import type { Finding, Severity } from "@holdfast/core/base/finding.ts";

/** Every code of the network domain, with how bad it is and what to do. The message is made where it is found, from what is there. */
export const NETWORK_FINDINGS = {
  // A section or its composition.
  "network.family_missing": {
    severity: "error",
    remedy: "Write both ipv4 and ipv6; method: none means that there is none of it.",
  },
  "network.device": {
    severity: "error",
    remedy: "Write one of vlan, bridge and bond, and bind the role by name or not at all.",
  },
  "network.dns_nowhere": {
    severity: "error",
    remedy: "Write the name servers at the interface by which they are reached.",
  },
  // The desired config alone.
  "network.config": { severity: "error", remedy: "Compose the config again; it was not made by this version." },
  "network.bound_twice": { severity: "error", remedy: "Bind each role to an interface of its own." },
  "network.member": { severity: "error", remedy: "Give the member ipv4 and ipv6 with method: none, and one master." },
  "network.address_twice": { severity: "error", remedy: "Write the address at one interface." },
  "network.networks_overlap": {
    severity: "warning",
    remedy:
      "Give each link a network of its own, unless that is meant: answers leave by the link with the better route.",
  },
  "network.method": { severity: "error", remedy: "Write the addresses, or another method." },
  "network.gateway_off_link": {
    severity: "error",
    remedy: "Correct the gateway, give the interface an address in its network, or write onLink: true.",
  },
  "network.route_family": { severity: "error", remedy: "Write destination, next hop and source in one family." },
  "network.bridge_vlans": {
    severity: "error",
    remedy: "Write port.vlans for each member of a bridge that has vlans, and for no other.",
  },
  "network.bridge_vlan_missing": {
    severity: "warning",
    remedy: "Add it to the vlans of the bridge, or nothing arrives there.",
  },
  "network.route_ways": { severity: "error", remedy: "Write each way once, and only by interfaces that are up." },
  "network.route_twice": { severity: "error", remedy: "Give the routes different metrics, or take one out." },
  "network.dhcp_pool": {
    severity: "error",
    remedy: "Write host numbers that the network has, without the server's own.",
  },
  "network.bridge_timer": { severity: "error", remedy: "Write a time that the kernel takes." },
  "network.mtu_ipv6": { severity: "error", remedy: "Write 1280 or more, or ipv6: { method: none }." },
  "network.server_address": {
    severity: "warning",
    remedy: "Write the addresses that the interfaces have, the management address first.",
  },
  // A plan for one server.
  "network.read_only": {
    severity: "error",
    remedy: "Let systemd-networkd set this server's network up, or take the network section away from it.",
  },
  "network.unreadable": {
    severity: "error",
    remedy: "Look at `ip` and `networkctl` on the server; nothing is changed until they answer.",
  },
  "network.kernel_lacks": {
    severity: "error",
    remedy: "Load the module or use another kernel; nothing is changed until then.",
  },
  "network.kernel_unknown": {
    severity: "warning",
    remedy: "Look for the module on the server; if it is missing, the trial undoes this.",
  },
  "network.interface_missing": {
    severity: "warning",
    remedy: "Correct the binding in the Server document, or plug the hardware in.",
  },
  "network.interface_ambiguous": { severity: "error", remedy: "Bind the role by kernel name in the Server document." },
  "network.device_foreign": {
    severity: "error",
    remedy: "Choose another name; Holdfast changes and removes only devices that it made.",
  },
  "network.no_carrier": {
    severity: "warning",
    remedy: "Look at the cable; nothing will be learnt until it has a carrier.",
  },
  "network.takes_over": {
    severity: "note",
    remedy: "Nothing to do; the file stays, and holds again when this leaves the policy.",
  },
  "network.foreign_first": {
    severity: "error",
    remedy: "Rename the file so that it sorts behind 05-holdfast, or remove it.",
  },
  "network.address_removed": { severity: "warning", remedy: "Write what shall stay into the policy." },
  "network.route_removed": { severity: "warning", remedy: "Write what shall stay into the policy." },
  "network.cannot_put_back": {
    severity: "danger",
    remedy: "Write down how it is made: neither this nor an undo can make it again.",
  },
  "network.released": { severity: "note", remedy: "Nothing to do if that is meant." },
  "network.released_bare": {
    severity: "danger",
    remedy: "Keep the interface in a policy, or give the server a file of networkd for it.",
  },
  "network.competing_manager": {
    severity: "warning",
    remedy: "Take the interfaces of this policy away from it, or it undoes them.",
  },
  "network.dns_unused": {
    severity: "warning",
    remedy: "Let systemd-resolved run, or state system.resolver in a policy.",
  },
  "network.drift": { severity: "warning", remedy: "Find out who changed it; applying puts ours back." },
  "network.lease_cut": {
    severity: "danger",
    remedy: "Leave the address of the DHCP server out of the dead end, or give the interface a static address.",
  },
  "network.management_path_cut": {
    severity: "danger",
    remedy:
      "Keep the address and the route, or say where the server is reached from now on: the first of `addresses` in its Server document, in the same change.",
  },
  "network.management_path_unknown": {
    severity: "warning",
    remedy: "Nothing to do if that is meant; the trial undoes it when the server cannot be reached.",
  },
  "network.management_address_moves": {
    severity: "note",
    remedy: "Nothing to do: the agent dials again from the new address, and only there it is confirmed.",
  },
} as const satisfies Record<string, { readonly severity: Severity; readonly remedy: string }>;

export type NetworkCode = keyof typeof NETWORK_FINDINGS;

export function finding(
  code: NetworkCode,
  path: string,
  message: string,
  at: { readonly document?: string; readonly line?: number } = {},
): Finding {
  const { severity, remedy } = NETWORK_FINDINGS[code];
  return {
    severity,
    code,
    path,
    message,
    remedy,
    ...(at.document === undefined ? {} : { document: at.document }),
    ...(at.line === undefined ? {} : { line: at.line }),
  };
}
