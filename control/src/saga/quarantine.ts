/**
 * Whether the end of an apply says something about the revision itself. A lost confirmation alone never does: an outage of the control plane
 * would quarantine a fleet. Neither does what an operator or the moment did.
 */
export type QuarantineVerdict = "no" | "transient" | "lasting";

/** By the code's first matching prefix. What is not here was an undo for an unknown reason of the server's own: that is worth a look. */
const BY_PREFIX = [
  // Nobody confirmed, or somebody did not want it.
  ["trial.", "no"],
  ["confirm.", "no"],
  ["boot.", "no"],
  ["apply.aborted", "no"],
  ["apply.abort_lost", "no"],
  ["apply.stuck", "no"],
  ["apply.prepare_timeout", "no"],
  ["apply.ledger_lost", "no"],
  ["apply.force_closed", "no"],
  ["guard.", "no"],
  // It worked before and does not with this revision; the other end may have had a bad minute.
  ["apply.probe_failed", "transient"],
  ["probe.", "transient"],
  ["module.unavailable", "transient"],
  ["step.timeout", "transient"],
  // The server could not do it, or did not look as asked afterwards.
  ["verify.", "lasting"],
  ["step.", "lasting"],
  ["module.", "lasting"],
] as const satisfies readonly (readonly [string, QuarantineVerdict])[];

export function quarantineVerdict(code: string | null): QuarantineVerdict {
  if (code === null) return "no";
  return BY_PREFIX.find(([prefix]) => code.startsWith(prefix))?.[1] ?? "lasting";
}
