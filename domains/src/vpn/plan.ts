import type { Finding } from "@holdfast/core/base/finding.ts";
import type { DomainPlan, PlanInput } from "@holdfast/core/domain.ts";
import type { Step } from "@holdfast/core/plan/step.ts";
import { unifiedDiff } from "@holdfast/core/plan/unified-diff.ts";
import { tunnelOfConn, wantedOf } from "./conn.ts";
import { intoOf, isLinkQuiet, linksOf, oursIn, vpnDiff, type VpnDiff } from "./diff.ts";
import type { VpnObserved } from "./facts.ts";
import { finding } from "./findings.ts";
import { guardFindings } from "./guard.ts";
import { listedOf, liveOf } from "./live.ts";
import type { VpnConfig } from "./model.ts";
import { placeFindings } from "./place.ts";
import { recordText } from "./record.ts";
import { blockLine, bootText, diffParts, linkLines } from "./render.ts";
import {
  blocksStep,
  initiateStep,
  loadConnStep,
  loadKeyStep,
  makeLinkSteps,
  noteStep,
  PATIENCE_MS,
  rekeyStep,
  removeLinkSteps,
  terminateStep,
  unloadConnStep,
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
  return [
    ...(diff.changed.length === 0 ? [] : note),
    ...diff.keys.map(loadKeyStep),
    ...(diff.blocksToAdd.length === 0 ? [] : [blocksStep("block", diff.blocksToAdd, [])]),
    ...makeLinkSteps(diff),
    ...diff.changed.flatMap(({ conn }) => {
      const isNew = listedOf(live, conn.name) === undefined;
      return [loadConnStep(conn, isNew), ...(isNew ? [] : [terminateStep(conn.name)])];
    }),
    ...diff.gone.flatMap((name) => [unloadConnStep(name), terminateStep(name)]),
    ...removeLinkSteps(diff),
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
  const names = [...changed.map(({ conn }) => conn.name), ...gone];
  return names
    .filter((name) => sas.some((sa) => sa.name === name))
    .map((name) =>
      finding(
        "vpn.flaps",
        `vpn.tunnels.${tunnelOfConn(name)}`,
        gone.includes(name)
          ? `The tunnel ${tunnelOfConn(name)} carries traffic now, and ends.`
          : `The tunnel ${tunnelOfConn(name)} carries traffic now; it is interrupted while both ends agree anew.`,
      ),
    );
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
  const wanted = wantedOf(confirmed);
  const text = wanted.length === 0 ? null : bootText(wanted.map(({ conn }) => conn));
  if (observed.boot === text) return live;
  const message = "The file that strongSwan loads when it starts is not as it was confirmed.";
  return [...live, finding("vpn.boot_differs", "vpn", message)];
}
