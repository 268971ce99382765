import { type Lack, lackOf, WHOLE } from "@holdfast/core/capability/lack.ts";
import type { Requirement } from "@holdfast/core/capability/requirement.ts";
import type { VpnObserved } from "./facts.ts";
import type { VpnConfig } from "./model.ts";
import { interfaceFindings, missingFindings } from "./place.ts";

/** A tunnel with an interface of its own. */
const INTERFACE = "interface";

/** What this server cannot do. */
export function vpnLacks(observed: VpnObserved): readonly Lack[] {
  return [
    ...missingFindings(observed).map((one) => lackOf(WHOLE, one)),
    ...interfaceFindings("vpn", observed).map((one) => lackOf(INTERFACE, one)),
  ];
}

export function vpnRequirements({ tunnels }: VpnConfig): readonly Requirement[] {
  return Object.entries(tunnels).flatMap(([name, { via }]) =>
    via === "interface" ? [{ feature: INTERFACE, item: `vpn.tunnels.${name}` }] : [],
  );
}
