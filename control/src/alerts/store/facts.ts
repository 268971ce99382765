/** What the detectors are told, each by one indexed query. */
import { AWAY_MS, EXPIRING_WITHIN_MS, REFUSED_WITHIN_MS } from "@holdfast/core/alert/detect.ts";
import type { AuditBreak } from "@holdfast/core/alert/facts.ts";
import type { Phase } from "@holdfast/core/apply/state.ts";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { ASKED_FOR } from "../../store/asked-for.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { BreakGlass, RevisionRef, TransactionTrial, Wish } from "../../store/tables.ts";

export async function databaseNow(database: Queryable): Promise<Date> {
  const { at } = await database.one<{ at: Date }>(sql`select now() as at`);
  return at;
}

export interface OpenApply {
  readonly id: string;
  readonly server_id: string;
  readonly server_name: string;
  readonly state: "APPLYING" | "ROLLBACKING";
  readonly phase: Phase;
  readonly wish: Wish | null;
  readonly connected: boolean;
  readonly is_back: boolean;
  readonly trial: TransactionTrial | null;
  readonly began_at: Date;
  readonly execute_sent_at: Date | null;
  readonly in_doubt_at: Date | null;
}

export function openApplies(database: Queryable): Promise<readonly OpenApply[]> {
  return database.rows<OpenApply>(sql`
    select a.id, a.server_id, s.name as server_name, a.state, a.phase, a.wish, s.session_instance is not null as connected,
           coalesce(s.session_since > t.execute_sent_at, false) as is_back, t.trial,
           coalesce(t.created_at, a.started_at, a.requested_at) as began_at, t.execute_sent_at,
           case when a.phase = 'in_doubt' then (select max(e.at) from apply_events e where e.apply_id = a.id and e.phase = 'in_doubt') end as in_doubt_at
    from applies a join servers s on s.id = a.server_id left join host_transactions t on t.request_id = a.request_id
    where a.state in ('APPLYING', 'ROLLBACKING') order by a.id`);
}

export interface Refusals {
  readonly server_id: string | null;
  readonly server_name: string | null;
  readonly count: number;
  readonly last_actor: string;
}

/** The codes stand in the text so that the partial index is taken. */
export function refusals(database: Queryable): Promise<readonly Refusals[]> {
  return database.rows<Refusals>(sql`
    select l.server_id, s.name as server_name, count(*) as count,
           (array_agg(coalesce(u.name, l.actor) order by l.id desc))[1] as last_actor
    from audit_log l left join servers s on s.id = l.server_id left join users u on l.actor = 'user/' || u.id
    where l.result_code in ('apply.server_busy', 'change.under_way') and l.at > now() - make_interval(secs => ${REFUSED_WITHIN_MS}::float8 / 1000)
    group by l.server_id, s.name order by l.server_id`);
}

export interface Hour {
  readonly hours_ago: number;
  readonly ended: number;
  readonly failed: number;
}

/** By hours ago, `from` and older up to `to`. A failure is what ended otherwise than asked and was not what a person asked for instead. */
export function hours(database: Queryable, from: number, to: number): Promise<readonly Hour[]> {
  return database.rows<Hour>(sql`
    select floor(extract(epoch from now() - finished_at) / 3600)::int as hours_ago, count(*) as ended,
           count(*) filter (where state in ('FAILED', 'ROLLED_BACK')
             and coalesce(code, '') <> all(${ASKED_FOR}::text[])
             and coalesce(code, '') not like 'operator.%') as failed
    from applies
    where finished_at > now() - make_interval(hours => ${to}::int) and finished_at <= now() - make_interval(hours => ${from}::int)
      and state in ('APPLIED', 'FAILED', 'ROLLED_BACK')
    group by 1 order by 1`);
}

export interface LeftBehind {
  readonly id: string;
  readonly server_id: string;
  readonly server_name: string;
  readonly effect: "restore_failed" | "unknown";
  readonly code: string | null;
}

