import type { Step } from "@holdfast/core/plan/step.ts";
import { wantedOf } from "./conn.ts";
import type { VpnObserved } from "./facts.ts";
import { isLoaded, listedOf, liveOf } from "./live.ts";
import type { VpnConfig } from "./model.ts";
import { initiateStep, lookupStep } from "./step.ts";

/** Milliseconds. charon goes on by itself when nobody waits any more; whoever waits here holds up an apply. */
const TEND_PATIENCE_MS = 300;

/**
 * Tunnels that this end begins and that are not there. charon tries again for ever when the other end is silent, and never again when it has
 * refused: after an undo of both ends, the one that went back first was refused by the one that had not yet. And its rule that leads into all
 * tunnels, which it sets when it starts and systemd-networkd takes away when it sets up a link again.
 */
export function tendVpn(config: VpnConfig, observed: VpnObserved): readonly Step[] {
  const live = liveOf(observed);
  if (live === null) return [];
  const wanted = wantedOf(config);
  const lookup = wanted.length > 0 && observed.lookupLost.length > 0 ? [lookupStep(observed.lookupLost)] : [];
  const initiations = wanted
    .filter(({ conn }) => conn.starts && conn.deadThen === "restart" && isLoaded(conn, listedOf(live, conn.name)))
    .filter(
      ({ conn }) =>
        !live.sas.some((sa) => sa.name === conn.name && (sa.state !== "ESTABLISHED" || sa.children.length > 0)),
    )
    .map(({ conn }) => initiateStep(conn, TEND_PATIENCE_MS));
  return [...lookup, ...initiations];
}
