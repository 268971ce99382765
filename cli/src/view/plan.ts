import type { Plan } from "@holdfast/core/api/change.ts";
import type { Context } from "../context.ts";
import { paintDiff } from "./diff.ts";
import { printFindings } from "./findings.ts";
import { painter } from "./style.ts";

/** What one change would do to one server: diff, steps, findings, and what the trial will be. */
export function printPlan(context: Context, plan: Plan): string {
  const paint = painter(context);
  const lines: string[] = [paint("bold", `${plan.server}: ${headline(plan)}`)];
  for (const [domain, diff] of Object.entries(plan.nativeDiff)) {
    if (diff !== "") lines.push(paint("gray", `  ${domain}`), indent(paintDiff(context, diff.trimEnd())));
  }
  for (const [index, step] of plan.steps.entries())
    lines.push(`  ${index + 1}. ${step.title} ${paint("gray", `(${step.domain})`)}`);
  if (plan.findings.length > 0) lines.push(printFindings(context, plan.findings).trimEnd());
  if (plan.status === "planned" && plan.trial !== null) {
    const { reconnectSeconds, soakSeconds, windowSeconds, confirm } = plan.trial;
    const who = confirm === "person_when_management_path" && plan.touchesManagementPath ? "a person" : "probes";
    lines.push(
      paint(
        "gray",
        `  On trial at least ${soakSeconds} s, confirmed by ${who}; undone by the server itself after ${reconnectSeconds} s without a new session, ` +
          `and after ${windowSeconds} s in any case. ${plan.probes.length} probe${plan.probes.length === 1 ? "" : "s"}.`,
      ),
    );
  }
  return `${lines.join("\n")}\n`;
}

function headline(plan: Plan): string {
  switch (plan.status) {
    case "planned":
      return `${plan.steps.length} step${plan.steps.length === 1 ? "" : "s"}${plan.touchesManagementPath ? ", touches the management path" : ""}`;
    case "nothing_to_do":
      return plan.takesOver ? "nothing to do but to take the new revisions over" : "nothing to do";
    case "refused":
      return "refused";
    case "unreachable":
      return "not reachable, so not planned";
  }
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}
