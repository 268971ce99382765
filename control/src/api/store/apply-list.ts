import type { ApplyId, ChangeId, RolloutId, ServerId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { ApplyRow, TransactionTrial } from "../../store/tables.ts";

/** An apply with what its row alone does not say. */
export interface ListedApply extends ApplyRow {
  readonly change_title: string;
  readonly server_name: string;
  readonly requested_name: string;
  readonly connected: boolean;
  readonly transaction_kind: "forward" | "rollback" | null;
  readonly trial: TransactionTrial | null;
  /** The agent has come back over a session that is younger than the change. */
  readonly is_back: boolean;
  readonly retried: boolean;
  /** The code for which this apply's revisions are quarantined, whatever is tried again; null: none is. */
  readonly quarantined_for: string | null;
  readonly superseded: boolean;
}

export interface ListedApplyFilter {
  readonly ids?: readonly ApplyId[];
  readonly state?: string;
  readonly serverId?: ServerId;
  readonly changeId?: ChangeId;
  readonly rolloutId?: RolloutId;
  /** Null: every server. */
  readonly visible: readonly ServerId[] | null;
  readonly before: ApplyId | null;
  readonly limit: number;
}

/** Newest first. */
export function listApplyDetails(database: Queryable, filter: ListedApplyFilter): Promise<readonly ListedApply[]> {
  return database.rows<ListedApply>(sql`
    select a.*, c.title as change_title, s.name as server_name, u.name as requested_name, s.session_instance is not null as connected,
           t.kind as transaction_kind, t.trial, coalesce(s.session_since > t.execute_sent_at, false) as is_back,
           exists (select from applies n where n.retry_of = a.id) as retried,
           (select min(q.code) from quarantines q where q.apply_id = a.id and not q.transient and q.released_at is null) as quarantined_for,
           exists (select from applies n where n.server_id = a.server_id and n.id > a.id and n.change_id <> a.change_id
                   and n.state not in ('CANCELLED', 'ROLLED_BACK') and n.effect is distinct from 'none') as superseded
    from applies a join changes c on c.id = a.change_id join servers s on s.id = a.server_id join users u on u.id = a.requested_by
    left join host_transactions t on t.request_id = a.request_id
    where (${filter.ids ?? null}::uuid[] is null or a.id = any(${filter.ids ?? null}))
      and (${filter.state ?? null}::text is null or a.state = ${filter.state ?? null})
      and (${filter.serverId ?? null}::uuid is null or a.server_id = ${filter.serverId ?? null})
      and (${filter.changeId ?? null}::uuid is null or a.change_id = ${filter.changeId ?? null})
      and (${filter.rolloutId ?? null}::uuid is null or a.rollout_id = ${filter.rolloutId ?? null})
      and (${filter.visible}::uuid[] is null or a.server_id = any(${filter.visible}))
      and (${filter.before}::uuid is null or a.id < ${filter.before})
    order by a.id desc
    limit ${filter.limit}`);
}
