import type { Domain } from "@holdfast/core/domain.ts";
import { networkLacks } from "./capability.ts";
import { lostRules } from "./collateral.ts";
import { networkFacts, observeNetwork } from "./facts.ts";
import { foreignNetwork, foreignNetworkFacts } from "./foreign.ts";
import { floorLost } from "./guard.ts";
import { ownState } from "./live.ts";
import type { NetworkConfig } from "./model.ts";
import type { NetworkObserved } from "./observed.ts";
import { parseNetworkConfig } from "./parse-config.ts";
import { persistNetwork } from "./persist.ts";
import { planNetwork } from "./plan.ts";
import { renderNetwork } from "./render.ts";
import { leftToRestore, restoreNetwork } from "./restore.ts";
import { validateNetwork } from "./validate.ts";
import { verifyNetwork } from "./verify.ts";

export const network: Domain<NetworkConfig, NetworkObserved> = {
  name: "network",
  facts: networkFacts,
  observe: observeNetwork,
  foreign: { facts: foreignNetworkFacts, read: foreignNetwork },
  lacks: networkLacks,
  parseConfig: parseNetworkConfig,
  validate: validateNetwork,
  plan: planNetwork,
  render: (config, observed) => renderNetwork(config, observed === null ? null : observed.links),
  verify: verifyNetwork,
  collateral: lostRules,
  ours: ownState,
  restore: restoreNetwork,
  restored: leftToRestore,
  persist: persistNetwork,
  floorLost,
  moves: ["ip", "monitor", "address", "route"],
  // The floor's and the expectations' probes come with the effective config; they are dialled at the address that the agent has then.
  probes: () => [],
};
