import type { Finding, Severity } from "@holdfast/core/base/finding.ts";

/** Every code of the firewall, with how bad it is and what to do. The message is made where it is found, from what is there. */
export const FIREWALL_FINDINGS = {
  // A section or its composition.
  "firewall.peer_missing": { severity: "error", remedy: "Write it; any is a word." },
  "firewall.zone_unknown": { severity: "error", remedy: "Define the zone under firewall.zones, or correct the name." },
  "firewall.zone_misplaced": {
    severity: "error",
    remedy: "A zone is where a packet comes in (from) or goes out (to); use addresses here.",
  },
  "firewall.zone_overlap": { severity: "error", remedy: "Keep the interface in one of the zones." },
  "firewall.default_missing": {
    severity: "error",
    remedy: "State default: drop, reject or allow in one of the policies.",
  },
  "firewall.mode_missing": { severity: "error", remedy: "State mode: observe or enforce in one of the policies." },
  "firewall.order_unclear": {
    severity: "error",
    remedy: "Put the one that shall win under `first:`, or both into one policy.",
  },
  "firewall.publish_service": {
    severity: "error",
    remedy: "Publish TCP or UDP ports, one item for each; with `port`, a single outside port.",
  },
  "firewall.publish_target": {
    severity: "error",
    remedy: "Write one literal address, of the same family as the outside addresses.",
  },
  "firewall.publish_place": { severity: "error", remedy: "Write zone:NAME or literal addresses of this server." },
  // The desired config alone.
  "firewall.config": { severity: "error", remedy: "Compose the config again; it was not made by this version." },
  "firewall.rule_shadowed": { severity: "warning", remedy: "Move the rule above the other one, or take it out." },
  "firewall.rule_redundant": { severity: "note", remedy: "Take the rule out; nothing changes." },
  "firewall.rule_empty": { severity: "warning", remedy: "Give the group members, or take the rule out." },
  "firewall.rule_unreachable_family": {
    severity: "warning",
    remedy: "Make from and to of one family, or split the rule.",
  },
  "firewall.ipv6_silent": {
    severity: "note",
    remedy: "Add the IPv6 addresses if the service has them; if not, all is well.",
  },
  "firewall.allows_everything": {
    severity: "warning",
    remedy: "Say which services and from where, or make it the default.",
  },
  "firewall.forward_default_allow": {
    severity: "warning",
    remedy: "State default: drop and the ways that shall be open.",
  },
  "firewall.shadow_check_bounded": { severity: "note", remedy: "Split the policy if the check matters here." },
  "firewall.port_published_and_served": {
    severity: "warning",
    remedy: "Publish another port, or take the inbound rule out.",
  },
  "firewall.egress_names_time": {
    severity: "warning",
    remedy: "Allow udp/53, tcp/53 and udp/123 to the servers in use.",
  },
  // A plan for one server.
  "firewall.management_path_cut": {
    severity: "error",
    remedy: "Put the management networks and ports back into the Floor.",
  },
  "firewall.management_rule_changed": {
    severity: "danger",
    remedy: "Make sure another way in stays open; the trial undoes it when the server cannot be reached.",
  },
  "firewall.first_enforcement": {
    severity: "warning",
    remedy: "Apply it with mode: observe first, and enforce when the counters of would-be drops are quiet.",
  },
  "firewall.released": { severity: "note", remedy: "Nothing to do if that is meant." },
  "firewall.unreadable": {
    severity: "error",
    remedy: "Look at `nft list table inet holdfast` on the server; nothing is changed until it can be read.",
  },
  "firewall.drift": { severity: "warning", remedy: "Find out who changed it; applying puts our rules back." },
  "firewall.strange_in_table": {
    severity: "danger",
    remedy: "Move it to a table of its own; an undo cannot put it back.",
  },
  "firewall.other_drops": {
    severity: "warning",
    remedy: "Open it there too: an allow of ours opens nothing that another table drops.",
  },
  "firewall.other_present": { severity: "note", remedy: "Nothing to do; it is shown so that nobody is surprised." },
  "firewall.legacy_iptables": {
    severity: "warning",
    remedy: "Look at `iptables-legacy -S`; what it drops stays dropped.",
  },
  "firewall.interface_missing": {
    severity: "warning",
    remedy: "Correct the binding in the Server document, or bring the interface up.",
  },
  "firewall.interface_ambiguous": {
    severity: "warning",
    remedy: "Bind the role by kernel name in the Server document.",
  },
  "firewall.forwarding_off": { severity: "warning", remedy: "State network.forwarding in a policy of this server." },
  "firewall.rule_expired": { severity: "warning", remedy: "Take the rule out, or give it a later time." },
} as const satisfies Record<string, { readonly severity: Severity; readonly remedy: string }>;

export type FirewallCode = keyof typeof FIREWALL_FINDINGS;

export function finding(
  code: FirewallCode,
  path: string,
  message: string,
  at: { readonly document?: string; readonly line?: number } = {},
): Finding {
  const { severity, remedy } = FIREWALL_FINDINGS[code];
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
