/**
 * Sets of algorithms for tunnels, by a name with the year in which they were chosen. One never changes under its name: what was reviewed stays
 * what is applied, and a stronger set is a new name and an edit. Written as strongSwan writes proposals.
 *
 *   strong-2026      AES-256-GCM and a 384-bit curve in both exchanges, as in RFC 6379 (Suite-B-GCM-256)
 *   compatible-2026  for gateways of others that speak no GCM: AES-256-CBC with SHA-256 and a 256-bit curve or 2048-bit MODP
 *
 * The group in `child` makes each rekeying of a CHILD_SA its own exchange (perfect forward secrecy).
 */
export const TUNNEL_SUITES = {
  "strong-2026": { ike: ["aes256gcm16-prfsha384-ecp384"], child: ["aes256gcm16-ecp384"] },
  "compatible-2026": {
    ike: ["aes256-sha256-ecp256", "aes256-sha256-modp2048"],
    child: ["aes256-sha256-ecp256", "aes256-sha256-modp2048"],
  },
} as const satisfies Record<string, { readonly ike: readonly string[]; readonly child: readonly string[] }>;

export type TunnelSuite = keyof typeof TUNNEL_SUITES;
export const TUNNEL_SUITE_NAMES = Object.keys(TUNNEL_SUITES) as [TunnelSuite, ...TunnelSuite[]];
