import type { Finding } from "@holdfast/core/base/finding.ts";
import type { DomainPlan, PlanInput } from "@holdfast/core/domain.ts";
import type { Step } from "@holdfast/core/plan/step.ts";
import { unifiedDiff } from "@holdfast/core/plan/unified-diff.ts";
import { parsePerson } from "@holdfast/core/policy/tunnel-people.ts";
import { tunnelOfConn, wantedOf } from "./conn.ts";
import { intoOf, isLinkQuiet, linksOf, oursIn, vpnDiff, type VpnDiff } from "./diff.ts";
import type { VpnObserved } from "./facts.ts";
import { finding } from "./findings.ts";
import { guardFindings } from "./guard.ts";
import { listedOf, liveOf } from "./live.ts";
import type { VpnConfig } from "./model.ts";
import { placeFindings } from "./place.ts";
import { recordText } from "./record.ts";
import { blockLine, bootTextOrNone, diffParts, linkLines } from "./render.ts";
import {
  blocksStep,
  endPeopleSteps,
  initiateStep,
  isPersonConn,
  loadConnStep,
  loadKeyStep,
  loadPeopleSteps,
  loadPoolStep,
  makeLinkSteps,
  noteStep,
  PATIENCE_MS,
  rekeyStep,
  removeLinkSteps,
  terminateStep,
  unloadConnStep,
  unloadPeopleKeysStep,
  unloadPoolStep,
} from "./step.ts";
import { verifyVpn } from "./verify.ts";

/**
 * From what is loaded to what shall be: first the note of what will be loaded, then keys, then the dead ends, then the tunnels themselves, those
 * that go before those whose networks open again. A changed tunnel begins anew: what was agreed with the old settings would live on until
 * its keys are replaced, and prove nothing.
 */
export function planVpn(input: PlanInput<VpnConfig, VpnObserved>): DomainPlan {
  const { desired, confirmed, observed, managementPath } = input;
  if (observed.recordProblem !== null) {
    const unreadable = finding(
      "vpn.record_unreadable",
      "vpn",
      `What this agent has loaded into strongSwan cannot be read: ${observed.recordProblem}.`,
    );
    return { steps: [], nativeDiff: "", findings: [unreadable], touchesManagementPath: false };
  }
  const diff = vpnDiff(desired, observed);
  const isUp = liveOf(observed) !== null;
  const isQuiet =
    diff.changed.length + diff.gone.length + diff.blocksToAdd.length + diff.blocksToRemove.length === 0 &&
    diff.poolsToAdd.length + diff.poolsToRemove.length + diff.passwordsToRemove.length === 0 &&
    isLinkQuiet(diff);
  const guard = guardFindings(diff.changed, managementPath);
  return {
    steps: isQuiet ? [] : isUp ? steps(diff, observed) : blockSteps(diff),
    nativeDiff: isQuiet ? "" : nativeDiff(desired, observed, diff),
    findings: [
      ...(diff.wanted.length === 0 ? [] : placeFindings(diff.wanted, observed)),
      ...guard,
      ...flapFindings(diff, observed),
      ...openingFindings(diff),
      ...driftFindings(confirmed, observed),
    ],
    touchesManagementPath: guard.length > 0,
  };
}

function steps(diff: VpnDiff, observed: VpnObserved): readonly Step[] {
  const live = liveOf(observed);
  const note = recordText(diff.record) === observed.recordText ? [] : [noteStep(diff.record)];
  const isNew = (name: string): boolean => listedOf(live, name) === undefined;
  const people = diff.changed.filter(({ conn }) => isPersonConn(conn.name));
  const machines = diff.changed.filter(({ conn }) => !isPersonConn(conn.name));
  const gone = diff.gone.filter((name) => !isPersonConn(name));
  return [
    // A pool that is put back is known by the note too.
    ...(diff.changed.length + diff.poolsToAdd.length === 0 ? [] : note),
    ...diff.keys.filter(({ id }) => machines.some(({ key }) => key.id === id)).map(loadKeyStep),
    ...diff.poolsToAdd.map(loadPoolStep),
    ...(diff.blocksToAdd.length === 0 ? [] : [blocksStep("block", diff.blocksToAdd, [])]),
    ...makeLinkSteps(diff),
    ...machines.flatMap(({ conn }) => [
      loadConnStep(conn, isNew(conn.name)),
      ...(isNew(conn.name) ? [] : [terminateStep(conn.name)]),
    ]),
    ...endPeopleSteps(diff.gone.filter(isPersonConn), false),
    // Of two passwords for one name charon takes either: the old one goes before the new one comes.
    ...(diff.passwordsToRemove.length === 0 ? [] : [unloadPeopleKeysStep(diff.passwordsToRemove)]),
    ...loadPeopleSteps(people, (id) => !diff.keys.some((key) => key.id === id)),
    ...endPeopleSteps(
      people.map(({ conn }) => conn.name).filter((name) => !isNew(name)),
      true,
    ),
    ...gone.flatMap((name) => [unloadConnStep(name), terminateStep(name)]),
    ...removeLinkSteps(diff),
    ...diff.poolsToRemove.map(unloadPoolStep),
    ...(diff.blocksToRemove.length === 0 ? [] : [blocksStep("unblock", [], diff.blocksToRemove)]),
    ...diff.changed
      .filter(({ conn }) => conn.starts)
      .flatMap(({ conn }) => [initiateStep(conn, PATIENCE_MS), rekeyStep(conn)]),
  ];
}

