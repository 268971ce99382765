import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { Transaction } from "../../store/transaction.ts";
import type { WrongPasswords } from "../lock-out.ts";

/** The number has no meaning beside being ours. */
const TRIES_LOCK = 4_866_005;

/**
 * Until the transaction ends nobody else's try at this account is judged, so that of several at once each is counted before the next. By the
 * name, whether somebody has it or not: else the waits would tell which names there are.
 */
export async function oneTryAtATime(tx: Transaction, account: string): Promise<void> {
  await tx.run(sql`select pg_advisory_xact_lock(${TRIES_LOCK}, hashtext(${account}))`);
}

/** What the audit log says of the last hour's sign-ins to an account, guessed codes like guessed passwords: structured entries, not text that somebody could have typed. */
export async function countWrongPasswords(
  database: Queryable,
  account: string,
  source: string,
): Promise<WrongPasswords> {
  const object = `account/${account}`;
  const row = await database.one<{
    here: number;
    last_here: Date | null;
    anywhere: number;
    last_anywhere: Date | null;
  }>(sql`
    with tried as (
      select at, source, result_code from audit_log
      where object = ${object} and action = 'session.asked' and at > now() - interval '1 hour'
    )
    select count(*) filter (where source = ${source} and at > (select coalesce(max(at), '-infinity') from tried where result_code = 'ok' and source = ${source})) as here,
           max(at) filter (where source = ${source}) as last_here,
           count(*) filter (where at > (select coalesce(max(at), '-infinity') from tried where result_code = 'ok')) as anywhere,
           max(at) as last_anywhere
    from tried where result_code in ('account.wrong_password', 'account.wrong_code')`);
  return {
    here: row.here,
    lastHereMs: row.last_here?.getTime() ?? null,
    anywhere: row.anywhere,
    lastAnywhereMs: row.last_anywhere?.getTime() ?? null,
  };
}
