import type { Plan } from "@holdfast/core/api/change.ts";
import type { Finding } from "@holdfast/core/base/finding.ts";
import type { PlanHead } from "../../store/plans.ts";

export function planView(row: PlanHead, server: string): Plan {
  const { trial } = row;
  return {
    id: row.id,
    changeId: row.change_id,
    server,
    kind: row.kind,
    status: row.status,
    takesOver: row.status === "nothing_to_do" && !sameRevisions(row.revisions, row.before_revisions),
    planDigest: row.plan_digest,
    configDigest: row.config_digest,
    baseGeneration: row.base_generation,
    steps: row.steps.map(({ id, domain, title, budgetMs }) => ({ id, domain, title, budgetMs })),
    nativeDiff: { ...row.native_diff },
    findings: row.findings.map(findingView),
    probes: row.probes.map(({ id, direction, expected, origin }) => ({ id, direction, expected, origin })),
    touchesManagementPath: row.touches_management_path,
    trial:
      trial === null
        ? null
        : {
            reconnectSeconds: trial.reconnectSeconds,
            soakSeconds: row.touches_management_path ? trial.soakSeconds : 0,
            windowSeconds: trial.windowSeconds,
            confirm: trial.confirm,
          },
    createdAt: row.created_at.toISOString(),
  };
}

function sameRevisions(a: PlanHead["revisions"], b: PlanHead["revisions"]): boolean {
  return (
    a.length === b.length &&
    a.every((ref) => b.some((other) => other.document_id === ref.document_id && other.revision === ref.revision))
  );
}

export function findingView(finding: Finding) {
  return { ...finding };
}