/**
 * Of each locked server the newest apply that says how the server is, where it left something behind. One that was withdrawn, or refused before
 * anything was changed, says nothing of it.
 */
export function leftBehind(database: Queryable): Promise<readonly LeftBehind[]> {
  return database.rows<LeftBehind>(sql`
    select last.id, s.id as server_id, s.name as server_name, last.effect, last.code
    from servers s join lateral (
      select a.id, a.effect, a.code from applies a where a.server_id = s.id and a.state in ('APPLIED', 'FAILED', 'ROLLED_BACK')
        and a.effect is distinct from 'none' order by a.finished_at desc limit 1
    ) last on true
    where s.locked_code is not null and s.released_at is null and last.effect in ('restore_failed', 'unknown')
    order by s.id`);
}

export interface ServerOf {
  readonly id: string;
  readonly name: string;
}

export function drifted(database: Queryable): Promise<readonly (ServerOf & { readonly drift: readonly string[] })[]> {
  return database.rows(
    sql`select id, name, drift from servers where enrolment = 'enrolled' and drift <> '[]' order by id`,
  );
}

export function floors(
  database: Queryable,
): Promise<readonly (ServerOf & { readonly floor: Json; readonly floor_at: Date })[]> {
  return database.rows(sql`
    select id, name, floor, coalesce(floor_at, now()) as floor_at from servers
    where enrolment = 'enrolled' and floor <> '{}' order by id`);
}

/** Nobody was seen while no instance was there to see: after an outage of the house every agent has its five minutes to come back. */
export function away(database: Queryable): Promise<readonly (ServerOf & { readonly since: Date })[]> {
  return database.rows(sql`
    select id, name, coalesce(last_seen_at, created_at) as since from servers
    where enrolment = 'enrolled' and session_instance is null
      and greatest(coalesce(last_seen_at, created_at), (select min(started_at) from instances))
          < now() - make_interval(secs => ${AWAY_MS}::float8 / 1000)
    order by id`);
}

export function expiring(database: Queryable): Promise<readonly (ServerOf & { readonly not_after: Date })[]> {
  return database.rows(sql`
    select s.id, s.name, k.not_after from agent_keys k join servers s on s.id = k.server_id
    where k.state = 'active' and s.enrolment = 'enrolled' and k.not_after < now() + make_interval(secs => ${EXPIRING_WITHIN_MS}::float8 / 1000)
    order by s.id`);
}

export interface Unapproved {
  readonly change_id: string;
  readonly title: string;
  readonly by: string;
  readonly break_glass: BreakGlass;
  readonly given: number;
}

/** Of each change the newest rollout that went before its approvals, as long as they are missing and something of it is on a server. */
export function unapproved(database: Queryable): Promise<readonly Unapproved[]> {
  return database.rows<Unapproved>(sql`
    select * from (
      select distinct on (r.change_id) r.change_id, c.title, u.name as by, r.break_glass,
             (select count(*)::int from approvals p where p.change_id = c.id and p.digest = c.digest) as given
      from rollouts r join changes c on c.id = r.change_id join users u on u.id = r.requested_by
      where r.break_glass is not null
        and exists (select from applies a where a.change_id = r.change_id and a.state in ('READY', 'APPLYING', 'APPLIED', 'ROLLBACKING'))
      order by r.change_id, r.created_at desc
    ) broken
    where given < (break_glass ->> 'needed')::int order by change_id`);
}

export interface CounterBack {
  readonly id: string;
  readonly name: string;
  readonly account: string;
  readonly counter_back_at: Date;
}

/** Nobody signs in with a passkey of a closed account. */
export function countersBack(database: Queryable): Promise<readonly CounterBack[]> {
  return database.rows<CounterBack>(sql`
    select p.id, p.name, u.name as account, p.counter_back_at from passkeys p join users u on u.id = p.user_id
    where p.counter_back_at is not null and u.disabled_at is null order by p.id`);
}

