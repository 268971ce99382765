import type { IpState, LinkChange } from "@holdfast/core/plan/ip-state.ts";
import type { Action, Step } from "@holdfast/core/plan/step.ts";
import type { vlanChange } from "./bridge-vlans.ts";
import type { ObservedLink } from "./observed.ts";
import { confirmedPath, trialPath } from "./own-file.ts";
import { FORWARDING_KEYS } from "./render.ts";

/** networkd runs as an account of its own and must be able to read them; they hold no secret. */
const FILE_MODE = 0o644;

const FILE_BUDGET_MS = 2_000;
const LINK_BUDGET_MS = 5_000;
/** `ip` takes milliseconds; a busy machine starts it in a second. */
const IP_BUDGET_MS = 10_000;
/** Milliseconds for networkd to set links up: duplicate address detection takes two seconds, a link that had to be taken down and up again eight. */
const SETTLE_BUDGET_MS = 20_000;
/** A DHCP server may take ten seconds to answer, and a bridge with the spanning tree protocol thirty to let the question through. */
const LEASE_BUDGET_MS = 45_000;

function step(id: string, title: string, action: Action, budgetMs: number): Step {
  return { id: `network.${id}`, domain: "network", title, action, budgetMs };
}

export function trialFileStep(name: string, text: string): Step {
  return step(
    `write.${name}`,
    `Write ${name} on trial`,
    { kind: "write_file", path: trialPath(name), mode: FILE_MODE, text },
    FILE_BUDGET_MS,
  );
}

export function confirmedFileStep(name: string, text: string): Step {
  const path = confirmedPath(name);
  return step(
    `confirm.${name}`,
    `Write ${name} for the next boot`,
    { kind: "write_file", path, mode: FILE_MODE, text },
    FILE_BUDGET_MS,
  );
}

export function removeTrialStep(name: string): Step {
  return step(
    `remove.${name}`,
    `Remove ${name} on trial`,
    { kind: "remove_file", path: trialPath(name) },
    FILE_BUDGET_MS,
  );
}

export function removeConfirmedStep(name: string): Step {
  return step(
    `forget.${name}`,
    `Remove the confirmed ${name}`,
    { kind: "remove_file", path: confirmedPath(name) },
    FILE_BUDGET_MS,
  );
}

export function linkStep(id: string, title: string, link: string, change: LinkChange): Step {
  return step(`${id}.${link}`, title, { kind: "link", link, change }, LINK_BUDGET_MS);
}

export function vlanStep(
  { name, bridge }: Pick<ObservedLink, "name" | "bridge">,
  { absent, present }: ReturnType<typeof vlanChange>,
  title: string,
): readonly Step[] {
  if (absent.length + present.length === 0) return [];
  return [linkStep("vlans", title, name, { op: "vlans", isBridge: bridge !== null, absent, present })];
}

export function networkdStep(
  title: string,
  reconfigure: readonly string[],
  settle: readonly { readonly link: string; readonly lease: boolean }[],
): Step {
  const budgetMs = settle.some(({ lease }) => lease) ? LEASE_BUDGET_MS : SETTLE_BUDGET_MS;
  return step("reload", title, { kind: "networkd", reconfigure, settle }, budgetMs);
}

export function ipStateStep(id: string, title: string, absent: IpState, present: IpState): readonly Step[] {
  const count = [absent, present].reduce(
    (sum, { addresses, routes, rules, neighbours = [] }) =>
      sum + addresses.length + routes.length + rules.length + neighbours.length,
    0,
  );
  if (count === 0) return [];
  return [step(id, title, { kind: "ip_state", absent, present }, IP_BUDGET_MS)];
}

export function forwardingStep(family: "ipv4" | "ipv6", value: boolean): Step {
  const key = FORWARDING_KEYS[family];
  const title = `${value ? "Pass" : "Do not pass"} ${family === "ipv4" ? "IPv4" : "IPv6"} packets of others on`;
  return step(`forwarding.${family}`, title, { kind: "sysctl", key, value: value ? "1" : "0" }, LINK_BUDGET_MS);
}

export const NO_IP_STATE: IpState = { addresses: [], routes: [], rules: [] };
