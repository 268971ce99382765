import type { Finding } from "@holdfast/core/base/finding.ts";
import type { DomainPlan, PlanInput } from "@holdfast/core/domain.ts";
import type { Step } from "@holdfast/core/plan/step.ts";
import { unifiedDiff } from "@holdfast/core/plan/unified-diff.ts";
import { foundWith, type SlotChange, systemChanges, targetsOf } from "./diff.ts";
import { SYSCTL_FILE, type SystemObserved } from "./facts.ts";
import { finding } from "./findings.ts";
import { guardFindings, touchesManagementPath } from "./guard.ts";
import type { SystemConfig } from "./model.ts";
import { placeFindings } from "./place.ts";
import { diffParts } from "./render.ts";
import { liveValue, sameValue, slotsOf } from "./slots.ts";
import { sshdEffective, sshWish } from "./sshd-text.ts";
import { foundStep, slotSteps } from "./step.ts";
import { sysctlFileText } from "./sysctl-files.ts";
import { verifySystem } from "./verify.ts";
import { slotName, valueWords } from "./words.ts";

/** From what is there to what shall be there: first a note of what was found, then one slot after the other. */
export function planSystem(input: PlanInput<SystemConfig, SystemObserved>): DomainPlan {
  const { desired, confirmed, observed, managementPath } = input;
  if (observed.foundProblem !== null) {
    const unreadable = finding(
      "system.found_unreadable",
      "system",
      `What was found on this server when its settings became ours cannot be read: ${observed.foundProblem}.`,
    );
    return { steps: [], nativeDiff: "", findings: [unreadable], touchesManagementPath: false };
  }
  const changes = systemChanges(desired, observed);
  return {
    steps: [...noteSteps(desired, observed), ...changes.flatMap((change) => changeSteps(change, desired, observed))],
    nativeDiff: nativeDiff(changes, desired, observed),
    findings: [
      ...restoreFindings(changes, desired, observed),
      ...guardFindings(desired, observed, changes, managementPath),
      ...(desired === null ? [] : placeFindings(desired, observed, changes)),
      ...driftFindings(confirmed, observed),
    ],
    touchesManagementPath: touchesManagementPath(changes),
  };
}

/** What leaves stays noted until the change is confirmed: the note shrinks when the boot files are written. */
function noteSteps(desired: SystemConfig | null, observed: SystemObserved): readonly Step[] {
  const noted = { ...observed.found, ...foundWith(desired, observed) };
  return sameValue(noted, observed.found) ? [] : [foundStep("system.note", noted)];
}

function changeSteps(change: SlotChange, desired: SystemConfig | null, observed: SystemObserved): readonly Step[] {
  const { slot, from, to, kind } = change;
  const ssh = desired === null ? undefined : sshWish(desired, observed);
  const sshd = { check: true, effective: ssh === undefined ? {} : sshdEffective(ssh), listens: ssh?.port ?? [] };
  const [name, value] = [slotName(slot), valueWords(slot, to)];
  const title =
    kind === "set"
      ? `Set ${name} to ${value} (was ${valueWords(slot, from)})`
      : `Put ${name} back to ${value}, as it was found (was ${valueWords(slot, from)})`;
  return slotSteps(slot, title, to, observed, sshd);
}

/** Every slot that is ours is compared, so that what stands around a change is shown with it. */
function nativeDiff(changes: readonly SlotChange[], desired: SystemConfig | null, observed: SystemObserved): string {
  if (changes.length === 0) return "";
  const targets = targetsOf(desired, observed);
  const live = Object.fromEntries(
    Object.keys(targets).flatMap((slot) => {
      const value = liveValue(observed, slot);
      return value === undefined ? [] : [[slot, value]];
    }),
  );
  return unifiedDiff(diffParts(live, targets));
}

/** A policy that is gone by a slip in a selector takes much back at once; a few settings are an edit. */
const MANY_RESTORED = 5;

function restoreFindings(
  changes: readonly SlotChange[],
  desired: SystemConfig | null,
  observed: SystemObserved,
): readonly Finding[] {
  const restored = changes.filter(({ kind }) => kind === "restore");
  const kept = Object.keys(slotsOf(desired, observed)).length;
  const isMuch = restored.length >= MANY_RESTORED && restored.length > kept;
  return [
    ...(isMuch
      ? [
          finding(
            "system.many_restored",
            "system",
            `${restored.length} settings of this server go back to what was found, and ${kept} stay ours.`,
          ),
        ]
      : []),
    ...restored.map(restoreFinding),
  ];
}

function restoreFinding({ slot, to }: SlotChange): Finding {
  const message = `No policy of this server says anything of ${slotName(slot)} any more: it goes back to ${valueWords(slot, to)}, which was found when it became ours.`;
  return finding("system.restore", "system", message);
}

function driftFindings(confirmed: SystemConfig | null, observed: SystemObserved): readonly Finding[] {
  if (confirmed === null) return [];
  const live = verifySystem(confirmed, observed).map((one) =>
    finding(
      "system.drift",
      "system",
      `${slotName(one.path)} is not as confirmed: expected ${one.expected}, found ${one.found}.`,
    ),
  );
  const entry = observed.entries[SYSCTL_FILE];
  const text = entry?.type === "file" ? entry.text : null;
  if (text === sysctlFileText(confirmed.sysctl ?? {})) return live;
  return [
    ...live,
    finding(
      "system.boot_differs",
      "system.sysctl",
      `${SYSCTL_FILE} is not as it was confirmed, so the next boot begins otherwise.`,
    ),
  ];
}
