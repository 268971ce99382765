import type { Finding } from "@holdfast/core/base/finding.ts";
import type { Origin, ProvenanceEntry } from "@holdfast/core/compose/effective-config.ts";

/** Everything said while composing, gathered. */
export interface Notes {
  readonly findings: Finding[];
  readonly provenance: ProvenanceEntry[];
}

export function at(origin: Origin): { readonly document?: string; readonly line?: number } {
  return { document: origin.document, ...(origin.line === undefined ? {} : { line: origin.line }) };
}

/** The origin of something inside what has this origin. */
export function within(origin: Origin, path: string): Origin {
  return { ...origin, path: `${origin.path}.${path}` };
}
