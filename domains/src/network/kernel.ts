import type { KernelSetting } from "@holdfast/core/compose/kernel-setting.ts";
import type { NetworkConfig } from "./model.ts";
import { FORWARDING_KEYS } from "./render.ts";

/** What this config sets in the kernel beside links and routes: whether packets of others are passed on. */
export function kernelOf({ forwarding }: NetworkConfig): readonly KernelSetting[] {
  return (["ipv4", "ipv6"] as const).flatMap((family): readonly KernelSetting[] => {
    const wanted = forwarding[family];
    const item = `network.forwarding.${family}`;
    return wanted === undefined
      ? []
      : [{ key: FORWARDING_KEYS[family], does: "sets", values: [wanted ? "1" : "0"], item, what: item }];
  });
}
