import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import type { Mismatch } from "@holdfast/core/domain.ts";
import type { BridgeSetting, IpState, MadeDevice } from "@holdfast/core/plan/ip-state.ts";
import type { Step } from "@holdfast/core/plan/step.ts";
import { tellsApart, vlanChange } from "./bridge-vlans.ts";
import { linkState, ownDevices, ownLinks, ownState } from "./live.ts";
import {
  type BridgeState,
  LEARNT_PROTOCOLS,
  type NetworkObserved,
  type ObservedLink,
  STATIC_PROTOCOL,
} from "./observed.ts";
import { FORWARDING_FILE, inForce, type OwnFiles } from "./own-file.ts";
import { lostNeighbours, setNeighbours } from "./set-neighbours.ts";
import {
  confirmedFileStep,
  forwardingStep,
  ipStateStep,
  linkStep,
  networkdStep,
  NO_IP_STATE,
  removeConfirmedStep,
  removeTrialStep,
  trialFileStep,
  vlanStep,
} from "./step.ts";
import { asRule, bridgeSettings, itemKey, portSettings } from "./wanted.ts";

/**
 * Puts our files, and the links that they are for, back as the snapshot has them. It needs the snapshot and what is there now, nothing else.
 * Before networkd has started, the files are all: what they say comes into force with it.
 */
export function restoreNetwork(snapshot: NetworkObserved, live: NetworkObserved): readonly Step[] {
  const files = [
    ...fileSteps(snapshot.own.run, live.own.run, trialFileStep, removeTrialStep),
    ...fileSteps(snapshot.own.etc, live.own.etc, confirmedFileStep, removeConfirmedStep),
  ];
  if (live.renderer.state !== "running") return [...files, ...forwardingSteps(snapshot, live)];
  const links = concernedLinks(snapshot, live);
  const settle = snapshot.links
    .filter((link) => link.setup === "configured" && links.has(link.name))
    .map((link) => ({ link: link.name, lease: false }));
  const reconfigure = settle
    .map(({ link }) => link)
    .filter((name) => files.length === 0 && stateOf(name, snapshot) !== stateOf(name, live));
  const before = withLinks(snapshot, links);
  const extra = extraState(snapshot, live);
  return [
    ...files,
    ...madeSince(snapshot, live).map(({ link, device }) =>
      linkStep("delete", `Remove the ${device} ${link}`, link, { op: "delete", device }),
    ),
    networkdStep("Let networkd take the files of before over", reconfigure, settle),
    ...snapshot.links
      .filter((link) => links.has(link.name))
      .flatMap((link) =>
        linkSteps(
          link,
          live.links.find((one) => one.name === link.name),
        ),
      ),
    ...snapshot.links.filter((link) => links.has(link.name)).flatMap((link) => vlanSteps(link, snapshot, live)),
    ...forwardingSteps(snapshot, live),
    ...ipStateStep("routing", "Put back addresses, routes and rules as they were", extra, before),
  ];
}

/**
 * What an undo has not reached of the snapshot; `before` is what it found. Links that were not ours before count as well: they were set up by
 * others, and are to be as they were.
 */
export function leftToRestore(
  snapshot: NetworkObserved,
  before: NetworkObserved,
  after: NetworkObserved,
): readonly Mismatch[] {
  if (after.unreadable !== null)
    return [{ path: "server", expected: "a network that can be read", found: `no ${after.unreadable}` }];
  const files = Object.keys({ ...inForce(snapshot.own), ...inForce(after.own) }).flatMap(
    (name): readonly Mismatch[] => {
      const [was, is] = [inForce(snapshot.own)[name], inForce(after.own)[name]];
      return was === is
        ? []
        : [
            {
              path: `files.${name}`,
              expected: was === undefined ? "no file" : "its text",
              found: is === undefined ? "no file" : "another text",
            },
          ];
    },
  );
  const forwarding = forwardingSteps(snapshot, { ...after, own: before.own }).map(({ title }): Mismatch => ({
    path: "forwarding",
    expected: title,
    found: "not done",
  }));
  if (after.renderer.state !== "running") return [...files, ...forwarding];
  const links = [...concernedLinks(snapshot, before)].flatMap((name): readonly Mismatch[] => {
    const [was, is] = [stateOf(name, snapshot), stateOf(name, after)];
    return was === is ? [] : [{ path: `links.${name}`, expected: was || "no link", found: is || "no link" }];
  });
  const own =
    canonicalJson(ownState(snapshot)) === canonicalJson(ownState(after))
      ? []
      : [{ path: "own", expected: "as the snapshot has it", found: "another state" }];
  const neighbours = lostNeighbours(snapshot, after, concernedLinks(snapshot, before));
  return [...files, ...forwarding, ...links, ...own, ...neighbours];
}

function fileSteps(
  snapshot: OwnFiles,
  live: OwnFiles,
  write: (name: string, text: string) => Step,
  remove: (name: string) => Step,
): readonly Step[] {
  const names = [...new Set([...Object.keys(snapshot), ...Object.keys(live)])].toSorted();
  return names.flatMap((name) => {
    const text = snapshot[name];
    if (text === live[name]) return [];
    return [text === undefined ? remove(name) : write(name, text)];
  });
}

