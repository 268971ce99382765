import type { Finding } from "@holdfast/core/base/finding.ts";
import type { ProvenanceEntry } from "@holdfast/core/compose/effective-config.ts";

/** Everything said while composing, gathered. */
export interface Notes {
  readonly findings: Finding[];
  readonly provenance: ProvenanceEntry[];
}
