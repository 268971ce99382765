import type { EffectiveConfig } from "@holdfast/core/compose/effective-config.ts";
import type { PlanRow, TransactionTrial } from "../store/tables.ts";

/** What a plan says about its trial. The config is our own canonical text, written by our own composer. */
export function trialOf(plan: Pick<PlanRow, "config" | "steps" | "touches_management_path">): TransactionTrial {
  const { trial } = JSON.parse(plan.config ?? "null") as Pick<EffectiveConfig, "trial">;
  const touches = plan.touches_management_path;
  return {
    windowMs: trial.windowSeconds * 1_000,
    soakMs: touches ? trial.soakSeconds * 1_000 : 0,
    budgetMs: plan.steps.reduce((sum, step) => sum + step.budgetMs, 0),
    needsPerson: touches && trial.confirm === "person_when_management_path",
  };
}
