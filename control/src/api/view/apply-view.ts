import type { ApplySummary } from "@holdfast/core/api/apply.ts";
import { type ApplyActions, applyActions } from "@holdfast/core/apply/actions.ts";
import { waitingFor } from "@holdfast/core/apply/waiting-for.ts";
import { whyServerRefuses } from "../../planning/bind-plans.ts";
import type { ServerRow } from "../../store/tables.ts";
import type { ListedApply } from "../store/apply-list.ts";

export function applySummary(row: ListedApply): ApplySummary {
  return {
    id: row.id,
    changeId: row.change_id,
    changeTitle: row.change_title,
    rolloutId: row.rollout_id,
    server: row.server_name,
    wave: row.wave,
    state: row.state,
    phase: row.phase,
    effect: row.effect,
    serverIs: row.server_is,
    code: row.code,
    message: row.message,
    requestedBy: row.requested_name,
    requestedAt: row.requested_at.toISOString(),
    startedAt: iso(row.started_at),
    finishedAt: iso(row.finished_at),
    deadlineAt: iso(row.deadline_at),
    lastStep: row.last_step,
    waitingFor: waitingFor({
      state: row.state,
      phase: row.phase,
      wish: row.wish,
      needsPerson: row.trial?.needsPerson ?? false,
      connected: row.connected,
      isBack: row.is_back,
    }),
    retryOf: row.retry_of,
    retryCount: row.retry_count,
    requestId: row.request_id,
  };
}

export function actionsOfApply(row: ListedApply, server: ServerRow, nowMs: number): ApplyActions {
  return applyActions({
    state: row.state,
    phase: row.phase,
    effect: row.effect,
    wish: row.wish,
    needsPerson: row.trial?.needsPerson ?? false,
    isRollback: row.transaction_kind === "rollback",
    superseded: row.superseded,
    retried: row.retried,
    quarantinedFor: row.quarantined_for,
    serverRefuses: whyServerRefuses(server, nowMs)?.detail ?? null,
  });
}

export function iso(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}
