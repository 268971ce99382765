import type { FirewallConfig } from "./model.ts";

/** An interface as the kernel has it. Type alias, so that it is plain JSON to the compiler too. */
export type ObservedInterface = {
  readonly name: string;
  readonly mac: string | null;
  /** Kind of link, for example `vlan` or `bridge`; null for hardware. */
  readonly kind: string | null;
  readonly addresses: readonly string[];
};

/** Links that stand on others and borrow their hardware address: a binding by MAC means the one below. */
const STACKED = new Set(["vlan", "bridge", "bond", "team", "macvlan", "macvtap", "ipvlan", "vrf", "macsec"]);

/** Kernel names for a role: one as a rule, none when the hardware is not there, several when it cannot be told apart. */
export function kernelNames(
  config: FirewallConfig,
  role: string,
  observed: readonly ObservedInterface[],
): readonly string[] {
  const binding = config.interfaces[role];
  if (binding === undefined) return [role];
  if ("name" in binding) return [binding.name];
  const candidates = observed.filter((link) => link.mac === binding.mac);
  const below = candidates.filter((link) => link.kind === null || !STACKED.has(link.kind));
  return (below.length > 0 ? below : candidates).map((link) => link.name).toSorted();
}

/** The roles behind `zone:NAME` or `interface:ROLE`. */
export function rolesOf(config: FirewallConfig, key: string): readonly string[] {
  return key.startsWith("zone:") ? (config.zones[key.slice("zone:".length)] ?? []) : [key.slice("interface:".length)];
}

export function kernelNamesOfKey(
  config: FirewallConfig,
  key: string,
  observed: readonly ObservedInterface[],
): readonly string[] {
  return [...new Set(rolesOf(config, key).flatMap((role) => kernelNames(config, role, observed)))].toSorted();
}