/** Links that a file of ours was or is for, and the members of devices among them. */
function concernedLinks(snapshot: NetworkObserved, live: NetworkObserved): ReadonlySet<string> {
  return new Set([...ownLinks(snapshot), ...ownLinks(live)].map((link) => link.name));
}

function stateOf(name: string, of: NetworkObserved): string {
  const link = of.links.find((one) => one.name === name);
  return link === undefined ? "" : canonicalJson(linkState(of, link));
}

function madeSince(
  snapshot: NetworkObserved,
  live: NetworkObserved,
): readonly { readonly link: string; readonly device: MadeDevice }[] {
  const before = new Map(snapshot.links.map((link) => [link.name, link.kind]));
  return [...ownDevices(inForce(live.own)), ...ownDevices(live.own.etc)].flatMap(([link, kind]) => {
    const found = live.links.find((one) => one.name === link);
    if (found === undefined || found.kind !== kind || before.get(link) === kind) return [];
    return kind === "bridge" || kind === "bond" || kind === "vlan" ? [{ link, device: kind }] : [];
  });
}

function linkSteps(link: ObservedLink, live: ObservedLink | undefined): readonly Step[] {
  return [
    ...(live?.mtu === link.mtu
      ? []
      : [linkStep("mtu", `Give ${link.name} its packet size back`, link.name, { op: "mtu", mtu: link.mtu })]),
    ...(live?.up === link.up
      ? []
      : [
          linkStep("state", `Take ${link.name} ${link.up ? "up" : "down"}`, link.name, { op: link.up ? "up" : "down" }),
        ]),
    ...(link.bridge === null ||
    (live?.bridge !== null && live?.bridge !== undefined && itemKey(live.bridge) === itemKey(link.bridge))
      ? []
      : [
          linkStep("bridge", `Set up the bridge ${link.name} as it was`, link.name, {
            op: "bridge",
            settings: bridgeChanges(link.bridge, live?.bridge ?? null),
          }),
        ]),
    ...(link.port === null || (live !== undefined && live.port !== null && itemKey(live.port) === itemKey(link.port))
      ? []
      : [
          linkStep("port", `Set up the port ${link.name} as it was`, link.name, {
            op: "port",
            settings: portSettings(link.port),
          }),
        ]),
  ];
}

/** What a bridge is that was just made. */
const NEW_BRIDGE = { vlan_filtering: 0 } as const;

/** Only what differs: a kernel whose bridges cannot tell VLANs apart refuses even to be told that they do not. */
function bridgeChanges(was: BridgeState, is: BridgeState | null): { readonly [Setting in BridgeSetting]?: number } {
  const now: { readonly [Setting in BridgeSetting]?: number } = is === null ? NEW_BRIDGE : bridgeSettings(is);
  return Object.fromEntries(
    Object.entries(bridgeSettings(was)).filter(([setting, value]) => now[setting as BridgeSetting] !== value),
  );
}

function vlanSteps(link: ObservedLink, snapshot: NetworkObserved, live: NetworkObserved): readonly Step[] {
  if (link.vlans === null || !tellsApart(snapshot, link)) return [];
  const now = live.links.find((one) => one.name === link.name)?.vlans ?? [];
  return vlanStep(link, vlanChange(now, link.vlans), `Put ${link.name} back into its VLANs`);
}

function forwardingSteps(snapshot: NetworkObserved, live: NetworkObserved): readonly Step[] {
  const isOurs =
    inForce(snapshot.own)[FORWARDING_FILE] !== undefined || inForce(live.own)[FORWARDING_FILE] !== undefined;
  return (["ipv4", "ipv6"] as const).flatMap((family) => {
    const value = snapshot.forwarding[family];
    return isOurs && value !== null && value !== live.forwarding[family] ? [forwardingStep(family, value)] : [];
  });
}

/** What stood on those links by hand, by files and by daemons: whatever networkd dropped of it is made again. */
function withLinks(snapshot: NetworkObserved, links: ReadonlySet<string>): IpState {
  return {
    addresses: snapshot.links
      .filter((link) => links.has(link.name))
      .flatMap((link) =>
        link.addresses.filter((one) => one.source === "set").map((one) => ({ link: link.name, address: one.address })),
      ),
    routes: snapshot.routes.filter(
      (route) =>
        !LEARNT_PROTOCOLS.has(route.protocol) &&
        (route.kind !== "unicast" || route.hops.some((hop) => hop.dev !== null && links.has(hop.dev))),
    ),
    rules: snapshot.rules
      .filter((rule) => !rule.isStrange && rule.priority > 0 && !LEARNT_PROTOCOLS.has(rule.protocol))
      .map(asRule),
    ...setNeighbours(snapshot, links),
  };
}

/** Rules, dead ends and routes over several ways that were not there: networkd leaves such things behind. */
function extraState(snapshot: NetworkObserved, live: NetworkObserved): IpState {
  const rules = new Set(snapshot.rules.map(itemKey));
  const routes = new Set(snapshot.routes.map(itemKey));
  const isStatic = (one: { readonly protocol: number }): boolean => one.protocol === STATIC_PROTOCOL;
  return {
    ...NO_IP_STATE,
    rules: live.rules.filter((rule) => isStatic(rule) && !rule.isStrange && !rules.has(itemKey(rule))).map(asRule),
    routes: live.routes.filter(
      (route) => isStatic(route) && (route.kind !== "unicast" || route.hops.length > 1) && !routes.has(itemKey(route)),
    ),
  };
}
