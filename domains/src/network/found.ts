import { kernelName } from "./binding.ts";
import { type NetworkConfig, rolesOf } from "./model.ts";
import type { NetworkObserved } from "./observed.ts";
import { FORWARDING_FILE, inForce, readOwnFile } from "./own-file.ts";
import { type Found, FORWARDING_KEYS } from "./render.ts";

/**
 * What was there before a setting became ours: the remark in our own file where it is ours already, else what is there now. A setting that
 * leaves the policy goes back to it.
 */
export function foundBefore(observed: NetworkObserved, desired: NetworkConfig): Found {
  const remembered = rememberedBy(observed);
  const mtu: Record<string, number> = { ...remembered.mtu };
  for (const role of rolesOf(desired)) {
    if (mtu[role] !== undefined || desired.interfaces[role]?.mtu === undefined) continue;
    const name = kernelName(desired, role, observed.links);
    const link = observed.links.find((one) => one.name === name);
    const isOurs = desired.interfaces[role].device !== undefined;
    // A device that we make goes away whole; there is nothing to go back to.
    if (link !== undefined && !isOurs && !hasMtu(observed, role)) mtu[role] = link.mtu;
  }
  const set = inForce(observed.own)[FORWARDING_FILE] ?? "";
  const live = (family: "ipv4" | "ipv6"): Found["forwarding"] => {
    const value = observed.forwarding[family];
    return value === null || set.includes(`\n${FORWARDING_KEYS[family]} = `) ? {} : { [family]: value };
  };
  return { mtu, forwarding: { ...live("ipv4"), ...live("ipv6"), ...remembered.forwarding } };
}

function hasMtu(observed: NetworkObserved, role: string): boolean {
  return /^MTUBytes=/m.test(inForce(observed.own)[`${role}.network`] ?? "");
}

/** What our files remember. */
export function rememberedBy(observed: NetworkObserved): Found {
  const mtu: Record<string, number> = {};
  const files = inForce(observed.own);
  for (const [name, text] of Object.entries(files)) {
    const value = Number(readOwnFile(text).found["MTU"]);
    if (name.endsWith(".network") && Number.isInteger(value) && value > 0)
      mtu[name.slice(0, -".network".length)] = value;
  }
  const { found } = readOwnFile(files[FORWARDING_FILE] ?? "");
  const ipv4 = found[FORWARDING_KEYS.ipv4];
  const ipv6 = found[FORWARDING_KEYS.ipv6];
  return {
    mtu,
    forwarding: {
      ...(ipv4 === undefined ? {} : { ipv4: ipv4 === "1" }),
      ...(ipv6 === undefined ? {} : { ipv6: ipv6 === "1" }),
    },
  };
}
