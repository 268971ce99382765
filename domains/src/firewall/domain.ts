import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Domain } from "@holdfast/core/domain.ts";
import { firewallLacks } from "./capability.ts";
import { type FirewallObserved, firewallFacts, observeFirewall } from "./facts.ts";
import { floorLost } from "./floor-lost.ts";
import { foreignFirewall, foreignFirewallFacts } from "./foreign.ts";
import type { FirewallConfig } from "./model.ts";
import { parseFirewallConfig } from "./parse-config.ts";
import { planFirewall } from "./plan.ts";
import { observeReadBack, readBackFacts } from "./read-back.ts";
import { bootText, renderFirewall } from "./render.ts";
import { restoreFirewall } from "./restore.ts";
import { bootFileStep } from "./step.ts";
import { validateFirewall } from "./validate.ts";
import { verifyFirewall } from "./verify.ts";
import { firewallWatch } from "./watch.ts";

export const firewall: Domain<FirewallConfig, FirewallObserved> = {
  name: "firewall",
  facts: firewallFacts,
  observe: observeFirewall,
  foreign: { facts: foreignFirewallFacts, read: foreignFirewall },
  lacks: firewallLacks,
  parseConfig: parseFirewallConfig,
  validate: validateFirewall,
  plan: planFirewall,
  render: (config, observed) => renderFirewall(config, observed === null ? null : observed.interfaces),
  verify: verifyFirewall,
  // A table that cannot be read has a digest of its own: it must not look like one that is not there.
  ours: (observed): Json => (observed.unreadable === null ? observed.table : { unreadable: true }),
  readBack: { facts: readBackFacts, observe: observeReadBack },
  restore: restoreFirewall,
  persist: (config, observed) => [bootFileStep(config === null ? null : bootText(config, observed.interfaces))],
  floorLost,
  // A flush of all rules, or of this table, is the end of a table to the kernel; our own changes never end one.
  moves: ["nft", "monitor", "destroy", "tables"],
  watch: firewallWatch,
  // The floor's and the expectations' probes come with the effective config; the firewall alone has none to add.
  probes: () => [],
};
