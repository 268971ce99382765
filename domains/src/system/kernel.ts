import type { KernelSetting } from "@holdfast/core/compose/kernel-setting.ts";
import { formatPath } from "@holdfast/core/policy/path.ts";
import type { SystemConfig } from "./model.ts";

/** What this config sets in the kernel, where other domains of the same server may have something to say. */
export function kernelOf({ sysctl = {} }: SystemConfig): readonly KernelSetting[] {
  return Object.entries(sysctl).map(([key, value]): KernelSetting => {
    const what = formatPath(["system", "sysctl", key]);
    return { key, does: "sets", values: [value], item: `system.sysctl.${key}`, what };
  });
}
