import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { ApplyId, Digest, Fence, PlanId, RequestId, ServerId } from "@holdfast/core/base/id.ts";
import type { ProbeResult } from "@holdfast/core/plan/probe.ts";
import type { Queryable } from "./database.ts";
import { json, sql } from "./sql.ts";
import { StoreFailure } from "./store-failure.ts";
import type { ApplyRow, BeforeRollback, HostTransactionRow, Outcome, TransactionTrial } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

export interface NewHostTransaction {
  readonly requestId: RequestId;
  readonly applyId: ApplyId;
  readonly serverId: ServerId;
  readonly kind: "forward" | "rollback";
  readonly planId: PlanId;
  readonly fence: Fence;
  readonly nonce: string;
  readonly configDigest: Digest;
  readonly planDigest: Digest;
  readonly trial: TransactionTrial;
  readonly before: BeforeRollback | null;
  readonly trace?: TransactionTrace | null;
}

/** Where it stands in a trace, as W3C has it. */
export interface TransactionTrace {
  /** Its own span. */
  readonly traceparent: string;
  /** The span of the request that it began with: its parent, or, in another trace, what it follows from. */
  readonly tracedFrom: string;
}

/** One request id is one transaction for ever: a second insert of the same id is `store.duplicate`. */
export function insertHostTransaction(tx: Transaction, row: NewHostTransaction): Promise<HostTransactionRow> {
  return tx.one<HostTransactionRow>(sql`
    insert into host_transactions (request_id, apply_id, server_id, kind, plan_id, fence, nonce, config_digest, plan_digest, trial, before,
                                   traceparent, traced_from)
    values (${row.requestId}, ${row.applyId}, ${row.serverId}, ${row.kind}, ${row.planId}, ${row.fence}, ${row.nonce}, ${row.configDigest},
            ${row.planDigest}, ${json({ ...row.trial })}, ${row.before === null ? null : json({ ...row.before })},
            ${row.trace?.traceparent ?? null}, ${row.trace?.tracedFrom ?? null})
    returning *`);
}

export function getHostTransaction(database: Queryable, id: RequestId): Promise<HostTransactionRow | undefined> {
  return database.maybe<HostTransactionRow>(sql`select * from host_transactions where request_id = ${id}`);
}

export function listHostTransactions(database: Queryable, apply: ApplyId): Promise<readonly HostTransactionRow[]> {
  return database.rows<HostTransactionRow>(
    sql`select * from host_transactions where apply_id = ${apply} order by created_at, request_id`,
  );
}

export const SENT_KINDS = ["prepare", "execute", "confirm", "abort"] as const;
export type SentKind = (typeof SENT_KINDS)[number];

type Claim = Pick<ApplyRow, "id" | "fence">;

/**
 * Commits the intent to send a message, before it leaves. Only the holder of the newest claim may, only while there is no outcome, and
 * once an abort is decided nothing that moves forward leaves any more. `store.lost_race` otherwise. Doing it again keeps the first time.
 */
export async function markSent(
  tx: Transaction,
  request: RequestId,
  kind: SentKind,
  claim: Claim,
): Promise<HostTransactionRow> {
  const row = await tx.maybe<HostTransactionRow>(sql`
    with held as (
      select id from applies where id = ${claim.id} and fence = ${claim.fence} and state in ('APPLYING', 'ROLLBACKING') for update
    )
    update host_transactions t
    set fence = ${claim.fence},
        prepare_sent_at = case when ${kind} = 'prepare' then coalesce(prepare_sent_at, now()) else prepare_sent_at end,
        execute_sent_at = case when ${kind} = 'execute' then coalesce(execute_sent_at, now()) else execute_sent_at end,
        confirm_sent_at = case when ${kind} = 'confirm' then coalesce(confirm_sent_at, now()) else confirm_sent_at end,
        abort_sent_at = case when ${kind} = 'abort' then coalesce(abort_sent_at, now()) else abort_sent_at end
    from held
    where t.request_id = ${request} and t.apply_id = held.id and t.outcome is null
      and case ${kind}
            when 'prepare' then t.abort_sent_at is null
            when 'execute' then t.abort_sent_at is null and t.prepare_sent_at is not null
            when 'confirm' then t.abort_sent_at is null and t.execute_sent_at is not null and t.fresh_session_id is not null
            when 'abort' then true
          end
    returning t.*`);
  return orLostRace(row, request, `${kind} may not leave`);
}

