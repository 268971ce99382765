import type { Finding } from "@holdfast/core/base/finding.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

/** Everything that the rows say about one host transaction, read with the signer's own eyes. */
export interface TransactionFacts {
  readonly server_id: string;
  readonly server_fence: number;
  readonly enrolment: string;
  readonly apply_id: string;
  readonly apply_server_id: string;
  readonly apply_state: string;
  readonly apply_fence: number | null;
  readonly is_leased: boolean;
  readonly is_current: boolean;
  readonly requested_by: string;
  readonly wish: string | null;
  readonly wish_by: string | null;
  readonly change_id: string;
  readonly change_state: string;
  readonly approvals: number;
  /** By its own rollout, which was counted over the newest plans when it was begun; where none has it, the most that any of the change needed. */
  readonly approvals_needed: number;
  /** A person has begun this very rollout before its approvals, and the audit log says so. */
  readonly glass_is_broken: boolean;
  readonly kind: "forward" | "rollback";
  readonly nonce: string;
  readonly config_digest: string;
  readonly plan_digest: string;
  readonly prepare_sent: boolean;
  readonly execute_sent: boolean;
  readonly confirm_sent: boolean;
  readonly abort_sent: boolean;
  readonly is_fresh: boolean;
  readonly needs_person: boolean;
  readonly has_outcome: boolean;
  readonly plan_change_id: string;
  readonly plan_server_id: string;
  readonly plan_kind: string;
  readonly plan_status: string;
  readonly plan_config: string | null;
  readonly plan_config_digest: string | null;
  readonly plan_plan_digest: string | null;
  readonly plan_base_generation: number | null;
  readonly plan_findings: readonly Finding[];
  /** A rollout that has this plan for this server; null when there is none. */
  readonly rollout_id: string | null;
  readonly rollout_change_id: string | null;
  readonly rollout_is_written_down: boolean;
  readonly wave: number | null;
  readonly current_wave: number | null;
  /** Servers of earlier waves on which the change has not ended. */
  readonly earlier_open: number;
}

/** Undefined when no such transaction is known. */
export function factsOf(database: Queryable, requestId: string): Promise<TransactionFacts | undefined> {
  return database.maybe<TransactionFacts>(sql`
    select h.server_id, s.fence as server_fence, s.enrolment, a.id as apply_id, a.server_id as apply_server_id, a.state as apply_state,
           a.fence as apply_fence, a.lease_owner is not null as is_leased, a.request_id = h.request_id as is_current, a.requested_by,
           a.wish, a.wish_by, a.change_id, c.state as change_state,
           coalesce(r.approvals_needed, (select max(o.approvals_needed) from rollouts o where o.change_id = c.id and o.kind = 'forward'), 0)
             as approvals_needed,
           r.break_glass is not null and exists (
             select from audit_log l where l.object = 'rollout/' || r.id::text and l.action = 'rollout.glass_broken') as glass_is_broken,
           (select count(*) from approvals o join users u on u.id = o.user_id
            where o.change_id = c.id and o.digest = c.digest and o.user_id <> c.author_id
              -- What has begun with the word of somebody goes on when they leave: a trial must not fall because of that.
              and (u.disabled_at is null or u.disabled_at > r.created_at)) as approvals,
           h.kind, h.nonce, h.config_digest, h.plan_digest, h.prepare_sent_at is not null as prepare_sent,
           h.execute_sent_at is not null as execute_sent, h.confirm_sent_at is not null as confirm_sent,
           h.abort_sent_at is not null as abort_sent, h.fresh_since is not null as is_fresh,
           coalesce((h.trial->>'needsPerson')::boolean, false) as needs_person, h.outcome is not null as has_outcome,
           p.change_id as plan_change_id, p.server_id as plan_server_id, p.kind as plan_kind, p.status as plan_status,
           p.config as plan_config, p.config_digest as plan_config_digest, p.plan_digest as plan_plan_digest,
           p.base_generation as plan_base_generation, p.findings as plan_findings,
           r.id as rollout_id, r.change_id as rollout_change_id, r.wave, r.current_wave,
           exists (select from audit_log l where l.object = 'rollout/' || r.id::text and l.action = 'rollout.started' and l.result_code = 'ok')
             as rollout_is_written_down,
           (select count(*) from rollout_targets e join applies b on b.rollout_id = e.rollout_id and b.server_id = e.server_id
            where e.rollout_id = r.id and e.wave < r.wave and b.state in ('READY', 'APPLYING', 'ROLLBACKING')) as earlier_open
    from host_transactions h
    join applies a on a.id = h.apply_id
    join servers s on s.id = h.server_id
    join changes c on c.id = a.change_id
    join plans p on p.id = h.plan_id
    left join lateral (
      select o.id, o.change_id, o.current_wave, o.approvals_needed, o.break_glass, o.created_at, t.wave
      from rollout_targets t join rollouts o on o.id = t.rollout_id
      where t.server_id = h.server_id and t.plan_id = h.plan_id and o.kind = h.kind
        and case h.kind when 'forward' then o.id = a.rollout_id else t.apply_id = a.id end
      order by o.created_at desc limit 1
    ) r on true
    where h.request_id = ${requestId}`);
}

export interface ServerFacts {
  readonly fence: number;
  readonly enrolment: string;
  readonly is_locked: boolean;
  readonly has_open: boolean;
}

export function serverFacts(database: Queryable, serverId: string): Promise<ServerFacts | undefined> {
  return database.maybe<ServerFacts>(sql`
    select s.fence, s.enrolment, s.locked_code is not null as is_locked,
           exists (select from applies a where a.server_id = s.id and a.state in ('APPLYING', 'ROLLBACKING')) as has_open
    from servers s where s.id = ${serverId}`);
}

export interface TunnelActFacts {
  readonly server_id: string;
  readonly tunnel: string;
  readonly act: string;
  readonly of: string;
  readonly acknowledged: readonly string[];
  readonly fence: number;
  readonly requested_by: string;
  readonly ended: boolean;
  readonly is_written_down: boolean;
}

export function tunnelActFacts(database: Queryable, id: string): Promise<TunnelActFacts | undefined> {
  return database.maybe<TunnelActFacts>(sql`
    select t.server_id, t.tunnel, t.act, t.of, t.acknowledged, t.fence, t.requested_by, t.ended_at is not null as ended,
           exists (select from audit_log l where l.object = 'tunnel-act/' || t.id::text and l.action = 'tunnel.act_begun' and l.result_code = 'ok')
             as is_written_down
    from tunnel_acts t where t.id = ${id}`);
}
