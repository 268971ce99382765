import type { Mismatch } from "@holdfast/core/domain.ts";
import { kernelName, linkOf } from "./binding.ts";
import { vlansInWords, vlansOf, wantedVlans } from "./bridge-vlans.ts";
import { foundBefore } from "./found.ts";
import { type BondDevice, type InterfaceConfig, type NetworkConfig, rolesOf } from "./model.ts";
import {
  type NetworkObserved,
  type ObservedLink,
  type ObservedRoute,
  SET_PROTOCOLS,
  STATIC_PROTOCOL,
} from "./observed.ts";
import { confirmedPath, inForce, trialPath } from "./own-file.ts";
import { renderFiles } from "./render.ts";
import {
  bridgeDifferences,
  comparable,
  itemKey,
  masterName,
  ownTables,
  portDifferences,
  routeInWords,
  ruleInWords,
  sameItem,
  wantedRoutes,
  wantedRules,
  withoutOrigin,
} from "./wanted.ts";

/** More than this many are the same message: something else is in force. */
const MOST_MISMATCHES = 50;

/**
 * Whether what was read back is what was asked for. networkd passes over keys that it does not understand and says so only in its log, so
 * nothing counts but what the kernel and networkd show afterwards.
 */
export function verifyNetwork(desired: NetworkConfig | null, observed: NetworkObserved): readonly Mismatch[] {
  if (observed.unreadable !== null)
    return [{ path: "server", expected: "a network that can be read", found: `no ${observed.unreadable}` }];
  const { renderer } = observed;
  const files = fileMismatches(desired, observed);
  if (renderer.state === "foreign") {
    if (desired === null) return files;
    return [{ path: "renderer", expected: "systemd-networkd", found: renderer.why }];
  }
  if (desired === null) return files;
  // This boot has not started networkd yet: its files are all of it that can be right or wrong.
  if (renderer.state === "starting") return [...files, ...forwardingMismatches(desired, observed)];
  const live = rolesOf(desired).flatMap((role) => interfaceMismatches(desired, role, observed));
  return [...files, ...live, ...forwardingMismatches(desired, observed)].slice(0, MOST_MISMATCHES);
}

function fileMismatches(desired: NetworkConfig | null, observed: NetworkObserved): readonly Mismatch[] {
  const found = inForce(observed.own);
  const wanted = desired === null ? {} : renderFiles(desired, observed.links, foundBefore(observed, desired));
  return [...new Set([...Object.keys(wanted), ...Object.keys(found)])].toSorted().flatMap((name) => {
    if (wanted[name] === found[name]) return [];
    return [
      {
        path: `files.${name}`,
        expected: wanted[name] === undefined ? "no file" : "the file as it is rendered",
        found: found[name] === undefined ? "no file" : "a file with another text",
      },
    ];
  });
}

function interfaceMismatches(config: NetworkConfig, role: string, observed: NetworkObserved): readonly Mismatch[] {
  const one = config.interfaces[role];
  const link = linkOf(config, role, observed);
  const path = `interfaces.${role}`;
  if (one === undefined) return [];
  // Hardware that is not there is told in the plan; a device that we make must be there.
  if (link === null)
    return one.device === undefined
      ? []
      : [
          {
            path,
            expected: `the ${one.device.kind} ${kernelName(config, role, observed.links) ?? role}`,
            found: "no such interface",
          },
        ];
  if (!one.enable) return link.up ? [{ path: `${path}.enable`, expected: "down", found: "up" }] : [];
  return linkMismatches(config, role, one, link, observed);
}

