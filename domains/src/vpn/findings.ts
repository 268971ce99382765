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
    remedy: "Give this server an address in the networks of its own end: the way into the tunnel begins there.",
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
