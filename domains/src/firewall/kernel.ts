import type { KernelSetting } from "@holdfast/core/compose/kernel-setting.ts";
import type { FirewallCode } from "./findings.ts";
import type { FirewallConfig } from "./model.ts";

/** Rules for packets of others, and their translations, are asked only where the kernel passes packets on. */
export function kernelOf({ forward, nat }: FirewallConfig): readonly KernelSetting[] {
  const published = nat?.publish ?? [];
  const needs = (family: "ipv4" | "ipv6", key: string, item: string): KernelSetting => ({
    key,
    does: "needs",
    values: ["1"],
    item,
    what: "packets of others are not passed on, so forward rules and translations of the firewall do nothing",
    tells: { code: "firewall.forwarding_off" satisfies FirewallCode, path: `network.forwarding.${family}` },
  });
  const item = (forward?.rules.length ?? 0) > 0 ? "firewall.forward" : "firewall.nat";
  const isFour =
    item === "firewall.forward" || (nat?.masquerade.length ?? 0) > 0 || published.some(({ to }) => !to.includes(":"));
  return [
    ...(isFour ? [needs("ipv4", "net.ipv4.ip_forward", item)] : []),
    ...(published.some(({ to }) => to.includes(":"))
      ? [needs("ipv6", "net.ipv6.conf.all.forwarding", "firewall.nat")]
      : []),
  ];
}
