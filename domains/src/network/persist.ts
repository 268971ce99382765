import type { Step } from "@holdfast/core/plan/step.ts";
import { foundBefore } from "./found.ts";
import type { NetworkConfig } from "./model.ts";
import type { NetworkObserved } from "./observed.ts";
import { renderFiles } from "./render.ts";
import { confirmedFileStep, removeConfirmedStep } from "./step.ts";

/**
 * Writes what is confirmed where the next boot finds it, and tells nobody: networkd goes on with the files on trial, whose text is the same,
 * until a reboot forgets them. A reload here would take every address away for a moment.
 */
export function persistNetwork(config: NetworkConfig | null, observed: NetworkObserved): readonly Step[] {
  const { etc } = observed.own;
  const wanted = config === null ? {} : renderFiles(config, observed.links, foundBefore(observed, config));
  return [
    ...Object.keys(wanted)
      .toSorted()
      .flatMap((name) => (etc[name] === wanted[name] ? [] : [confirmedFileStep(name, wanted[name] ?? "")])),
    ...Object.keys(etc)
      .toSorted()
      .flatMap((name) => (wanted[name] === undefined ? [removeConfirmedStep(name)] : [])),
  ];
}
