import type { Plan } from "@holdfast/core/api/change.ts";
import type { Finding } from "@holdfast/core/base/finding.ts";
import type { TrialSettings } from "@holdfast/core/compose/effective-config.ts";
import { trialOfPlan } from "../../planning/apply-change.ts";
import type { PlanRow } from "../../store/tables.ts";

export function planView(row: PlanRow, server: string): Plan {
  const trial: Partial<TrialSettings> = trialOfPlan(row);
  const { reconnectSeconds, soakSeconds, windowSeconds, confirm } = trial;
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
      reconnectSeconds === undefined ||
      soakSeconds === undefined ||
      windowSeconds === undefined ||
      confirm === undefined
        ? null
        : { reconnectSeconds, soakSeconds: row.touches_management_path ? soakSeconds : 0, windowSeconds, confirm },
    createdAt: row.created_at.toISOString(),
  };
}

function sameRevisions(a: PlanRow["revisions"], b: PlanRow["revisions"]): boolean {
  return (
    a.length === b.length &&
    a.every((ref) => b.some((other) => other.document_id === ref.document_id && other.revision === ref.revision))
  );
}

export function findingView(finding: Finding) {
  return { ...finding };
}
