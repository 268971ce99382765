import type { DomainPlan, PlanInput } from "@holdfast/core/domain.ts";
import type { IpRule } from "@holdfast/core/plan/ip-state.ts";
import type { Step } from "@holdfast/core/plan/step.ts";
import { unifiedDiff } from "@holdfast/core/plan/unified-diff.ts";
import { kernelName, linkOf } from "./binding.ts";
import { vlanChange, vlansOf, wantedVlans } from "./bridge-vlans.ts";
import { refusalOf } from "./capability.ts";
import { changesInWords, networkChanges } from "./diff.ts";
import { foreignFileFor } from "./foreign-file.ts";
import { foundBefore, rememberedBy } from "./found.ts";
import { guardFindings, managementLinks } from "./guard.ts";
import { linksMatched, ownDevices, statedTables } from "./live.ts";
import { type InterfaceConfig, type NetworkConfig, rolesOf } from "./model.ts";
import { LEARNT_PROTOCOLS, type NetworkObserved, SET_PROTOCOLS, STATIC_PROTOCOL } from "./observed.ts";
import { FORWARDING_FILE, inForce, type OwnFiles } from "./own-file.ts";
import { findingsOfPlan } from "./plan-findings.ts";
import { FORWARDING_KEYS, renderFiles } from "./render.ts";
import { setNeighbours } from "./set-neighbours.ts";
import { staleState } from "./stale.ts";
import {
  forwardingStep,
  ipStateStep,
  linkStep,
  networkdStep,
  vlanStep,
  removeConfirmedStep,
  removeTrialStep,
  trialFileStep,
} from "./step.ts";
import { linkMismatches, verifyNetwork } from "./verify.ts";
import { asRule, bridgeDifferences, ownTables, ticks, wantedRules } from "./wanted.ts";

/** What is there, what shall be there, and what of it differs: every decision of the plan is made from this. */
interface Work {
  readonly desired: NetworkConfig | null;
  readonly observed: NetworkObserved;
  readonly before: OwnFiles;
  readonly wanted: OwnFiles;
  readonly changed: readonly string[];
  readonly gone: readonly string[];
}

/** From what is there to what shall be there. Files first, which nobody reads yet; then networkd takes them over all at once. */
export function planNetwork(input: PlanInput<NetworkConfig, NetworkObserved>): DomainPlan {
  const { desired, confirmed, observed, managementPath } = input;
  const hasOwn = Object.keys(inForce(observed.own)).length > 0;
  if (desired === null && !hasOwn) return { steps: [], nativeDiff: "", findings: [], touchesManagementPath: false };
  const refused = refusalOf(observed);
  if (refused !== null) return { steps: [], nativeDiff: "", findings: [refused], touchesManagementPath: false };
  const work = workOf(desired, observed);
  // Forwarding is the kernel's own, and waits for nobody.
  const steps =
    observed.renderer.state === "starting" ? [...fileSteps(work), ...forwardingSteps(work)] : allSteps(work, confirmed);
  const touched = touchedLinks(work, steps);
  const management = managementLinks(desired, observed, managementPath);
  return {
    steps,
    nativeDiff: steps.length === 0 ? "" : nativeDiff(work),
    findings: [
      ...guardFindings(confirmed, desired, observed, managementPath),
      ...findingsOfPlan({ ...input, touched, reloads: steps.some((step) => step.action.kind === "networkd") }),
    ],
    touchesManagementPath:
      steps.length > 0 && (confirmed === null || [...touched].some((link) => management.has(link))),
  };
}

function workOf(desired: NetworkConfig | null, observed: NetworkObserved): Work {
  const before = inForce(observed.own);
  const wanted = desired === null ? {} : renderFiles(desired, observed.links, foundBefore(observed, desired));
  const differing = Object.keys(wanted).filter((name) => wanted[name] !== before[name]);
  return {
    desired,
    observed,
    before,
    wanted,
    changed: [...new Set([...differing, ...membersOfRebuilt(desired, before, wanted)])].toSorted(),
    gone: Object.keys(before)
      .filter((name) => wanted[name] === undefined)
      .toSorted(),
  };
}

/**
 * A bond whose file changes is made anew. networkd (252) keeps what it once read of a member's file for as long as that file is the same, and with it the
 * bond that is gone: members would stay outside. Their files are written again, and networkd reads them again.
 */
