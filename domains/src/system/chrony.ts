import { NTP_UNITS, type SystemObserved } from "./facts.ts";

/** chrony reads servers from files of a folder, beside those of its main file (chrony.conf(5), sourcedir). */
export type ChronyUnit = (typeof NTP_UNITS.chrony)[number];

export function runningChrony(observed: SystemObserved): ChronyUnit | null {
  return NTP_UNITS.chrony.find((unit) => observed.units?.[unit]?.active === "active") ?? null;
}

/** Who keeps the time takes the servers. What became ours stays it, so that a daemon that is down for a moment moves nothing. */
export function ntpSlot(observed: SystemObserved | null): "ntp" | "chrony" {
  if (observed === null || Object.hasOwn(observed.found, "ntp")) return "ntp";
  if (Object.hasOwn(observed.found, "chrony")) return "chrony";
  return runningChrony(observed) !== null && observed.chronyReadsSources ? "chrony" : "ntp";
}

const HEAD = "# Made by Holdfast from a policy; changes here are overwritten.";

/** `iburst`: the time is known some seconds after a start, and not minutes. */
export function chronyText(servers: readonly string[]): string {
  return `${[HEAD, ...servers.map((server) => `server ${server} iburst`)].join("\n")}\n`;
}
