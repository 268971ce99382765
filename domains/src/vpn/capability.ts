import { type Lack, lackOf, WHOLE } from "@holdfast/core/capability/lack.ts";
import type { Requirement } from "@holdfast/core/capability/requirement.ts";
import type { VpnObserved } from "./facts.ts";
import type { VpnConfig } from "./model.ts";
import { asksForPasswords } from "./people.ts";
import { interfaceFindings, missingFindings, passwordFindings } from "./place.ts";

/** A tunnel with an interface of its own. */
const INTERFACE = "interface";
/** People with a user name and a password. */
const PASSWORD = "password";

/** What this server cannot do. */
export function vpnLacks(observed: VpnObserved): readonly Lack[] {
  return [
    ...missingFindings(observed).map((one) => lackOf(WHOLE, one)),
    ...interfaceFindings("vpn", observed).map((one) => lackOf(INTERFACE, one)),
    ...passwordFindings("vpn", observed).map((one) => lackOf(PASSWORD, one)),
  ];
}

export function vpnRequirements({ tunnels, people = {} }: VpnConfig): readonly Requirement[] {
  return [
    ...Object.entries(tunnels).flatMap(([name, { via }]) =>
      via === "interface" ? [{ feature: INTERFACE, item: `vpn.tunnels.${name}` }] : [],
    ),
    ...Object.entries(people).flatMap(([name, one]) =>
      asksForPasswords(one) ? [{ feature: PASSWORD, item: `vpn.people.${name}` }] : [],
    ),
  ];
}