function membersOfRebuilt(desired: NetworkConfig | null, before: OwnFiles, wanted: OwnFiles): readonly string[] {
  return rolesOf(desired ?? EMPTY).flatMap((role) => {
    const device = desired?.interfaces[role]?.device;
    const file = `${role}.netdev`;
    if (device?.kind !== "bond" || before[file] === undefined || before[file] === wanted[file]) return [];
    // A member that is not ours has no file of ours.
    return device.members.map((member) => `${member}.network`).filter((name) => wanted[name] !== undefined);
  });
}

/** What leaves the policy leaves `/etc` too: there its file would hold as soon as the one on trial is gone. An undo puts it back, a boot too. */
function fileSteps({ wanted, changed, gone, observed }: Work): readonly Step[] {
  return [
    ...changed.map((name) => trialFileStep(name, wanted[name] ?? "")),
    ...gone.flatMap((name) => [
      ...(observed.own.run[name] === undefined ? [] : [removeTrialStep(name)]),
      ...(observed.own.etc[name] === undefined ? [] : [removeConfirmedStep(name)]),
    ]),
  ];
}

function allSteps(work: Work, confirmed: NetworkConfig | null): readonly Step[] {
  const { desired, observed } = work;
  const files = fileSteps(work);
  const deletions = deletedDevices(work).map(({ link, device }) =>
    linkStep("delete", `Remove the ${device} ${link}`, link, { op: "delete", device }),
  );
  const reconfigure = driftedLinks(work);
  const stale = staleState(work.before, work.wanted, observed);
  const isMissing = rolesOf(desired ?? EMPTY).some(
    (role) => desired?.interfaces[role]?.device !== undefined && linkOf(desired, role, observed) === null,
  );
  const reloads =
    [...work.changed, ...work.gone].some((name) => name !== FORWARDING_FILE) ||
    deletions.length + reconfigure.length > 0 ||
    isMissing;
  const present = {
    addresses: [],
    routes: reloads ? endangeredRoutes(work) : [],
    rules: reloads ? rulesToKeep(work) : missingRules(work),
    ...(reloads ? setNeighbours(observed, touchedLinks(work, [])) : {}),
  };
  const title = `Let networkd take over: ${changesInWords(networkChanges(confirmed, desired))}`;
  const steps = [
    ...files,
    ...deletions,
    ...(reloads ? [networkdStep(title, reconfigure, settling(work, reconfigure))] : []),
    ...bridgeSteps(work),
    ...vlanSteps(work),
    ...releasedMtu(work),
    ...forwardingSteps(work),
    ...(reloads || stale.rules.length + stale.routes.length + present.rules.length > 0
      ? ipStateStep(
          "routing",
          "Take away routes and rules that networkd leaves behind, and keep those of others",
          stale,
          present,
        )
      : []),
  ];
  return [...steps, ...forgettingSteps(work, steps)];
}

/**
 * What was learnt of neighbours before the change lets packets through for minutes after it, though nobody answers any more. Forgotten now, the
 * trial sees what would come later.
 */
function forgettingSteps(work: Work, steps: readonly Step[]): readonly Step[] {
  const { desired, observed } = work;
  const touched = touchedLinks(work, steps);
  return rolesOf(desired ?? EMPTY).flatMap((role) => {
    const one = desired?.interfaces[role];
    const link = desired === null ? null : kernelName(desired, role, observed.links);
    // A member of a bond or a bridge has no neighbours of its own.
    const isWay = one?.enable === true && (one.ipv4.method !== "none" || one.ipv6.method !== "none");
    if (link === null || !touched.has(link) || !isWay) return [];
    const title = `Forget who ${link}'s neighbours are, so that the trial finds them anew`;
    return [linkStep("neighbours", title, link, { op: "forget_neighbours" })];
  });
}

const EMPTY: NetworkConfig = { reachedAt: [], forwarding: {}, interfaces: {} };

/** Devices that we made and that are not wanted any more, or not of this kind: networkd leaves them, and does not change a VLAN or a bond. */
function deletedDevices({ before, wanted, changed, observed }: Work) {
  const after = ownDevices(wanted);
  const rebuilt = new Set(
    changed
      .filter((name) => name.endsWith(".netdev") && before[name] !== undefined)
      .flatMap((name) =>
        [...ownDevices({ [name]: wanted[name] ?? "" })].flatMap(([link, kind]) => (kind === "bridge" ? [] : [link])),
      ),
  );
  return [...ownDevices(before)].flatMap(([link, kind]) => {
    const live = observed.links.find((one) => one.name === link);
    const isKept = after.get(link) === kind && !rebuilt.has(link);
    if (live === undefined || live.kind !== kind || isKept || (kind !== "bridge" && kind !== "bond" && kind !== "vlan"))
      return [];
    return [{ link, device: kind } as const];
  });
}

