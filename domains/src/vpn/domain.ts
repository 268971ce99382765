import type { Domain } from "@holdfast/core/domain.ts";
import { decideAct, failedAct } from "./act.ts";
import { vpnLacks } from "./capability.ts";
import { observeVpn, vpnFacts, type VpnObserved } from "./facts.ts";
import { foreignVpn, foreignVpnFacts } from "./foreign.ts";
import type { VpnConfig } from "./model.ts";
import { parseVpnConfig } from "./parse-config.ts";
import { persistVpn } from "./persist.ts";
import { planVpn } from "./plan.ts";
import { renderVpn } from "./render.ts";
import { restoredMismatches, restoreVpn } from "./restore.ts";
import { tendVpn } from "./tend.ts";
import { validateVpn } from "./validate.ts";
import { loadedMismatches, oursOf, verifyVpn } from "./verify.ts";

export const vpn: Domain<VpnConfig, VpnObserved> = {
  name: "vpn",
  facts: vpnFacts,
  observe: observeVpn,
  foreign: { facts: foreignVpnFacts, read: foreignVpn },
  lacks: vpnLacks,
  parseConfig: parseVpnConfig,
  validate: validateVpn,
  plan: planVpn,
  render: renderVpn,
  verify: verifyVpn,
  loaded: loadedMismatches,
  ours: oursOf,
  restore: restoreVpn,
  restored: restoredMismatches,
  persist: persistVpn,
  tend: tendVpn,
  tunnelActs: { decide: decideAct, failed: failedAct },
  // What must pass through a tunnel is expected in its document, and probed by the control plane.
  probes: () => [],
};
