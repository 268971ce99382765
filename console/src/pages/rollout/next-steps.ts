import type { ApplySummary } from "@holdfast/core/api/apply.ts";
import type { MessageKey } from "../../i18n/language.ts";

/** What to do next, in words, from what the outcome left behind. */
export function nextSteps(apply: Pick<ApplySummary, "state" | "effect" | "serverIs">): readonly MessageKey[] {
  switch (apply.state) {
    case "APPLIED":
      return apply.serverIs === "as_requested" ? ["next.applied"] : ["next.appliedOdd"];
    case "ROLLED_BACK":
      return ["next.rolledBack.safe", "next.rolledBack.mend"];
    case "FAILED":
      return failed(apply.effect);
    case "CANCELLED":
      return ["next.cancelled"];
    case "DRAFT":
    case "READY":
      return ["next.ready"];
    case "APPLYING":
    case "ROLLBACKING":
      return [];
  }
}

function failed(effect: ApplySummary["effect"]): readonly MessageKey[] {
  if (effect === "none" || effect === null) return ["next.failed.none"];
  return effect === "restore_failed"
    ? ["next.failed.restore", "next.failed.rescue"]
    : ["next.failed.unknown", "next.failed.rescue"];
}
