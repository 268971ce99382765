import { type Lack, lackOf, WHOLE } from "@holdfast/core/capability/lack.ts";
import type { FirewallObserved } from "./facts.ts";
import { finding } from "./findings.ts";

/** Why nothing of the firewall can be changed here; null: it can. */
export function refusalOf({ unreadable }: FirewallObserved) {
  if (unreadable === null) return null;
  return finding(
    "firewall.unreadable",
    "firewall",
    `The table inet holdfast of this server could not be read: ${unreadable}.`,
  );
}

/** All of it or nothing: a kernel with nftables has what we write. */
export function firewallLacks(observed: FirewallObserved): readonly Lack[] {
  const refusal = refusalOf(observed);
  return refusal === null ? [] : [lackOf(WHOLE, refusal)];
}
