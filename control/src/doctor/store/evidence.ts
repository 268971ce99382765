import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

/** Which of these indexes are there, unique and valid. */
export async function uniqueIndexes(database: Queryable, names: readonly string[]): Promise<readonly string[]> {
  const rows = await database.rows<{ name: string }>(sql`
    select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'holdfast' and i.indisunique and i.indisvalid and c.relname = any(${names}) order by c.relname`);
  return rows.map(({ name }) => name);
}

/** Which of these triggers are there and enabled, as `table.trigger`. */
export async function enabledTriggers(database: Queryable, names: readonly string[]): Promise<readonly string[]> {
  const rows = await database.rows<{ name: string }>(sql`
    select c.relname || '.' || t.tgname as name from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'holdfast' and t.tgenabled in ('O', 'A') and c.relname || '.' || t.tgname = any(${names}) order by 1`);
  return rows.map(({ name }) => name);
}

export async function transitions(database: Queryable): Promise<readonly string[]> {
  const rows = await database.rows<{ step: string }>(
    sql`select from_state || ' to ' || to_state as step from apply_transitions order by 1`,
  );
  return rows.map(({ step }) => step);
}

export interface StateOfViews {
  readonly servers: number;
  readonly with_success: number;
  readonly with_failure: number;
  readonly in_force: number;
  readonly changes: number;
}

/** The three questions of the mission, asked of the documented views. */
export function askViews(database: Queryable): Promise<StateOfViews> {
  return database.one<StateOfViews>(sql`
    select (select count(*) from server_status) as servers,
           (select count(*) from server_status where last_success_at is not null) as with_success,
           (select count(*) from server_status where last_failure_code is not null) as with_failure,
           (select count(*) from server_policies) as in_force,
           (select count(*) from change_status) as changes`);
}

export interface Endings {
  readonly undone: number;
  readonly causes: readonly string[];
  /** Ended FAILED with something left behind, without having been on the way back. */
  readonly skipped: number;
}

export function endings(database: Queryable): Promise<Endings> {
  return database.one<Endings>(sql`
    select (select count(*) from applies where state = 'ROLLED_BACK') as undone,
           coalesce((select array_agg(distinct code order by code) from applies where state = 'ROLLED_BACK' and code is not null), '{}') as causes,
           (select count(*) from apply_events e join applies a on a.id = e.apply_id
            where e.from_state = 'APPLYING' and e.to_state = 'FAILED' and a.effect is distinct from 'none') as skipped`);
}

export interface Fences {
  readonly servers: number;
  readonly ahead: number;
  readonly open: number;
}

/** Open applies whose claim is newer than their server's own count: there is no such thing. */
export function fences(database: Queryable): Promise<Fences> {
  return database.one<Fences>(sql`
    select (select count(*) from servers) as servers,
           (select count(*) from applies a join servers s on s.id = a.server_id where a.fence > s.fence) as ahead,
           (select count(*) from applies where state in ('APPLYING', 'ROLLBACKING')) as open`);
}

export interface Receipts {
  readonly ended: number;
  readonly signed: number;
}

/** Outcomes that a server gave, and those of them that its guard has signed. */
export function receipts(database: Queryable): Promise<Receipts> {
  return database.one<Receipts>(sql`
    select count(*) as ended, count(*) filter (where receipt is not null) as signed from host_transactions where outcome is not null`);
}

export interface Idempotence {
  readonly transactions: number;
  readonly keys: number;
}

export function idempotence(database: Queryable): Promise<Idempotence> {
  return database.one<Idempotence>(
    sql`select (select count(*) from host_transactions) as transactions, (select count(*) from idempotency_keys) as keys`,
  );
}

export async function settings(
  database: Queryable,
  names: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const rows = await database.rows<{ name: string; setting: string }>(
    sql`select name, setting from pg_settings where name = any(${names}) order by name`,
  );
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}

export async function serverVersion(database: Queryable): Promise<string> {
  const row = await database.one<{ version: string }>(sql`select current_setting('server_version') as version`);
  return row.version;
}

export interface Agents {
  readonly enrolled: number;
  readonly connected: number;
  readonly away: readonly string[];
  readonly expiring: readonly string[];
}

export function agents(database: Queryable): Promise<Agents> {
  return database.one<Agents>(sql`
    select count(*) as enrolled, count(*) filter (where session_instance is not null) as connected,
           coalesce(array_agg(name order by name) filter (where session_instance is null), '{}') as away,
           coalesce((select array_agg(s.name order by s.name) from agent_keys k join servers s on s.id = k.server_id
                     where k.state = 'active' and s.enrolment = 'enrolled' and k.not_after < now() + interval '1 day'), '{}') as expiring
    from servers where enrolment = 'enrolled'`);
}

export interface Waiting {
  readonly in_doubt: readonly string[];
  readonly overdue: readonly string[];
}

export function waiting(database: Queryable): Promise<Waiting> {
  return database.one<Waiting>(sql`
    select coalesce(array_agg(s.name order by s.name) filter (where a.phase = 'in_doubt'), '{}') as in_doubt,
           coalesce(array_agg(s.name order by s.name) filter (where a.deadline_at < now() - interval '1 minute'), '{}') as overdue
    from applies a join servers s on s.id = a.server_id where a.state in ('APPLYING', 'ROLLBACKING')`);
}

export interface Accounts {
  readonly open: number;
  readonly administrators: number;
  readonly administrators_without_apply: number;
}

export function accounts(database: Queryable): Promise<Accounts> {
  return database.one<Accounts>(sql`
    select (select count(*) from users where disabled_at is null) as open,
           count(distinct u.id) as administrators,
           count(distinct u.id) filter (where not exists (select from grants p where p.user_id = u.id and p.permission = 'apply')) as administrators_without_apply
    from users u join grants g on g.user_id = u.id and g.permission = 'admin' where u.disabled_at is null`);
}
