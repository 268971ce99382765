/**
 * Answers of requests that were sent with an Idempotency-Key, so that a second sending gets the first one's answer.
 *
 * In the same transaction as the work, a key exists only together with its answer, and a second request that comes meanwhile waits for
 * the first one's COMMIT. Where the work is several transactions, the key is claimed in the first and answered in the last; between them
 * a second request hears `in_progress`.
 */
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { UserId } from "@holdfast/core/base/id.ts";
import { json, sql } from "./sql.ts";
import type { IdempotencyKeyRow } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

export type KeyClaim =
  | { readonly kind: "new" }
  | { readonly kind: "answered"; readonly status: number; readonly response: Json }
  | { readonly kind: "in_progress" }
  /** The same key was used for something else. */
  | { readonly kind: "mismatch" };

export async function claimKey(
  tx: Transaction,
  user: UserId,
  key: string,
  route: string,
  bodyMac: Buffer,
): Promise<KeyClaim> {
  const inserted = await tx.run(sql`
    insert into idempotency_keys (user_id, key, route, body_mac) values (${user}, ${key}, ${route}, ${bodyMac})
    on conflict (user_id, key) do nothing`);
  if (inserted === 1) return { kind: "new" };
  const row = await tx.one<IdempotencyKeyRow>(
    sql`select * from idempotency_keys where user_id = ${user} and key = ${key} for update`,
  );
  if (row.route !== route || !row.body_mac.equals(bodyMac)) return { kind: "mismatch" };
  if (row.status === null) return { kind: "in_progress" };
  return { kind: "answered", status: row.status, response: row.response };
}

export async function answerKey(
  tx: Transaction,
  user: UserId,
  key: string,
  status: number,
  response: Json,
): Promise<void> {
  await tx.one(sql`
    update idempotency_keys set status = ${status}, response = ${json(response)} where user_id = ${user} and key = ${key} returning key`);
}

/** Forgets keys older than this; a client that repeats a request for so long has lost it. */
export function forgetKeys(tx: Transaction, olderThanSeconds: number): Promise<number> {
  return tx.run(
    sql`delete from idempotency_keys where created_at < now() - make_interval(secs => ${olderThanSeconds}::float8)`,
  );
}
