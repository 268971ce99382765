import type { ApplyId, PlanId, RolloutId, ServerId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { ApplyRow } from "../../store/tables.ts";

/** A target of a rollout with what has become of it so far. */
export interface TargetRow {
  readonly server_id: ServerId;
  readonly server_name: string;
  readonly wave: number;
  readonly position: number;
  readonly plan_id: PlanId;
  readonly apply_id: ApplyId | null;
  readonly state: ApplyRow["state"] | null;
  readonly code: string | null;
  /** Of a rollback: its transaction has been begun. */
  readonly is_begun: boolean;
  /** Another apply is waiting or under way on this server. */
  readonly is_busy: boolean;
}

export function listTargetStatus(tx: Queryable, rollout: RolloutId): Promise<readonly TargetRow[]> {
  return tx.rows<TargetRow>(sql`
    select t.server_id, s.name as server_name, t.wave, t.position, t.plan_id, t.apply_id, a.state, a.code,
           exists (select from host_transactions h where h.apply_id = t.apply_id and h.plan_id = t.plan_id) as is_begun,
           exists (select from applies o where o.server_id = t.server_id and o.state in ('READY', 'APPLYING', 'ROLLBACKING')
                     and o.id is distinct from t.apply_id) as is_busy
    from rollout_targets t join servers s on s.id = t.server_id left join applies a on a.id = t.apply_id
    where t.rollout_id = ${rollout}
    order by t.wave, t.position`);
}

/** The number has no meaning beside being ours. */
const DISPATCH_LOCK = 4_866_003;

/** One dispatch at a time in the whole house, so that `atOnce` is counted and used by one. Held until the transaction ends. */
export async function lockDispatch(tx: Queryable): Promise<void> {
  await tx.run(sql`select pg_advisory_xact_lock(${DISPATCH_LOCK})`);
}

/** Applies of other rollouts that are waiting or under way. */
export async function countElsewhere(tx: Queryable, rollout: RolloutId): Promise<number> {
  const { elsewhere } = await tx.one<{ elsewhere: number }>(sql`
    select count(*) as elsewhere from applies a
    where a.state in ('READY', 'APPLYING', 'ROLLBACKING')
      and not exists (select from rollout_targets t where t.rollout_id = ${rollout} and t.apply_id = a.id)`);
  return elsewhere;
}

/** What ended last of this change on this server without being in force: what comes now is its retry. */
export function findRetried(tx: Queryable, server: ServerId, plan: PlanId): Promise<ApplyRow | undefined> {
  return tx.maybe<ApplyRow>(sql`
    select a.* from applies a join plans p on p.change_id = a.change_id
    where p.id = ${plan} and a.server_id = ${server} and a.state in ('FAILED', 'ROLLED_BACK', 'CANCELLED')
      and not exists (select from applies n where n.retry_of = a.id)
    order by a.id desc limit 1`);
}

/** READY applies that nobody will ever claim, because their rollout has been halted. */
export function listOrphaned(database: Queryable): Promise<readonly ApplyRow[]> {
  return database.rows<ApplyRow>(sql`
    select a.* from applies a join rollouts r on r.id = a.rollout_id where a.state = 'READY' and r.state = 'HALTED' order by a.id`);
}

export async function databaseNowMs(tx: Queryable): Promise<number> {
  const { now } = await tx.one<{ now: Date }>(sql`select now() as now`);
  return now.getTime();
}
