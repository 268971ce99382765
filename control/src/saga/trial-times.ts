import type { TrialSettings } from "@holdfast/core/compose/effective-config.ts";
import type { PlanHead } from "../store/plans.ts";
import type { TransactionTrial } from "../store/tables.ts";

/** What a plan says about its trial. */
export function trialOf(
  trial: TrialSettings,
  plan: Pick<PlanHead, "steps" | "touches_management_path">,
): TransactionTrial {
  const touches = plan.touches_management_path;
  return {
    windowMs: trial.windowSeconds * 1_000,
    soakMs: touches ? trial.soakSeconds * 1_000 : 0,
    budgetMs: plan.steps.reduce((sum, step) => sum + step.budgetMs, 0),
    needsPerson: touches && trial.confirm === "person_when_management_path",
  };
}
