import { type Lack, lackOf, WHOLE } from "@holdfast/core/capability/lack.ts";
import type { Requirement } from "@holdfast/core/capability/requirement.ts";
import { finding } from "./findings.ts";
import { type InterfaceConfig, type NetworkConfig, rolesOf } from "./model.ts";
import type { NetworkObserved } from "./observed.ts";

/** Kinds of device that not every kernel can make. A bridge it always can, or nothing of this domain works. */
const MADE = ["vlan", "bond"] as const;

/** Why nothing of the network can be changed here; null: it can. */
export function refusalOf(observed: NetworkObserved) {
  if (observed.unreadable !== null)
    return finding(
      "network.unreadable",
      "network",
      `The network of this server could not be read: no ${observed.unreadable}.`,
    );
  if (observed.renderer.state !== "foreign") return null;
  return finding(
    "network.read_only",
    "network",
    `The network of this server can be looked at and not changed: ${observed.renderer.why}.`,
  );
}

/** What this server cannot do. What nobody could find out is not told: the trial shows it. */
export function networkLacks(observed: NetworkObserved): readonly Lack[] {
  const refusal = refusalOf(observed);
  return [
    ...(refusal === null ? [] : [lackOf(WHOLE, refusal)]),
    ...MADE.filter((kind) => observed.kernel[kind] === false).map((kind) =>
      lackOf(kind, finding("network.kernel_lacks", "network", `The kernel of this server cannot make a ${kind}.`)),
    ),
  ];
}

/** The kernel has VLANs on bridges where it has VLANs, and nowhere else. */
export function needsVlans(device: InterfaceConfig["device"]): boolean {
  return device?.kind === "vlan" || (device?.kind === "bridge" && device.vlans !== undefined);
}

export function networkRequirements(config: NetworkConfig): readonly Requirement[] {
  return rolesOf(config).flatMap((role) => {
    const device = config.interfaces[role]?.device;
    const feature = needsVlans(device) ? "vlan" : device?.kind === "bond" ? "bond" : null;
    return feature === null ? [] : [{ feature, item: `network.interfaces.${role}.${device?.kind ?? ""}` }];
  });
}
