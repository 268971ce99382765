import type { Finding } from "@holdfast/core/base/finding.ts";
import { type AddressSet, addressSetFromText, EMPTY, overlaps, unionOf } from "@holdfast/core/net/address-set.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import { oncePerGroup, type Wanted } from "./conn.ts";
import { finding } from "./findings.ts";

/** Would this cut the way by which the server is mended? What is for the other end's networks goes into the tunnel, or nowhere. */
export function guardFindings(changed: readonly Wanted[], path: ManagementPath): readonly Finding[] {
  return oncePerGroup(changed).flatMap(({ group, config, pools }) => {
    const remote = networkSet(config.remote.networks);
    const met = [
      ...path.controlPlane
        .filter(({ address }) => overlaps(networkSet([address]), remote))
        .map(({ address }) => address),
      ...path.inbound.flatMap(({ networks }) => networks.filter((network) => overlaps(networkSet([network]), remote))),
    ];
    if (met.length === 0) return [];
    return [
      finding(
        "vpn.management_path_cut",
        pools.length === 0 ? `vpn.tunnels.${group}.remote.networks` : `vpn.people.${group}.pools`,
        `This server is managed from ${met.join(", ")}, which lies within the other end of ${group}: those packets would go into the tunnel, or nowhere while it is down.`,
      ),
    ];
  });
}

export function networkSet(texts: readonly string[]): AddressSet {
  return unionOf(
    texts.map((text) => {
      const set = addressSetFromText(text);
      return set.ok ? set.value : EMPTY;
    }),
  );
}
