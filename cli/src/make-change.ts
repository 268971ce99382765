import { type ChangeDetail, changeDetailSchema, type CreateChange, type Plan } from "@holdfast/core/api/change.ts";
import { CliError } from "./cli-error.ts";
import type { Client } from "./client.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit-code.ts";
import { printFindings } from "./view/findings.ts";
import { printPlan } from "./view/plan.ts";

/** Makes a draft and plans it on every server concerned. Errors of the documents stop it before any server is asked. */
export async function makeAndPlan(client: Client, change: CreateChange): Promise<ChangeDetail> {
  const made = await client.call("createChange", { body: change, answer: changeDetailSchema });
  const errors = made.findings.filter((finding) => finding.severity === "error");
  if (errors.length > 0) {
    throw new CliError(
      EXIT.refused,
      "change.invalid",
      "The documents cannot be applied.",
      "Mend what the findings name; nothing was changed.",
      errors,
    );
  }
  return client.call("planChange", { params: { id: made.id }, body: {}, answer: changeDetailSchema });
}

export function printReview(context: Context, change: ChangeDetail, plans: readonly Plan[]): string {
  const parts = plans.map((plan) => printPlan(context, plan));
  const findings = change.findings.length === 0 ? "" : printFindings(context, change.findings);
  return [findings, ...parts, approvalLines(change).join("\n")].filter((part) => part !== "").join("\n");
}

/** What it still waits for, and the very command for who gives it. */
function approvalLines(change: ChangeDetail): readonly string[] {
  const { needed, because, given } = change.approvals;
  if (needed <= given.length) return [];
  return [
    ...because,
    `${given.length} of ${needed} approvals are given. Somebody other than the author: holdfast change approve ${change.id} ${change.digest}`,
    ...(change.actions.breakGlass === null
      ? [
          "In an emergency it may go first: --break-glass 'why it cannot wait'. That is alarmed, and the approvals are asked for afterwards.",
        ]
      : []),
  ];
}

/** The flag of every command that applies forward. */
export const BREAK_GLASS = {
  kind: "parsed",
  parse: String,
  brief: "Apply before the approvals are given, where the floor allows it: why it cannot wait",
  optional: true,
} as const;

/** The plans that can be applied: something is to be done, or only other revisions to be taken over. */
export function applicable(plans: readonly Plan[]): readonly Plan[] {
  return plans.filter((plan) => (plan.status === "planned" || plan.takesOver) && plan.planDigest !== null);
}

/** What stops an apply: refusals, and servers that could not be asked. */
export function obstacles(plans: readonly Plan[]): readonly Plan[] {
  return plans.filter((plan) => plan.status === "refused" || plan.status === "unreachable");
}

export interface Danger {
  readonly server: string;
  readonly finding: Plan["findings"][number];
}

/** Findings that a person must say yes to, one by one. */
export function dangers(plans: readonly Plan[]): readonly Danger[] {
  return plans.flatMap((plan) =>
    plan.findings
      .filter((finding) => finding.severity === "danger")
      .map((finding) => ({ server: plan.server, finding })),
  );
}
