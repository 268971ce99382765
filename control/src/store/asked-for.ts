/** Ends of an apply that a person asked for instead of what was under way: no failures, wherever failures are counted. */
export const ASKED_FOR: readonly string[] = ["apply.aborted", "apply.rolled_back_by_operator", "apply.force_closed"];