/** Links whose file is as wanted and whose state is not: networkd is told to set them up anew. */
function driftedLinks({ desired, observed, changed }: Work): readonly string[] {
  if (desired === null) return [];
  return rolesOf(desired).flatMap((role) => {
    const one = desired.interfaces[role];
    const link = linkOf(desired, role, observed);
    if (one === undefined || link === null || changed.includes(`${role}.network`)) return [];
    if (!one.enable) return link.up ? [link.name] : [];
    // What is put right in other ways is no reason to set the link up anew.
    const isElsewhere = (path: string): boolean => /\.(rules|bridge\.[a-z_]+)$/.test(path);
    return linkMismatches(desired, role, one, link, observed).some(({ path }) => !isElsewhere(path)) ? [link.name] : [];
  });
}

function settling(
  work: Work,
  reconfigure: readonly string[],
): readonly { readonly link: string; readonly lease: boolean }[] {
  const { desired, observed, changed, gone, before } = work;
  const wanted = rolesOf(desired ?? EMPTY).flatMap((role) => {
    const one = desired?.interfaces[role];
    const link = desired === null ? null : kernelName(desired, role, observed.links);
    if (one === undefined || link === null || !one.enable) return [];
    const isNew = changed.includes(`${role}.network`) || reconfigure.includes(link);
    return [{ link, lease: isNew && one.ipv4.method === "dhcp" && one.ipv4.use.includes("address") }];
  });
  const released = gone.flatMap((name) =>
    linksMatched(before[name] ?? "", observed.links)
      .filter((link) => foreignFileFor(link, observed) !== null)
      .map((link) => ({ link: link.name, lease: false })),
  );
  return [...new Map([...released, ...wanted].map((one) => [one.link, one])).values()];
}

function bridgeSteps({ desired, observed, changed }: Work): readonly Step[] {
  return rolesOf(desired ?? EMPTY).flatMap((role) => {
    const one = desired?.interfaces[role];
    const link = desired === null ? null : linkOf(desired, role, observed);
    if (one === undefined || link === null) return [];
    const settings = {
      ...Object.fromEntries(bridgeDifferences(one, link).map(([setting, wanted]) => [setting, wanted])),
      ...(changed.includes(`${role}.netdev`) ? hiddenAgeing(one) : {}),
    };
    if (Object.keys(settings).length === 0) return [];
    return [linkStep("bridge", `Set up the bridge ${link.name}`, link.name, { op: "bridge", settings })];
  });
}

/** networkd puts a port into VLANs and takes it out of none; where the bridge is there already it does not tell it to tell them apart either. */
function vlanSteps({ desired, observed }: Work): readonly Step[] {
  return rolesOf(desired ?? EMPTY).flatMap((role) => {
    const vlans = desired === null ? null : vlansOf(desired, role);
    const link = desired === null ? null : linkOf(desired, role, observed);
    if (vlans === null || link === null) return [];
    const change = vlanChange(link.vlans ?? [], wantedVlans(vlans));
    return vlanStep(link, change, `Let ${link.name} be in the VLANs of its policy`);
  });
}

/** With the spanning tree protocol it cannot be read at any time, so that it is set whenever the file is. */
function hiddenAgeing({ device }: InterfaceConfig): { readonly ageing_time?: number } {
  const ageing = device?.kind === "bridge" && device.stp ? ticks(device.ageing) : undefined;
  return ageing === undefined ? {} : { ageing_time: ageing };
}

/** networkd leaves the size of packets as it was last set. */
function releasedMtu({ before, wanted, observed }: Work): readonly Step[] {
  const { mtu } = rememberedBy(observed);
  return Object.entries(mtu).flatMap(([role, value]) => {
    const name = `${role}.network`;
    if (/^MTUBytes=/m.test(wanted[name] ?? "")) return [];
    return linksMatched(before[name] ?? "", observed.links)
      .filter((link) => link.mtu !== value)
      .map((link) =>
        linkStep("mtu", `Give ${link.name} its packet size of before back: ${value}`, link.name, {
          op: "mtu",
          mtu: value,
        }),
      );
  });
}

function forwardingSteps({ desired, observed, before }: Work): readonly Step[] {
  const remembered = rememberedBy(observed).forwarding;
  return (["ipv4", "ipv6"] as const).flatMap((family) => {
    const wasOurs = (before[FORWARDING_FILE] ?? "").includes(`\n${FORWARDING_KEYS[family]} = `);
    const value = desired?.forwarding[family] ?? (wasOurs ? remembered[family] : undefined);
    return value === undefined || value === observed.forwarding[family] ? [] : [forwardingStep(family, value)];
  });
}