export function linkMismatches(
  config: NetworkConfig,
  role: string,
  one: InterfaceConfig,
  link: ObservedLink,
  observed: NetworkObserved,
): readonly Mismatch[] {
  const path = `interfaces.${role}`;
  const master = masterName(config, role, observed);
  return [
    ...setupMismatches(path, role, one, link),
    ...differs(`${path}.up`, "up", link.up ? "up" : "down"),
    ...(one.mtu === undefined ? [] : differs(`${path}.mtu`, String(one.mtu), String(link.mtu))),
    ...differs(`${path}.master`, master ?? "none", link.master ?? "none"),
    ...deviceMismatches(path, config, one, link, observed),
    ...portMismatches(path, one, link),
    ...vlanMismatches(path, config, role, link),
    ...setMismatches(
      `${path}.addresses`,
      [...one.ipv4.addresses, ...one.ipv6.addresses],
      link.addresses.filter((address) => address.source === "set").map((address) => address.address),
    ),
    ...routeMismatches(path, config, one, link, observed),
    ...ruleMismatches(path, config, one, observed),
    ...(observedDns(link, one)
      ? []
      : differs(`${path}.dns`, one.dns.join(" ") || "none", link.dns.join(" ") || "none")),
    ...differs(`${path}.search`, one.search.join(" ") || "none", link.search.join(" ") || "none"),
  ];
}

function observedDns(link: ObservedLink, one: InterfaceConfig): boolean {
  return link.dns.length === one.dns.length && one.dns.every((address, index) => link.dns[index] === address);
}

/** networkd must have taken our file, and be done with it. What is learnt may still be on its way: that is the wire's matter. */
function setupMismatches(path: string, role: string, one: InterfaceConfig, link: ObservedLink): readonly Mismatch[] {
  const name = `${role}.network`;
  const files = [trialPath(name), confirmedPath(name)];
  const file = files.includes(link.file ?? "")
    ? []
    : [{ path: `${path}.file`, expected: files.join(" or "), found: link.file ?? "none" }];
  const waits = one.ipv4.method === "dhcp" || one.ipv6.method === "dhcp" || one.ipv6.method === "ra";
  const isDone = link.setup === "configured" || ((waits || !link.carrier) && link.setup === "configuring");
  return [
    ...file,
    ...(isDone ? [] : [{ path: `${path}.setup`, expected: "configured", found: link.setup || "nothing" }]),
  ];
}

function deviceMismatches(
  path: string,
  config: NetworkConfig,
  one: InterfaceConfig,
  link: ObservedLink,
  observed: NetworkObserved,
): readonly Mismatch[] {
  const { device } = one;
  if (device === undefined) return [];
  if (link.kind !== device.kind) return differs(`${path}.kind`, device.kind, link.kind ?? "hardware");
  switch (device.kind) {
    case "bridge":
      return bridgeDifferences(one, link).map(([setting, wanted, found]) => ({
        path: `${path}.bridge.${setting}`,
        expected: String(wanted),
        found: String(found),
      }));
    case "vlan":
      return [
        ...differs(`${path}.vlan.id`, String(device.id), String(link.vlan?.id ?? "none")),
        ...differs(
          `${path}.vlan.parent`,
          kernelName(config, device.parent, observed.links) ?? "none",
          link.vlan?.parent ?? "none",
        ),
      ];
    case "bond":
      return bondMismatches(`${path}.bond`, config, device, link, observed);
  }
}

function bondMismatches(
  path: string,
  config: NetworkConfig,
  device: BondDevice,
  { bond }: ObservedLink,
  observed: NetworkObserved,
): readonly Mismatch[] {
  const stated = (
    key: string,
    wanted: string | number | null | undefined,
    found: string | number | null | undefined,
  ): readonly Mismatch[] =>
    wanted === undefined ? [] : differs(`${path}.${key}`, String(wanted), String(found ?? "none"));
  return [
    ...stated("mode", device.mode, bond?.mode),
    ...stated("hashPolicy", device.hashPolicy, bond?.hashPolicy),
    ...stated("lacpRate", device.lacpRate, bond?.lacpRate),
    ...stated("monitor", device.monitorMs, bond?.monitorMs),
    ...stated("arp.interval", device.arp?.intervalMs, bond?.arpIntervalMs),
    ...stated("arp.targets", device.arp?.targets.join(" "), bond?.arpTargets.join(" ")),
    ...stated("minLinks", device.minLinks, bond?.minLinks),
    ...(device.primary === undefined
      ? []
      : stated("primary", kernelName(config, device.primary, observed.links), bond?.primary)),
  ];
}