export interface InstanceDisk {
  readonly id: string;
  readonly address: string;
  readonly host: string | null;
  readonly disk_free_bytes: number | null;
  readonly disk_total_bytes: number | null;
}

export function instanceDisks(database: Queryable): Promise<readonly InstanceDisk[]> {
  return database.rows(
    sql`select id, address, host, disk_free_bytes, disk_total_bytes from instances order by started_at, id`,
  );
}

export interface AuditSaid {
  readonly audit_whole: boolean | null;
  readonly audit_broken_at: number | null;
  readonly audit_reason: AuditBreak | null;
}

/** What each instance last found of the audit log, what is broken first. */
export function auditSaid(database: Queryable): Promise<readonly AuditSaid[]> {
  return database.rows(
    sql`select audit_whole, audit_broken_at, audit_reason from instances order by audit_broken_at nulls last, id`,
  );
}

export interface Accusing extends ServerOf {
  readonly standing: "ahead" | "forked";
  readonly entries: number;
}

/** What an epoch that is over left behind was accepted; its servers are handed the one of today. */
export function accusing(database: Queryable): Promise<readonly Accusing[]> {
  return database.rows<Accusing>(sql`
    select s.id, s.name, h.standing, h.entries from audit_standings h join servers s on s.id = h.server_id
    where h.standing in ('ahead', 'forked') and s.enrolment = 'enrolled'
      and h.epoch >= coalesce((select max(epoch) from audit_epochs), 1)
    order by s.name`);
}

export interface NewestEpoch {
  readonly epoch: number;
  readonly entries: number;
  readonly by: string;
  readonly reason: string;
  readonly at: Date;
}

export function newestEpoch(database: Queryable): Promise<NewestEpoch | undefined> {
  return database.maybe<NewestEpoch>(sql`
    select e.epoch, e.entries, coalesce(u.name, e.begun_by) as by, e.reason, e.at
    from audit_epochs e left join users u on e.begun_by = 'user/' || u.id order by e.epoch desc limit 1`);
}

export interface DatabaseHealth {
  readonly checksum_failures: number;
  readonly connections: number;
  readonly connections_most: number;
  readonly oldest_age: number;
  readonly away_seconds: number;
}

/** What PostgreSQL tells every role of itself, and what instances said when they were back; that is told for a quarter of an hour. */
export function databaseHealth(database: Queryable): Promise<DatabaseHealth> {
  return database.one<DatabaseHealth>(sql`
    select coalesce(d.checksum_failures, 0) as checksum_failures, (select sum(numbackends)::int from pg_stat_database) as connections,
           current_setting('max_connections')::int as connections_most,
           (select age(datfrozenxid) from pg_database where datname = current_database()) as oldest_age,
           coalesce((select max(away_seconds) from instances where back_at > now() - interval '15 minutes'), 0)::float8 as away_seconds
    from pg_stat_database d where d.datname = current_database()`);
}

/** Tunnels in force, in every revision that some server has. */
export function tunnelsInForce(database: Queryable): Promise<readonly RevisionRef[]> {
  return database.rows<RevisionRef>(sql`
    select distinct a.document_id, a.revision from assignments a join documents d on d.id = a.document_id where d.kind = 'Tunnel'`);
}

export function revisionText(
  database: Queryable,
  ref: RevisionRef,
): Promise<{ readonly text: string | null } | undefined> {
  return database.maybe<{ readonly text: string | null }>(
    sql`select text from revisions where document_id = ${ref.document_id} and revision = ${ref.revision}`,
  );
}

export interface MadeKey {
  readonly name: string;
  readonly version: number;
  readonly made_at: Date;
}

export function keysMade(database: Queryable, names: readonly string[]): Promise<readonly MadeKey[]> {
  return database.rows<MadeKey>(sql`
    select s.name, v.version, v.made_at from secrets s join secret_versions v on v.secret_id = s.id where s.name = any(${names}::text[])`);
}
