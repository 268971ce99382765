import type { Step } from "@holdfast/core/plan/step.ts";
import { foundWith } from "./diff.ts";
import { SYSCTL_FILE, type SystemObserved } from "./facts.ts";
import { fileOf } from "./file-value.ts";
import type { SystemConfig } from "./model.ts";
import { BOOT } from "./slots.ts";
import { fileStep, foundStep, systemStep, TOOL_BUDGET_MS } from "./step.ts";
import { sysctlFileText } from "./sysctl-files.ts";

const BOOT_FILE_MODE = 0o644;
const HOSTNAME_FILE = "/etc/hostname";

/**
 * What of a confirmed config only the next boot reads, and then the note without what is not ours any more: once it is gone, nobody knows
 * what was found, so it goes last. `observed` may be from before the change; what the note must hold comes out the same.
 */
export function persistSystem(config: SystemConfig | null, observed: SystemObserved): readonly Step[] {
  return [
    fileStep(
      "system.boot.sysctl",
      "Write the kernel settings for the next boot",
      SYSCTL_FILE,
      BOOT_FILE_MODE,
      sysctlFileText(config?.sysctl ?? {}),
    ),
    ...hostnameSteps(config, observed),
    ...userSteps(config, observed),
    foundStep("system.found", foundWith(config, observed)),
  ];
}

function hostnameSteps(config: SystemConfig | null, observed: SystemObserved): readonly Step[] {
  const id = "system.boot.hostname";
  const title = "Write the host name for the next boot";
  if (config?.hostname !== undefined)
    return [fileStep(id, title, HOSTNAME_FILE, BOOT_FILE_MODE, `${config.hostname}\n`)];
  const found = observed.found[`${BOOT}${HOSTNAME_FILE}`];
  if (found === undefined) return [];
  const file = fileOf(found);
  return [fileStep(id, title, HOSTNAME_FILE, file?.mode ?? BOOT_FILE_MODE, file?.text ?? null)];
}

/** A home is made for an account of ours, and an account removed, only now: neither could be taken back. */
function userSteps(config: SystemConfig | null, observed: SystemObserved): readonly Step[] {
  const ours = foundWith(config, observed);
  return Object.entries(config?.users ?? {}).flatMap(([name, user]): readonly Step[] => {
    if (user.state === "absent") {
      const action = { kind: "account", name, want: null } as const;
      return [
        systemStep(`system.boot.user:${name}`, `Remove the account ${name}; its home stays`, action, TOOL_BUDGET_MS),
      ];
    }
    if (!Object.hasOwn(ours, `user:${name}`)) return [];
    return [
      systemStep(`system.boot.home:${name}`, `Make a home for ${name} where there is none`, { kind: "home", name }),
    ];
  });
}
