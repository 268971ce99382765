import type { KernelSetting } from "@holdfast/core/compose/kernel-setting.ts";
import type { VpnCode } from "./findings.ts";
import type { VpnConfig } from "./model.ts";

/** Off and loose. Strict asks of a packet out of a tunnel that the way back be the link by which its ciphertext came. */
const NOT_STRICT = ["0", "2"] as const;

/** What tunnels ask of the kernel's own filters. The wide settings reach every interface; the stricter of two counts. */
export function kernelOf({ tunnels, people = {} }: VpnConfig): readonly KernelSetting[] {
  const [machines, groups] = [Object.keys(tunnels), Object.keys(people)];
  const names = [...machines, ...groups];
  if (names.length === 0) return [];
  const passingOn = names.map((name): KernelSetting => ({
    key: "net.ipv4.ip_forward",
    does: "needs",
    values: ["1"],
    item: "vpn.tunnels",
    what: `packets of others are not passed on, so ${name} serves this server alone`,
    tells: {
      code: "vpn.forwarding_off" satisfies VpnCode,
      path: `vpn.${groups.includes(name) ? "people" : "tunnels"}.${name}`,
    },
  }));
  const filters = ["all", "default"].map((name): KernelSetting => ({
    key: `net.ipv4.conf.${name}.rp_filter`,
    does: "needs",
    values: NOT_STRICT,
    item: "vpn.tunnels",
    what: `packets out of ${names.join(", ")} are dropped where the way back is not the link by which they came`,
  }));
  return [...passingOn, ...filters];
}
