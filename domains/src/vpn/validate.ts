import type { Finding } from "@holdfast/core/base/finding.ts";
import { formatPath } from "@holdfast/core/policy/path.ts";
import { finding } from "./findings.ts";
import { linkOf } from "./link.ts";
import type { VpnConfig } from "./model.ts";

/** Remarks about a config alone. */
export function validateVpn(config: VpnConfig): readonly Finding[] {
  return [...wideFindings(config), ...sameLinkFindings(config), ...sameRouteFindings(config)];
}

/** A packet is routed into one interface only. */
function sameRouteFindings(config: VpnConfig): readonly Finding[] {
  const taken = new Map<string, string>();
  return Object.entries(config.tunnels).flatMap(([name, { via, remote }]) =>
    (via === "interface" ? remote.networks : []).flatMap((network) => {
      const first = taken.get(network);
      taken.set(network, name);
      if (first === undefined) return [];
      const message = `${network} would be routed into the interfaces of both ${first} and ${name}.`;
      return [finding("vpn.route_twice", formatPath(["vpn", "tunnels", name, "remote", "networks"]), message)];
    }),
  );
}

/** The number of an interface is made of the name of its tunnel, and two names may give one: once in two thousand million pairs. */
function sameLinkFindings(config: VpnConfig): readonly Finding[] {
  const names = Object.entries(config.tunnels).flatMap(([name, { via }]) => (via === "interface" ? [name] : []));
  return names.flatMap((name, index) => {
    const first = names.slice(0, index).find((other) => linkOf(other).id === linkOf(name).id);
    if (first === undefined) return [];
    const message = `The interfaces of ${first} and ${name} would have the same number.`;
    return [finding("vpn.interface_twice", formatPath(["vpn", "tunnels", name, "via"]), message)];
  });
}

function wideFindings(config: VpnConfig): readonly Finding[] {
  return Object.entries(config.tunnels).flatMap(([name, tunnel]) => {
    // A dead end for everything would lose to the default route, which is as wide and comes first.
    const isWide = tunnel.remote.networks.some((network) => network.endsWith("/0"));
    if (!isWide || tunnel.clearText !== "block") return [];
    return [
      finding(
        "vpn.everything_remote",
        formatPath(["vpn", "tunnels", name, "remote", "networks"]),
        `The other end of ${name} is everything, and clear text to everything cannot be blocked: the server could not reach the other end itself.`,
      ),
    ];
  });
}
