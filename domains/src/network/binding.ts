import type { NetworkConfig } from "./model.ts";
import type { NetworkObserved, ObservedLink } from "./observed.ts";

/** Links that stand on others and borrow their hardware address: a binding by address means the one below. */
export const STACKED = ["bond", "bridge", "ipvlan", "macsec", "macvlan", "macvtap", "team", "vlan", "vrf"] as const;

/** The kernel's name of a role: that of the binding, or of the one link that has this hardware address; null where it is not there. */
export function kernelName(config: NetworkConfig, role: string, links: readonly ObservedLink[]): string | null {
  const bound = config.interfaces[role]?.bound;
  if (bound === undefined) return null;
  if ("name" in bound) return bound.name;
  const [link] = hardwareWith(bound.mac, links);
  return link?.name ?? null;
}

export function hardwareWith(mac: string, links: readonly ObservedLink[]): readonly ObservedLink[] {
  return links.filter((link) => link.mac === mac && !STACKED.some((kind) => kind === link.kind));
}

export function linkOf(config: NetworkConfig, role: string, observed: NetworkObserved): ObservedLink | null {
  const name = kernelName(config, role, observed.links);
  return observed.links.find((link) => link.name === name) ?? null;
}
