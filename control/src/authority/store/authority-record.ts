import type { Actor } from "../../store/actor.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { Transaction } from "../../store/transaction.ts";

/** The keys that this house's agents trust, written by the first instance. */
export interface AuthorityRecord {
  readonly ca_fingerprint: string;
  readonly command_key_id: string;
}

/** Writes the record if there is none, and returns the one that is in force. */
export async function recordAuthority(database: Queryable, own: AuthorityRecord): Promise<AuthorityRecord> {
  await database.run(sql`
    insert into authority (ca_fingerprint, command_key_id) values (${own.ca_fingerprint}, ${own.command_key_id}) on conflict do nothing`);
  return database.one<AuthorityRecord>(sql`select ca_fingerprint, command_key_id from authority`);
}

const OBJECT = "authority/command-key";

/** The number has no meaning beside being ours. */
const COMMAND_KEY_LOCK = 4_866_007;

/** What the log says that it was changed to last; undefined when it never was. One starter after another, so that a change is told once. */
export async function newestCommandKey(tx: Transaction): Promise<string | undefined> {
  await tx.run(sql`select pg_advisory_xact_lock(${COMMAND_KEY_LOCK})`);
  const row = await tx.maybe<{ key_id: string }>(sql`
    select new ->> 'key_id' as key_id from audit_log where object = ${OBJECT} order by id desc limit 1`);
  return row?.key_id;
}

export function noteCommandKey(tx: Transaction, before: string, after: string, by: Actor): void {
  tx.audit({
    ...by,
    action: "authority.command_key_changed",
    object: OBJECT,
    old: { key_id: before },
    new: { key_id: after },
    resultCode: "ok",
  });
}
