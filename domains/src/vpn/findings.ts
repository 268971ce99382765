import type { Finding, Severity } from "@holdfast/core/base/finding.ts";

/** Every code of the vpn domain, with how bad it is and what to do. The message is made where it is found, from what is there. */
export const VPN_FINDINGS = {
  // Composing and the desired config alone.
  "vpn.config": { severity: "error", remedy: "Compose the config again; it was not made by this version." },
  "vpn.same_peer_twice": {
    severity: "error",
    remedy: "Write one Tunnel for the two servers, with all of their networks.",
  },
  "vpn.everything_remote": {
    severity: "error",
    remedy:
      "Name the networks of the other end; a tunnel for everything needs clearText: allow and is not blocked while it is down.",
  },
  "vpn.pool_overlaps": {
    severity: "error",
    remedy: "Give people addresses that stand nowhere else: not in another tunnel's networks, not in another pool.",
  },
  "vpn.two_by_password": {
    severity: "error",
    remedy:
      "Put the people of both into one Tunnel, or let one of the two be on another server: not every device says which of two it calls.",
  },
  "vpn.pool_small": {
    severity: "warning",
    remedy: "Write a larger network, or leave it: whoever comes when all addresses are given out is turned away.",
  },
  "vpn.other_family_outside": {
    severity: "warning",
    remedy:
      "Add a network of the other family to the people's end and to the server's, or accept that such packets leave a person's device beside the tunnel.",
  },
  // A plan for one server: what is missing on it.
  "vpn.charon_down": {
    severity: "error",
    remedy: "Install strongswan-swanctl and charon-systemd, and start strongswan.service.",
  },
  "vpn.no_data_plane": {
    severity: "error",
    remedy: "Use a kernel with ESP (module esp4), or load charon's plugin kernel-libipsec.",
  },
  "vpn.kernel_lacks_interface": {
    severity: "error",
    remedy:
      "Write via: policy, or use a kernel with the modules xfrm_interface and esp4 and strongSwan without kernel-libipsec.",
  },
  "vpn.interface_taken": { severity: "error", remedy: "Rename the tunnel, or remove that interface." },
  "vpn.interface_twice": { severity: "error", remedy: "Rename one of the two tunnels." },
  "vpn.route_twice": { severity: "error", remedy: "Let each network stand in one of the two tunnels." },
  "vpn.swanctl_missing": {
    severity: "error",
    remedy: "Install strongswan-swanctl: without it the next boot would have no tunnel.",
  },
  "vpn.key_missing": {
    severity: "error",
    remedy: "Put the key there on both ends: one line, root's own, mode 0600. Holdfast never sees it.",
  },
  "vpn.no_password_plugin": {
    severity: "error",
    remedy: "Install these packages (apt-get install), restart strongSwan, and plan again.",
  },
  "vpn.record_unreadable": {
    severity: "error",
    remedy: "Look at /var/lib/holdfast/vpn/loaded.json on the server; nothing is changed until it can be read.",
  },
  "vpn.unknown_conn": {
    severity: "error",
    remedy: "Find out who loaded it, then unload it: swanctl --load-conns, or restart strongSwan.",
  },
  "vpn.address_not_here": {
    severity: "error",
    remedy: "Correct the address, or write natted: true where a router before the server has it.",
  },
  "vpn.remote_network_is_local": {
    severity: "error",
    remedy: "Correct the networks of the other end: its packets for this network would go into the tunnel.",
  },
  "vpn.no_address_in_networks": {
    severity: "error",
    remedy:
      "Give this server an address in the networks of its own end, where the way into the tunnel begins; or, for networks behind it, use a kernel with ESP and strongSwan without kernel-libipsec.",
  },
  // What it would do.
  "vpn.management_path_cut": {
    severity: "danger",
    remedy: "Take those networks out of the tunnel, or make sure that the server is managed through it on purpose.",
  },
  "vpn.block_bypassed": {
    severity: "danger",
    remedy: "Take the route away: packets that it catches leave unencrypted while the tunnel is down.",
  },
  "vpn.flaps": { severity: "warning", remedy: "Choose a time at which a short interruption hurts nobody." },
  "vpn.clear_text_opens": {
    severity: "warning",
    remedy: "Make sure that packets for those networks may leave unencrypted.",
  },
  "vpn.forwarding_off": {
    severity: "warning",
    remedy: "Turn forwarding on (network.forwarding), or only this server itself uses the tunnel.",
  },
  "vpn.masquerade_first": {
    severity: "warning",
    remedy: "Make sure that no address translation catches packets for the other end before they are encrypted.",
  },
  // An operator's act on a tunnel that is in force: what it would do.
  "vpn.act_cuts": {
    severity: "warning",
    remedy: "Choose a time at which it hurts nobody. To keep the tunnel down, take it out of force by a change.",
  },
  "vpn.act_comes_back": { severity: "note", remedy: "Nothing is to be done; the live view shows when it is there." },
  "vpn.act_opens_clear_text": {
    severity: "danger",
    remedy: "Write clearText: block first, or make sure that these packets may leave unencrypted.",
  },
  "vpn.act_cuts_management": {
    severity: "danger",
    remedy:
      "Make sure that you reach this server by another way. The answer to this may be lost; nothing undoes it but the tunnel itself when it is agreed anew.",
  },
  "vpn.act_begins": { severity: "note", remedy: "Nothing is to be done." },
  "vpn.act_renews": {
    severity: "note",
    remedy: "Should the ends not agree on new keys, the old ones carry packets until they run out: mend it before.",
  },
  "vpn.act_is_so": { severity: "note", remedy: "Nothing is to be done." },
  // An operator's act: why it cannot be done, or what came of it.
  "vpn.act_no_tunnel": { severity: "error", remedy: "See which tunnels are in force here: holdfast tunnel list." },
  "vpn.act_not_loaded": {
    severity: "error",
    remedy: "Look at what drifted on this server; restarting strongSwan loads what is confirmed.",
  },
  "vpn.act_other_end_begins": {
    severity: "error",
    remedy: "Begin it at the other end, which knows this one's address.",
  },
  "vpn.act_nothing_agreed": { severity: "error", remedy: "Begin the tunnel; its keys are new then." },
  "vpn.act_transaction_open": {
    severity: "error",
    remedy: "Wait for its end, or abort it. Where its undo has failed: look at the server, then unlock it.",
  },
  "vpn.act_refused_there": {
    severity: "error",
    remedy:
      "AUTHENTICATION_FAILED: the keys, certificates or identities differ, or a certificate has ended. NO_PROPOSAL_CHOSEN: the suites differ. TS_UNACCEPTABLE: the networks differ. The other end's log says more.",
  },
  "vpn.act_no_answer": {
    severity: "error",
    remedy: "See whether UDP 500 and 4500 pass both ways and whether the other end runs. strongSwan goes on trying.",
  },
  "vpn.act_vanished": { severity: "error", remedy: "Look at the tunnel as it is now; begin it if it is down." },
  "vpn.act_failed": { severity: "error", remedy: "Look into strongSwan's log on the server." },
  "vpn.pool_full": {
    severity: "warning",
    remedy: "Write a larger network for the people's end, or end the connection of somebody who does not need it.",
  },
  "vpn.people_come_back": {
    severity: "note",
    remedy: "To keep a person out, write revoked: beside them and apply the change; ending a connection does not.",
  },
  "vpn.drift": { severity: "warning", remedy: "Find out who changed it; applying puts ours back." },
  "vpn.boot_differs": {
    severity: "warning",
    remedy: "Find out who changed the file; the next confirmed change writes it again.",
  },
} as const satisfies Record<string, { readonly severity: Severity; readonly remedy: string }>;

export type VpnCode = keyof typeof VPN_FINDINGS;

export function finding(code: VpnCode, path: string, message: string, document?: string): Finding {
  const { severity, remedy } = VPN_FINDINGS[code];
  return { severity, code, path, message, remedy, ...(document === undefined ? {} : { document }) };
}
