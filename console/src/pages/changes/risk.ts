import type { Plan } from "@holdfast/core/api/change.ts";
import { type FindingLike, findingKey } from "../../parts/findings.tsx";

/** Each danger finding of each server is ticked by itself: what is dangerous on one may be meant on another. */
export function acknowledgementKey(server: string, finding: FindingLike): string {
  return `${server} ${findingKey(finding)}`;
}

export interface Danger {
  readonly server: string;
  readonly finding: FindingLike;
}

export function dangersOf(plans: readonly Plan[]): readonly Danger[] {
  return plans
    .filter((plan) => plan.status === "planned")
    .flatMap((plan) => plan.findings.filter((finding) => finding.severity === "danger").map((finding) => ({ server: plan.server, finding })));
}

/** From so many servers at once a slip of the hand is expensive, whatever the findings say. */
const MANY_SERVERS = 5;

/** What must be typed before such a change is applied, or null when the risk is ordinary. */
export function wordToType(plans: readonly Plan[]): string | null {
  const changing = plans.filter((plan) => plan.status === "planned");
  const risky = changing.some((plan) => plan.touchesManagementPath) || dangersOf(plans).length > 0 || changing.length >= MANY_SERVERS;
  const [first] = changing;
  if (!risky || first === undefined) return null;
  return changing.length === 1 ? first.server : String(changing.length);
}