/** Routes that daemons and VPNs made on links that are set up anew: networkd drops them, so they are made again. */
function endangeredRoutes(work: Work): NetworkObserved["routes"] {
  const { desired, observed, before } = work;
  const links = touchedLinks(work, []);
  // Tables that were ours count too: what our file made there goes with it.
  const tables = new Set([...ownTables(desired ?? EMPTY), ...statedTables(before)]);
  return observed.routes.filter(
    (route) =>
      route.hops.some((hop) => hop.dev !== null && links.has(hop.dev)) &&
      !LEARNT_PROTOCOLS.has(route.protocol) &&
      (!SET_PROTOCOLS.has(route.protocol) || !tables.has(route.table)),
  );
}

/** networkd drops rules of others whenever it sets a link up. Ours are named too, so that a missing one comes back. */
function rulesToKeep(work: Work): readonly IpRule[] {
  return [...rulesThere(work), ...missingRules(work)];
}

/** Rules that are there before the steps to this config and are to be there after them, those of others included. */
export function keptRules(desired: NetworkConfig | null, before: NetworkObserved): readonly IpRule[] {
  return rulesThere(workOf(desired, before));
}

function rulesThere(work: Work): readonly IpRule[] {
  const stale = new Set(staleState(work.before, work.wanted, work.observed).rules.map((rule) => JSON.stringify(rule)));
  return work.observed.rules
    .filter((rule) => !rule.isStrange && !LEARNT_PROTOCOLS.has(rule.protocol) && rule.priority > 0)
    .map(asRule)
    .filter((rule) => !stale.has(JSON.stringify(rule)));
}

function missingRules({ desired, observed }: Work) {
  const mismatches =
    desired === null ? [] : verifyNetwork(desired, observed).filter(({ path }) => path.endsWith(".rules"));
  if (desired === null || mismatches.length === 0) return [];
  return rolesOf(desired).flatMap((role) => {
    const one = desired.interfaces[role];
    if (one === undefined || !one.enable) return [];
    return wantedRules(desired, one, observed.links).map((rule) => ({ ...rule, protocol: STATIC_PROTOCOL }));
  });
}

/** Kernel names of links that the plan sets up anew, or takes something away from. */
function touchedLinks({ desired, observed, before, changed, gone }: Work, steps: readonly Step[]): ReadonlySet<string> {
  const files = [...changed, ...gone].filter((name) => name !== FORWARDING_FILE);
  return new Set([
    ...files.flatMap((name) => {
      const role = name.slice(0, name.lastIndexOf("."));
      const wanted = desired === null ? null : kernelName(desired, role, observed.links);
      return [
        ...(wanted === null ? [] : [wanted]),
        ...linksMatched(before[name] ?? "", observed.links).map((link) => link.name),
      ];
    }),
    ...steps.flatMap(({ action }) =>
      action.kind === "link" ? [action.link] : action.kind === "networkd" ? action.reconfigure : [],
    ),
  ]);
}

/** Our files against what is there, a file of somebody else in the place of ours where it holds now; then what the kernel shows otherwise. */
function nativeDiff(work: Work): string {
  const { desired, observed, before, wanted, changed, gone } = work;
  const lines = (name: string, text: string | undefined): readonly string[] =>
    text === undefined ? [] : [`# ${name}`, ...text.trimEnd().split("\n"), ""];
  const parts = [...changed, ...gone].toSorted().map((name): readonly [readonly string[], readonly string[]] => {
    const role = name.slice(0, name.lastIndexOf("."));
    const link = desired === null || before[name] !== undefined ? null : linkOf(desired, role, observed);
    const foreign =
      link === null || !name.endsWith(".network")
        ? undefined
        : observed.foreign.find((file) => file.path === link.file);
    const old = before[name] === undefined ? lines(foreign?.path ?? name, foreign?.text) : lines(name, before[name]);
    return [old, lines(name, wanted[name])];
  });
  const live = verifyNetwork(desired, observed).filter(({ path }) => !path.startsWith("files."));
  const found = live.map((one) => `${one.path}: ${one.found}`);
  const expected = live.map((one) => `${one.path}: ${one.expected}`);
  return unifiedDiff([
    ...parts,
    live.length === 0
      ? [[], []]
      : [
          ["# what the kernel shows", ...found],
          ["# what the kernel shows", ...expected],
        ],
  ]);
}
