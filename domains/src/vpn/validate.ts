import type { Finding } from "@holdfast/core/base/finding.ts";
import { formatPath } from "@holdfast/core/policy/path.ts";
import { finding } from "./findings.ts";
import type { VpnConfig } from "./model.ts";

/** Remarks about a config alone. */
export function validateVpn(config: VpnConfig): readonly Finding[] {
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
