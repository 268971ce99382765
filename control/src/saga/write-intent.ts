import type { ProbeResult } from "@holdfast/core/plan/probe.ts";
import type { Actor } from "../store/actor.ts";
import { move, setPhase } from "../store/apply-move.ts";
import { markSent, recordBaseline, recordFresh, recordProbes, type SentKind } from "../store/host-transactions.ts";
import type { ApplyRow, HostTransactionRow } from "../store/tables.ts";
import type { Transaction } from "../store/transaction.ts";
import type { Intent, SentStamp } from "./intent.ts";
import type { ProbeRound } from "./trial.ts";

export interface Learnt {
  readonly baseline: Readonly<Record<string, ProbeResult>> | null;
  /** The session over which on_trial was learnt fresh. */
  readonly freshSessionId: string | null;
  readonly rounds: readonly ProbeRound[];
  readonly nowMs: number;
  readonly by: Actor;
}

const KIND_OF = {
  prepare_sent_at: "prepare",
  execute_sent_at: "execute",
  confirm_sent_at: "confirm",
  abort_sent_at: "abort",
} as const satisfies Record<SentStamp, SentKind>;

/** Commits an intent together with what was learnt on the way to it: whoever takes over stands where this one stood. */
export async function writeIntent(
  tx: Transaction,
  apply: ApplyRow,
  sent: HostTransactionRow,
  intent: Intent,
  learnt: Learnt,
): Promise<{ readonly apply: ApplyRow; readonly sent: HostTransactionRow }> {
  const said = {
    code: intent.code,
    message: intent.message,
    ...(intent.deadlineInMs === null ? {} : { deadlineAt: new Date(learnt.nowMs + intent.deadlineInMs) }),
  };
  const moved =
    intent.state === apply.state
      ? await setPhase(tx, apply, { phase: intent.phase, ...said }, learnt.by)
      : await move(tx, apply, { to: intent.state, phase: intent.phase, ...said }, learnt.by);
  let row = sent;
  if (learnt.baseline !== null && row.baseline === null && row.execute_sent_at === null) {
    row = await recordBaseline(tx, row.request_id, learnt.baseline, moved);
  }
  if (learnt.freshSessionId !== null && learnt.freshSessionId !== row.fresh_session_id) {
    row = await recordFresh(tx, row.request_id, learnt.freshSessionId, moved);
  }
  if (learnt.rounds.length > 0) {
    row = await recordProbes(
      tx,
      row.request_id,
      learnt.rounds.map(({ atMs, results }) => ({ at_ms: Math.round(atMs), results })),
      moved,
    );
  }
  if (intent.stamp !== null) row = await markSent(tx, row.request_id, KIND_OF[intent.stamp], moved);
  return { apply: moved, sent: row };
}
