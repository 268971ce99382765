/**
 * Whether the end of an apply says something about the revision itself. A lost confirmation alone never does: an outage of the control plane
 * would quarantine a fleet. Neither does what an operator or the moment did.
 */
export type QuarantineVerdict = "no" | "transient" | "lasting";

/**
 * By the code's first matching prefix. What is not here (a failed verify, a step that could not be done, a word of a newer agent) is lasting:
 * the server could not do it, or did not look as asked afterwards.
 */
const BY_PREFIX = [
  // Nobody confirmed, power was lost, or somebody did not want it.
  ["trial.", "no"],
  ["server.rebooted", "no"],
  ["operator.", "no"],
  ["transaction.superseded", "no"],
  ["guard.", "no"],
  ["ledger.", "no"],
  ["apply.probe_failed", "transient"], // it worked before and does not with this revision; the other end may have had a bad minute
  ["apply.", "no"],
  // Somebody else changed the server by hand during the trial.
  ["verify.changed_on_trial", "no"],
  ["module.unavailable", "transient"],
] as const satisfies readonly (readonly [string, QuarantineVerdict])[];

export function quarantineVerdict(code: string | null): QuarantineVerdict {
  if (code === null) return "no";
  return BY_PREFIX.find(([prefix]) => code.startsWith(prefix))?.[1] ?? "lasting";
}