/** Learnt over a session that was accepted after on_trial was written: the first such moment starts the soak. */
export async function recordFresh(
  tx: Transaction,
  request: RequestId,
  session: string,
  claim: Claim,
): Promise<HostTransactionRow> {
  const row = await tx.maybe<HostTransactionRow>(sql`
    with held as (select id from applies where id = ${claim.id} and fence = ${claim.fence} for update)
    update host_transactions t set fresh_session_id = ${session}, fresh_since = coalesce(t.fresh_since, now())
    from held where t.request_id = ${request} and t.apply_id = held.id and t.outcome is null
    returning t.*`);
  return orLostRace(row, request, "a fresh session may not be recorded");
}

/** Only a person may confirm it, whatever its plan said. */
export async function requirePerson(tx: Transaction, request: RequestId): Promise<HostTransactionRow> {
  return tx.one<HostTransactionRow>(sql`
    update host_transactions set trial = trial || '{"needsPerson": true}'::jsonb where request_id = ${request} returning *`);
}

/** For how many milliseconds the server has been back over a new session; null while it is not. */
export async function millisecondsBack(tx: Transaction, request: RequestId): Promise<number | null> {
  const { ms } = await tx.one<{ readonly ms: number | null }>(sql`
    select (extract(epoch from clock_timestamp() - fresh_since) * 1000)::float8 as ms
    from host_transactions where request_id = ${request}`);
  return ms;
}

/** What the probes said before anything changed. Written once: a later round is no baseline. */
export async function recordBaseline(
  tx: Transaction,
  request: RequestId,
  baseline: Readonly<Record<string, ProbeResult>>,
  claim: Claim,
): Promise<HostTransactionRow> {
  const row = await tx.maybe<HostTransactionRow>(sql`
    with held as (select id from applies where id = ${claim.id} and fence = ${claim.fence} for update)
    update host_transactions t set baseline = ${json(baseline)}
    from held where t.request_id = ${request} and t.apply_id = held.id and t.baseline is null and t.execute_sent_at is null
    returning t.*`);
  return orLostRace(row, request, "a baseline may not be taken");
}

/** The rounds of probes so far. */
export async function recordProbes(
  tx: Transaction,
  request: RequestId,
  rounds: Json,
  claim: Claim,
): Promise<HostTransactionRow> {
  const row = await tx.maybe<HostTransactionRow>(sql`
    with held as (select id from applies where id = ${claim.id} and fence = ${claim.fence} for update)
    update host_transactions t set probe_results = ${json(rounds)}
    from held where t.request_id = ${request} and t.apply_id = held.id
    returning t.*`);
  return orLostRace(row, request, "probes may not be recorded");
}

export interface RecordedOutcome {
  readonly outcome: Outcome;
  readonly code: string | null;
  /** The signed receipt as evidence; checked before it comes here. */
  readonly receipt: Json;
}

/**
 * What the server says it did, from whichever instance hears it first: the agent's word needs no claim. The same word again changes
 * nothing; another word is `store.verdict_changed`.
 */
export async function recordOutcome(
  tx: Transaction,
  request: RequestId,
  said: RecordedOutcome,
): Promise<HostTransactionRow> {
  const row = await tx.maybe<HostTransactionRow>(sql`
    update host_transactions
    set outcome = ${said.outcome},
        outcome_code = case when outcome is distinct from ${said.outcome} then ${said.code} else outcome_code end,
        receipt = case when outcome is distinct from ${said.outcome} then ${json(said.receipt)}::jsonb else receipt end,
        finished_at = case when outcome is distinct from ${said.outcome} then now() else finished_at end
    where request_id = ${request}
    returning *`);
  if (row === undefined)
    throw new StoreFailure("store.not_found", `no host transaction ${request}`, { request_id: request });
  return row;
}

function orLostRace(row: HostTransactionRow | undefined, request: RequestId, what: string): HostTransactionRow {
  if (row !== undefined) return row;
  throw new StoreFailure(
    "store.lost_race",
    `${what}: the claim on host transaction ${request} is not the newest, or it has moved on`,
    { request_id: request },
  );
}
