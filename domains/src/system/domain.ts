import type { Domain } from "@holdfast/core/domain.ts";
import { systemLacks } from "./capability.ts";
import { observeSystem, systemFacts, type SystemObserved } from "./facts.ts";
import { floorLost } from "./floor-lost.ts";
import { foreignSystem, foreignSystemFacts } from "./foreign.ts";
import type { SystemConfig } from "./model.ts";
import { parseSystemConfig } from "./parse-config.ts";
import { persistSystem } from "./persist.ts";
import { planSystem } from "./plan.ts";
import { renderSystem } from "./render.ts";
import { restoredMismatches, restoreSystem } from "./restore.ts";
import { validateSystem } from "./validate.ts";
import { oursOf, verifySystem } from "./verify.ts";

export const system: Domain<SystemConfig, SystemObserved> = {
  name: "system",
  facts: systemFacts,
  observe: observeSystem,
  foreign: { facts: foreignSystemFacts, read: foreignSystem },
  lacks: systemLacks,
  parseConfig: parseSystemConfig,
  validate: validateSystem,
  plan: planSystem,
  render: renderSystem,
  verify: verifySystem,
  ours: oursOf,
  restore: restoreSystem,
  restored: restoredMismatches,
  persist: persistSystem,
  floorLost,
  // The floor's and the expectations' probes come with the effective config, and sshd's own port is read back on the server.
  probes: () => [],
};
