import type { Finding } from "@holdfast/core/base/finding.ts";
import type { Origin, ProvenanceEntry } from "@holdfast/core/compose/effective-config.ts";

/** Everything said while composing, gathered. */
export interface Notes {
  readonly findings: Finding[];
  readonly provenance: ProvenanceEntry[];
}

/** The origin of something inside what has this origin; `path` begins with `.` or `[`. */
export function within(origin: Origin, path: string): Origin {
  return { ...origin, path: `${origin.path}${path}` };
}
