import type { KernelSetting } from "@holdfast/core/compose/kernel-setting.ts";
import type { FirewallConfig } from "./model.ts";

/** Rules for packets of others, and their translations, are asked only where the kernel passes packets on. */
export function kernelOf({ forward, nat }: FirewallConfig): readonly KernelSetting[] {
  const published = nat?.publish ?? [];
  const needs = (key: string, item: string): KernelSetting => ({
    key,
    does: "needs",
    values: ["1"],
    item,
    what: "packets of others are not passed on, so forward rules and translations of the firewall do nothing",
  });
  const item = (forward?.rules.length ?? 0) > 0 ? "firewall.forward" : "firewall.nat";
  const isFour =
    item === "firewall.forward" || (nat?.masquerade.length ?? 0) > 0 || published.some(({ to }) => !to.includes(":"));
  return [
    ...(isFour ? [needs("net.ipv4.ip_forward", item)] : []),
    ...(published.some(({ to }) => to.includes(":")) ? [needs("net.ipv6.conf.all.forwarding", "firewall.nat")] : []),
  ];
}
