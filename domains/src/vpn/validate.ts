import type { Finding } from "@holdfast/core/base/finding.ts";
import { overlaps } from "@holdfast/core/net/address-set.ts";
import { formatPath } from "@holdfast/core/policy/path.ts";
import { finding } from "./findings.ts";
import { networkSet } from "./guard.ts";
import { linkOf } from "./link.ts";
import type { VpnConfig } from "./model.ts";
import { asksForPasswords, poolSize } from "./people.ts";

/** Remarks about a config alone. */
export function validateVpn(config: VpnConfig): readonly Finding[] {
  return [
    ...wideFindings(config),
    ...sameLinkFindings(config),
    ...sameRouteFindings(config),
    ...peopleFindings(config),
    ...passwordFindings(config),
  ];
}

/** Where the addresses of people lead: into their own connections and nowhere else, and there are enough of them. */
function peopleFindings({ tunnels, people = {} }: VpnConfig): readonly Finding[] {
  const others = [
    ...Object.entries(tunnels).map(([name, { remote }]) => ({ name, networks: remote.networks })),
    ...Object.entries(people).map(([name, { pools }]) => ({ name, networks: pools })),
  ];
  return Object.entries(people).flatMap(([name, { pools, persons, local }]) => {
    const at = (key: string): string => formatPath(["vpn", "people", name, key]);
    const met = others.filter((one) => one.name !== name && overlaps(networkSet(one.networks), networkSet(pools)));
    const count = Object.keys(persons).length;
    // Of two families each person gets one address of each.
    const room = Math.max(
      ...([false, true] as const).map((six) => roomIn(pools.filter((one) => one.includes(":") === six))),
    );
    const isAll = local.networks.some((network) => network.endsWith("/0"));
    const isBoth = [pools, local.networks].every(
      (list) => list.some((one) => one.includes(":")) && list.some((one) => !one.includes(":")),
    );
    return [
      ...met.map((one) =>
        finding(
          "vpn.pool_overlaps",
          at("pools"),
          `${pools.join(", ")} for the people of ${name} overlaps ${one.networks.join(", ")} of ${one.name}: a packet for one of them could go to the other.`,
        ),
      ),
      ...(count > room
        ? [
            finding(
              "vpn.pool_small",
              at("pools"),
              `${pools.join(", ")} has ${room} ${room === 1 ? "address" : "addresses"} for the ${count} people of ${name}.`,
            ),
          ]
        : []),
      ...(isAll && !isBoth
        ? [
            finding(
              "vpn.other_family_outside",
              at("local"),
              `The people of ${name} send everything into the tunnel, but of one family alone: packets of the other leave their devices beside it.`,
            ),
          ]
        : []),
    ];
  });
}

/** Windows does not say whom it calls, and would be shown the certificate of the first. */
function passwordFindings({ people = {} }: VpnConfig): readonly Finding[] {
  const names = Object.entries(people).flatMap(([name, one]) => (asksForPasswords(one) ? [name] : []));
  return names.slice(1).map((name) => {
    const message = `The people of both ${names[0] ?? ""} and ${name} come in by a password on this server, which could not tell which of the two is called.`;
    return finding("vpn.two_by_password", formatPath(["vpn", "people", name]), message);
  });
}

function roomIn(pools: readonly string[]): number {
  return pools.reduce((sum, network) => sum + poolSize(network), 0);
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
