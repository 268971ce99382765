import type { TunnelVerb } from "@holdfast/core/plan/tunnel-act.ts";
import type { SaSeen, VpnSeen } from "./observed.ts";

/** Names of our connections in strongSwan. */
export const OURS = "holdfast-";

export type TunnelObstacle = "open" | "charonDown" | "up" | "otherEnd" | "down";

/** Why an act on a tunnel makes no sense as the server was seen last. Courtesy: the server looks itself before it does anything. */
export function tunnelObstacle(
  act: TunnelVerb,
  tunnel: string,
  seen: VpnSeen,
  remoteAddress: string | null,
  isOpen: boolean,
): TunnelObstacle | null {
  if (isOpen) return "open";
  const { charon } = seen.ipsec;
  if (charon.state === "down") return "charonDown";
  const own = charon.sas.filter(({ name }) => name === `${OURS}${tunnel}`);
  switch (act) {
    case "initiate":
      if (isTunnelUp(own)) return "up";
      return remoteAddress === null ? "otherEnd" : null;
    case "rekey":
      return own.some(({ state }) => state === "ESTABLISHED") ? null : "down";
    case "terminate":
      return own.length > 0 ? null : "down";
  }
}

export function isTunnelUp(sas: readonly SaSeen[]): boolean {
  return sas.some(
    ({ state, children }) => state === "ESTABLISHED" && children.some((one) => one.state === "INSTALLED"),
  );
}
