import type { Plan } from "@holdfast/core/api/change.ts";
import { type FindingLike, findingKey } from "../../parts/finding-key.ts";

/** Each danger finding of each server is ticked by itself: what is dangerous on one may be meant on another. */
export function acknowledgementKey(server: string, finding: FindingLike): string {
  return `${server} ${findingKey(finding)}`;
}

/** What an apply would send: servers that change, and those that only take the new revisions over. */
export function isDoable(plan: Plan): boolean {
  return (plan.status === "planned" || plan.takesOver) && plan.planDigest !== null;
}

/** A change that was planned both ways, forward and back, is reviewed the way that was asked for last, never both at once. */
export function plansToReview(plans: readonly Plan[]): readonly Plan[] {
  const [newest] = plans.toSorted((a, b) => (a.createdAt > b.createdAt ? -1 : 1));
  return plans.filter(({ kind }) => kind === newest?.kind);
}

/** What is reviewed as one. Ticks and typed words are for it alone: another plan, or the way back, is read and meant anew. */
export function reviewOf(plans: readonly Plan[]): string {
  return plans
    .map(({ server, kind, status, planDigest }) => [server, kind, status, planDigest ?? ""].join(" "))
    .toSorted()
    .join("\n");
}

export interface Danger {
  readonly server: string;
  readonly finding: FindingLike;
}

export function dangersOf(plans: readonly Plan[]): readonly Danger[] {
  return plans
    .filter((plan) => plan.status === "planned")
    .flatMap((plan) =>
      plan.findings
        .filter((finding) => finding.severity === "danger")
        .map((finding) => ({ server: plan.server, finding })),
    );
}

/** From so many servers at once a slip of the hand is expensive, whatever the findings say. */
const MANY_SERVERS = 5;

/** Whether more than a press of a button is asked before such a change is applied. */
export function isHighRisk(plans: readonly Plan[]): boolean {
  const changing = plans.filter((plan) => plan.status === "planned");
  return (
    changing.some((plan) => plan.touchesManagementPath) ||
    dangersOf(plans).length > 0 ||
    changing.length >= MANY_SERVERS
  );
}
