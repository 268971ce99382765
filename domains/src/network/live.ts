import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Family } from "@holdfast/core/net/address.ts";
import { hardwareWith } from "./binding.ts";
import { tellsApart } from "./bridge-vlans.ts";
import { MAIN_TABLE } from "./model.ts";
import { type NetworkObserved, type ObservedLink, SET_PROTOCOLS } from "./observed.ts";
import { FORWARDING_FILE, inForce, type OwnFiles, readOwnFile, valueIn } from "./own-file.ts";
import { itemKey, type WantedRule, withoutOrigin } from "./wanted.ts";

/**
 * What is ours on the server, without what changes by itself: our files, and the state of the links that they are for. What is learnt from
 * DHCP and routers comes and goes and is left out.
 */
export function ownState(observed: NetworkObserved): Json {
  const files = inForce(observed.own);
  if (observed.unreadable !== null) return { unreadable: observed.unreadable };
  // Before networkd has started there is nothing live of ours.
  if (observed.renderer.state === "starting") return { files, starting: true };
  return {
    files,
    links: ownLinks(observed).map((link) => linkState(observed, link)),
    rules: ownRules(observed),
    ...(files[FORWARDING_FILE] === undefined ? {} : { forwarding: observed.forwarding }),
  };
}

/** Links that a file of ours is for, whether networkd has taken it or not. */
export function ownLinks(observed: NetworkObserved): readonly ObservedLink[] {
  const names = new Set(
    Object.values(inForce(observed.own)).flatMap((text) => linksMatched(text, observed.links).map((link) => link.name)),
  );
  return observed.links.filter((link) => names.has(link.name));
}

/** The links that a `.network` file of ours is for. */
export function linksMatched(text: string, links: readonly ObservedLink[]): readonly ObservedLink[] {
  const file = readOwnFile(text);
  const name = valueIn(file, "Match", "Name");
  if (name !== undefined) return links.filter((link) => link.name === name);
  const mac = valueIn(file, "Match", "MACAddress") ?? valueIn(file, "Match", "PermanentMACAddress");
  return mac === undefined ? [] : hardwareWith(mac, links);
}

/** Devices that a file of ours makes: name and kind. */
export function ownDevices(files: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(files).flatMap(([name, text]): [string, string][] => {
      if (!name.endsWith(".netdev")) return [];
      const file = readOwnFile(text);
      const device = valueIn(file, "NetDev", "Name");
      const kind = valueIn(file, "NetDev", "Kind");
      return device === undefined || kind === undefined ? [] : [[device, kind]];
    }),
  );
}

/** One link as it is set, the same for the same settings. */
export function linkState(observed: NetworkObserved, link: ObservedLink): Json {
  return {
    name: link.name,
    kind: link.kind,
    up: link.up,
    mtu: link.mtu,
    master: link.master,
    addresses: link.addresses.filter((one) => one.source === "set").map((one) => one.address),
    routes: observed.routes
      .filter(
        (route) =>
          SET_PROTOCOLS.has(route.protocol) &&
          statedTables(inForce(observed.own)).has(route.table) &&
          route.hops.some((hop) => hop.dev === link.name),
      )
      .map(itemKey),
    dns: link.dns,
    search: link.search,
    // The spanning tree protocol shortens the ageing when it likes.
    bridge: link.bridge?.stp === true ? { ...link.bridge, ageing: null } : link.bridge,
    port: link.port,
    ...(tellsApart(observed, link) ? { vlans: link.vlans } : {}),
    vlan: link.vlan,
    bond: link.bond,
  };
}

/** Main, and the tables that routes of our files name: in others, VPNs and routing daemons come and go. */
export function statedTables(files: OwnFiles): ReadonlySet<number> {
  const tables = sectionsOf(files, "Route").map((values) => Number(values.get("Table") ?? MAIN_TABLE));
  return new Set([MAIN_TABLE, ...tables]);
}

/** Of the rules that our files state, those that are there. */
function ownRules(observed: NetworkObserved): readonly string[] {
  const stated = new Set(statedRules(inForce(observed.own)).map(itemKey));
  return observed.rules.map((rule) => itemKey(withoutOrigin(rule))).filter((key) => stated.has(key));
}

/** Rules as our files state them: the one text of a rule is read as it was written. */
export function statedRules(files: Readonly<Record<string, string>>): readonly WantedRule[] {
  return sectionsOf(files, "RoutingPolicyRule").flatMap((values) => {
    const [from, to] = [values.get("From") ?? null, values.get("To") ?? null];
    const [value, mask] = (values.get("FirewallMark") ?? "").split("/").map(Number);
    const families: readonly Family[] = values.has("Family") ? [4, 6] : [(from ?? to ?? "").includes(":") ? 6 : 4];
    return families.map((family) => ({
      family,
      priority: Number(values.get("Priority")),
      from,
      to,
      mark: value === undefined || mask === undefined ? null : { value, mask },
      in: values.get("IncomingInterface") ?? null,
      table: Number(values.get("Table")),
    }));
  });
}

/** The sections of that name in all `.network` files of ours. */
export function sectionsOf(
  files: Readonly<Record<string, string>>,
  name: string,
): readonly ReadonlyMap<string, string>[] {
  return Object.values(files).flatMap((text) =>
    readOwnFile(text)
      .sections.filter((section) => section.name === name)
      .map(({ lines }) => new Map(lines)),
  );
}
