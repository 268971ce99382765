/**
 * A remark about a document, a config or a plan. Findings are lists: all of them, not the first.
 *   error    cannot be applied
 *   danger   can be applied only when a person says so for this very finding (cuts the management path, breaks an expectation)
 *   warning  worth a look
 *   note     tells what will happen
 */
export const SEVERITIES = ["error", "danger", "warning", "note"] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Finding {
  readonly severity: Severity;
  /** Stable dotted code, for example `firewall.management_path_cut`. */
  readonly code: string;
  /** Where: a path into the document or config, for example `firewall.inbound.rules[2].from`. Empty for the whole. */
  readonly path: string;
  /** What is wrong, in a sentence a tired person understands. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
  /** 1-based place in the source text, where there is one. */
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** The document it is about, as `Kind/name`, where it is about one. */
  readonly document?: string | undefined;
}

const RANK = { error: 0, danger: 1, warning: 2, note: 3 } as const satisfies Record<Severity, number>;

/** Most dangerous first, then by path and code, so that lists are the same everywhere. */
export function byDanger(a: Finding, b: Finding): number {
  return RANK[a.severity] - RANK[b.severity] || compare(a.path, b.path) || compare(a.code, b.code);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