function portMismatches(path: string, one: InterfaceConfig, link: ObservedLink): readonly Mismatch[] {
  return portDifferences(one, link).map(([setting, wanted, found]) => ({
    path: `${path}.port.${setting}`,
    expected: String(wanted),
    found: String(found),
  }));
}

/** What a port is in when the bridge tells VLANs apart, whole: one too many is a way that nobody wrote. */
function vlanMismatches(path: string, config: NetworkConfig, role: string, link: ObservedLink): readonly Mismatch[] {
  const vlans = vlansOf(config, role);
  if (vlans === null) return [];
  return differs(`${path}.vlans`, vlansInWords(wantedVlans(vlans)), vlansInWords(link.vlans ?? []));
}

function routeMismatches(
  path: string,
  config: NetworkConfig,
  one: InterfaceConfig,
  link: ObservedLink,
  observed: NetworkObserved,
): readonly Mismatch[] {
  const nameOf = (role: string): string | null => kernelName(config, role, observed.links);
  const wanted = wantedRoutes(one, link.name, nameOf);
  const deadEnds = new Set(wanted.filter((route) => route.dev === null).map(itemKey));
  const tables = ownTables(config);
  const found = observed.routes.flatMap((route) => {
    const plain = comparable(route);
    // The kernel puts IPv6 dead ends on the loopback.
    const placed = plain.kind === "unicast" ? plain : { ...plain, dev: null, via: null };
    if (plain.ways.length > 0)
      return deadEnds.has(itemKey(plain)) || isLeftOver(config, route, link, observed) ? [plain] : [];
    const isOurs = placed.dev === link.name && tables.has(route.table) && SET_PROTOCOLS.has(route.protocol);
    return isOurs || deadEnds.has(itemKey(placed)) ? [placed] : [];
  });
  return setMismatches(`${path}.routes`, wanted.map(routeInWords), found.map(routeInWords));
}

/** Over several ways, made by networkd, and wanted by no interface: told once, at the first link that it goes by. */
function isLeftOver(
  config: NetworkConfig,
  route: ObservedRoute,
  link: ObservedLink,
  observed: NetworkObserved,
): boolean {
  if (route.protocol !== STATIC_PROTOCOL || route.hops[0]?.dev !== link.name || !ownTables(config).has(route.table))
    return false;
  const nameOf = (role: string): string | null => kernelName(config, role, observed.links);
  return !rolesOf(config).some((role) => {
    const [one, dev] = [config.interfaces[role], nameOf(role)];
    return (
      one !== undefined &&
      dev !== null &&
      wantedRoutes(one, dev, nameOf).some((each) => sameItem(each, comparable(route)))
    );
  });
}

function ruleMismatches(
  path: string,
  config: NetworkConfig,
  one: InterfaceConfig,
  observed: NetworkObserved,
): readonly Mismatch[] {
  return wantedRules(config, one, observed.links)
    .filter((rule) => !observed.rules.some((found) => !found.isStrange && sameItem(withoutOrigin(found), rule)))
    .map((rule) => ({ path: `${path}.rules`, expected: ruleInWords(rule), found: "absent" }));
}

function forwardingMismatches({ forwarding }: NetworkConfig, observed: NetworkObserved): readonly Mismatch[] {
  return (["ipv4", "ipv6"] as const).flatMap((family) => {
    const wanted = forwarding[family];
    if (wanted === undefined) return [];
    const found = observed.forwarding[family];
    return differs(`forwarding.${family}`, String(wanted), found === null ? "not readable" : String(found));
  });
}

function setMismatches(path: string, expected: readonly string[], found: readonly string[]): readonly Mismatch[] {
  const [want, have] = [new Set(expected), new Set(found)];
  return [
    ...[...want].filter((item) => !have.has(item)).map((item) => ({ path, expected: item, found: "absent" })),
    ...[...have].filter((item) => !want.has(item)).map((item) => ({ path, expected: "absent", found: item })),
  ];
}

function differs(path: string, expected: string, found: string): readonly Mismatch[] {
  return expected === found ? [] : [{ path, expected, found }];
}
