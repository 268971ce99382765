import type { hostTransactionSchema } from "@holdfast/core/api/apply.ts";
import type { Probe } from "@holdfast/core/plan/probe.ts";
import { readTraceparent } from "@holdfast/core/trace/traceparent.ts";
import { z } from "zod";
import { type EvidenceLinks, linksTo } from "../../evidence-links.ts";
import type { HostTransactionRow } from "../../store/tables.ts";
import { iso } from "./apply-view.ts";

type View = z.input<typeof hostTransactionSchema>;

const ROUNDS = z.array(z.object({ results: z.record(z.string(), z.string()) }));

export function transactionView(row: HostTransactionRow, probes: View["probes"], evidence: EvidenceLinks): View {
  const traceId = readTraceparent(row.traceparent)?.traceId ?? null;
  return {
    requestId: row.request_id,
    kind: row.kind,
    fence: row.fence,
    outcome: row.outcome,
    outcomeCode: row.outcome_code,
    receipt: row.receipt,
    probes,
    createdAt: row.created_at.toISOString(),
    finishedAt: iso(row.finished_at),
    traceId,
    links: linksTo(evidence, row.request_id, traceId),
  };
}

/** Each probe as it was before the change and in the last round of the trial. */
export function probeViews(row: HostTransactionRow, probes: readonly Probe[]): View["probes"] {
  const rounds = ROUNDS.safeParse(row.probe_results);
  const last = rounds.success ? rounds.data.at(-1)?.results : undefined;
  return probes.map(({ id, origin, expected }) => ({
    id,
    origin,
    expected,
    before: row.baseline?.[id] ?? null,
    after: last?.[id] ?? null,
  }));
}
