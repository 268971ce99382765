import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { auditHash, breakAt, GENESIS, type ChainBreak, type ChainEntry } from "./audit-chain.ts";
import type { Queryable } from "./database.ts";
import { json, sql, storable, storableText } from "./sql.ts";

/** Who did what to what, from where, with which result. Refusals are entries too. */
export interface AuditEntry {
  /** `user/<id>`, `agent/<server id>` or `system/<part>`. */
  readonly actor: string;
  /** Where it came from: an address and the kind of session. */
  readonly source: string;
  /** Dotted, for example `apply.applied`. */
  readonly action: string;
  /** `apply/<id>`, `change/<id>`, `server/<id>` … */
  readonly object: string;
  readonly serverId?: string;
  readonly requestId?: string;
  readonly old?: Json;
  readonly new?: Json;
  /** `ok`, or the dotted code of the refusal or failure. */
  readonly resultCode: string;
}

/** One chain, one queue: taken for the moment from here to COMMIT. The number has no meaning beside being ours. */
const CHAIN_LOCK = 4_866_001;

/** Appends entries to the chain. Must be the last thing in its transaction; `Transaction.audit` sees to it. */
export async function appendAudit(tx: Queryable, entries: readonly AuditEntry[]): Promise<void> {
  await tx.run(sql`select pg_advisory_xact_lock(${CHAIN_LOCK})`);
  // A statement of its own: only now is the last committed entry visible.
  const { at, ...head } = await tx.one<{ at: Date; id: number | null; hash: string | null }>(sql`
    select date_trunc('milliseconds', clock_timestamp()) as at, head.id, head.hash
    from (values (1)) always left join (select id, hash from audit_log order by id desc limit 1) head on true`);
  let before: Link = { id: head.id ?? 0, hash: head.hash ?? GENESIS };
  for (const entry of entries) {
    const row = {
      id: before.id + 1,
      at,
      actor: storableText(entry.actor),
      source: storableText(entry.source),
      action: entry.action,
      object: storableText(entry.object),
      server_id: entry.serverId ?? null,
      request_id: entry.requestId ?? null,
      old: storable(entry.old ?? null),
      new: storable(entry.new ?? null),
      result_code: entry.resultCode,
      prev_hash: before.hash,
    };
    const hash = auditHash(row);
    await tx.run(sql`
      insert into audit_log (id, at, actor, source, action, object, server_id, request_id, old, new, result_code, prev_hash, hash)
      values (${row.id}, ${row.at}, ${row.actor}, ${row.source}, ${row.action}, ${row.object}, ${row.server_id}, ${row.request_id},
              ${json(row.old)}, ${json(row.new)}, ${row.result_code}, ${row.prev_hash}, ${hash})`);
    before = { id: row.id, hash };
  }
}

export type ChainVerdict =
  | { readonly intact: true; readonly entries: number; readonly head: string }
  | { readonly intact: false; readonly entries: number; readonly brokenAt: number; readonly reason: ChainBreak };

/** A position of the chain and its hash. */
export interface Link {
  readonly id: number;
  readonly hash: string;
}

export interface ChainWalk {
  /** What was seen whole before; from the beginning when not said. */
  readonly from?: Link;
  /** Entries; all when not said. */
  readonly most?: number;
  /** Hears every entry that holds. */
  readonly onEntry?: (id: number, hash: string) => void;
  /** Ends the walk between two pages, by an exception. */
  readonly signal?: AbortSignal;
}

/** Read at once while walking. Some milliseconds of hashing: between two pages everybody else has their turn. */
const PAGE = 250;

/** Walks the chain and names the first entry that is not what was written. A cut-off end is not seen here (see audit-chain.ts). */
export async function verifyAuditChain(database: Queryable, walk: ChainWalk = {}): Promise<ChainVerdict> {
  let before: Link = walk.from ?? { id: 0, hash: GENESIS };
  for (let left = walk.most ?? Infinity; left > 0; left -= PAGE) {
    walk.signal?.throwIfAborted();
    const page = await auditPage(database, before.id, Math.min(PAGE, left));
    for (const entry of page) {
      const reason = breakAt(before, entry);
      if (reason !== null) return { intact: false, entries: before.id, brokenAt: before.id + 1, reason };
      before = { id: entry.id, hash: entry.hash };
      walk.onEntry?.(entry.id, entry.hash);
    }
    if (page.length < PAGE) break;
  }
  return { intact: true, entries: before.id, head: before.hash };
}

export async function hashAt(database: Queryable, id: number): Promise<string | null> {
  const row = await database.maybe<{ hash: string }>(sql`select hash from audit_log where id = ${id}`);
  return row?.hash ?? null;
}

/** The next entries after this position, oldest first. */
function auditPage(database: Queryable, after: number, limit: number): Promise<readonly ChainEntry[]> {
  return database.rows<ChainEntry>(sql`select * from audit_log where id > ${after} order by id limit ${limit}`);
}

export interface AuditFilter {
  /** Only entries before this position, newest first: the cursor. */
  readonly beforeId?: number;
  readonly object?: string;
  readonly actor?: string;
  readonly requestId?: string;
  readonly serverId?: string;
  /** Entries of these servers alone; null: all entries. */
  readonly onlyServers?: readonly string[] | null;
  /** Its beginning: `apply.` is everything about applies. */
  readonly action?: string;
  readonly resultCode?: string;
  /** Refusals and failures alone. */
  readonly refusedOnly?: boolean;
  /** Anywhere in actor, source, action, object or result, in whatever case. */
  readonly text?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly limit: number;
}

export function listAudit(database: Queryable, filter: AuditFilter): Promise<readonly ChainEntry[]> {
  return database.rows<ChainEntry>(sql`
    select * from audit_log
    where (${filter.beforeId ?? null}::bigint is null or id < ${filter.beforeId ?? null})
      and (${filter.object ?? null}::text is null or object = ${filter.object ?? null})
      and (${filter.actor ?? null}::text is null or actor = ${filter.actor ?? null})
      and (${filter.requestId ?? null}::uuid is null or request_id = ${filter.requestId ?? null})
      and (${filter.serverId ?? null}::uuid is null or server_id = ${filter.serverId ?? null})
      and (${filter.action ?? null}::text is null or starts_with(action, ${filter.action ?? null}))
      and (${filter.resultCode ?? null}::text is null or result_code = ${filter.resultCode ?? null})
      and (not ${filter.refusedOnly ?? false}::boolean or result_code <> 'ok')
      and (${filter.text ?? null}::text is null
           or position(lower(${filter.text ?? null}) in lower(concat_ws(' ', actor, source, action, object, result_code))) > 0)
      and (${filter.since ?? null}::timestamptz is null or at >= ${filter.since ?? null})
      and (${filter.until ?? null}::timestamptz is null or at < ${filter.until ?? null})
      and (${filter.onlyServers ?? null}::uuid[] is null or server_id = any(${filter.onlyServers ?? null}))
    order by id desc
    limit ${filter.limit}`);
}