/** On a boot strongSwan comes later: until then nothing may leave unencrypted all the same. */
function blockSteps(diff: VpnDiff): readonly Step[] {
  const { blocksToAdd, blocksToRemove } = diff;
  return [
    ...(blocksToAdd.length === 0 ? [] : [blocksStep("block", blocksToAdd, [])]),
    ...makeLinkSteps(diff),
    ...removeLinkSteps(diff),
    ...(blocksToRemove.length === 0 ? [] : [blocksStep("unblock", [], blocksToRemove)]),
  ];
}

function nativeDiff(desired: VpnConfig | null, observed: VpnObserved, diff: VpnDiff): string {
  const before = (liveOf(observed)?.conns ?? []).flatMap(({ labels }) =>
    labels.flatMap((label) => observed.record[label] ?? []),
  );
  const kept = observed.blocks.filter((network) => !diff.blocksToRemove.includes(network));
  const blocks = [...kept, ...diff.blocksToAdd].toSorted();
  const wanted = wantedOf(desired);
  return unifiedDiff(
    diffParts(before, wanted, [
      [...linkLines(oursIn(observed), observed.into), ...observed.blocks.map(blockLine)],
      [...linkLines(linksOf(wanted), intoOf(wanted)), ...blocks.map(blockLine)],
    ]),
  );
}

function flapFindings({ changed, gone }: VpnDiff, observed: VpnObserved): readonly Finding[] {
  const sas = liveOf(observed)?.sas ?? [];
  const names = [...changed.map(({ conn }) => conn.name), ...gone].filter((name) => sas.some((sa) => sa.name === name));
  const machines = names
    .filter((name) => !isPersonConn(name))
    .map((name) =>
      finding(
        "vpn.flaps",
        `vpn.tunnels.${tunnelOfConn(name)}`,
        gone.includes(name)
          ? `The tunnel ${tunnelOfConn(name)} carries traffic now, and ends.`
          : `The tunnel ${tunnelOfConn(name)} carries traffic now; it is interrupted while both ends agree anew.`,
      ),
    );
  const people = Map.groupBy(names.filter(isPersonConn), (name) => parsePerson(tunnelOfConn(name))?.tunnel ?? "");
  return [...machines, ...[...people].map(([tunnel, own]) => cutOffFinding(tunnel, own, gone))];
}

/** One for all of them: of a hundred people nobody reads a hundred lines. */
function cutOffFinding(tunnel: string, names: readonly string[], gone: readonly string[]): Finding {
  const list = (some: readonly string[]): string =>
    some.map((name) => parsePerson(tunnelOfConn(name))?.person ?? name).join(", ");
  const [out, anew] = [names.filter((name) => gone.includes(name)), names.filter((name) => !gone.includes(name))];
  const parts = [
    ...(out.length === 0 ? [] : [`${list(out)} of ${tunnel}: connected now, cut off, and not let in again.`]),
    ...(anew.length === 0 ? [] : [`${list(anew)} of ${tunnel}: connected now, cut off until they connect anew.`]),
  ];
  return finding("vpn.flaps", `vpn.people.${tunnel}`, parts.join(" "));
}

function openingFindings({ blocksToRemove }: VpnDiff): readonly Finding[] {
  if (blocksToRemove.length === 0) return [];
  const message = `Packets for ${blocksToRemove.join(", ")} may leave unencrypted from then on.`;
  return [finding("vpn.clear_text_opens", "vpn", message)];
}

function driftFindings(confirmed: VpnConfig | null, observed: VpnObserved): readonly Finding[] {
  if (confirmed === null) return [];
  const live = verifyVpn(confirmed, observed).map((one) =>
    finding("vpn.drift", "vpn", `${one.path} is not as confirmed: expected ${one.expected}, found ${one.found}.`),
  );
  if (observed.boot === bootTextOrNone(wantedOf(confirmed))) return live;
  const message = "The file that strongSwan loads when it starts is not as it was confirmed.";
  return [...live, finding("vpn.boot_differs", "vpn", message)];
}
