import type { PasskeyId, UserId } from "@holdfast/core/base/id.ts";
import type { Actor } from "../../store/actor.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { PasskeyRow } from "../../store/tables.ts";
import type { Transaction } from "../../store/transaction.ts";

export type ChallengePurpose = "register" | "sign_in" | "step_up";

/** Who may answer a challenge. */
export interface ChallengeHolder {
  readonly purpose: ChallengePurpose;
  readonly userId: UserId | null;
  readonly holderSha256: Buffer;
}

export async function putChallenge(
  tx: Transaction,
  challengeSha256: Buffer,
  { purpose, userId, holderSha256 }: ChallengeHolder,
  seconds: number,
): Promise<void> {
  await forgetChallenges(tx);
  await tx.run(sql`
    insert into passkey_challenges (challenge_sha256, purpose, user_id, holder_sha256, expires_at)
    values (${challengeSha256}, ${purpose}, ${userId}, ${holderSha256}, now() + make_interval(secs => ${seconds}::float8))`);
}

/** Uses a challenge up. False: it was not given to this holder for this, has been used, or has ended. */
export async function takeChallenge(
  tx: Transaction,
  challengeSha256: Buffer,
  { purpose, userId, holderSha256 }: ChallengeHolder,
): Promise<boolean> {
  const taken = await tx.run(sql`
    delete from passkey_challenges
    where challenge_sha256 = ${challengeSha256} and purpose = ${purpose} and user_id is not distinct from ${userId}
      and holder_sha256 = ${holderSha256} and expires_at > now()`);
  return taken === 1;
}

export async function forgetChallenges(tx: Transaction): Promise<void> {
  await tx.run(sql`delete from passkey_challenges where expires_at <= now()`);
}

/** Whoever adds or removes a factor does it one after another: which one is the first, or the last, is then known. */
export async function lockFactors(tx: Transaction, user: UserId): Promise<void> {
  await tx.one(sql`select id from users where id = ${user} for update`);
}

export async function insertPasskey(
  tx: Transaction,
  passkey: Omit<PasskeyRow, "created_at" | "last_used_at" | "counter_back_at">,
  by: Actor,
): Promise<PasskeyRow | null> {
  const row = await tx.maybe<PasskeyRow>(sql`
    insert into passkeys (id, user_id, credential_id, public_key, sign_count, backup_eligible, backed_up, transports, name)
    values (${passkey.id}, ${passkey.user_id}, ${passkey.credential_id}, ${passkey.public_key}, ${passkey.sign_count},
            ${passkey.backup_eligible}, ${passkey.backed_up}, ${passkey.transports}, ${passkey.name})
    on conflict (credential_id) do nothing
    returning *`);
  if (row === undefined) return null;
  tx.audit({
    ...by,
    action: "passkey.added",
    object: `passkey/${row.id}`,
    new: { user_id: row.user_id, name: row.name, backed_up: row.backed_up },
    resultCode: "ok",
  });
  return row;
}

export function listPasskeys(database: Queryable, user: UserId): Promise<readonly PasskeyRow[]> {
  return database.rows<PasskeyRow>(sql`select * from passkeys where user_id = ${user} order by id`);
}

export function findPasskey(database: Queryable, credentialId: Buffer): Promise<PasskeyRow | undefined> {
  return database.maybe<PasskeyRow>(sql`select * from passkeys where credential_id = ${credentialId}`);
}

/** How many each account has; one that has none is not among them. */
export async function countPasskeys(database: Queryable): Promise<ReadonlyMap<UserId, number>> {
  const rows = await database.rows<{ user_id: UserId; count: number }>(
    sql`select user_id, count(*) as count from passkeys group by user_id`,
  );
  return new Map(rows.map(({ user_id, count }) => [user_id, count]));
}

export async function hasPasskey(database: Queryable, user: UserId): Promise<boolean> {
  const { some } = await database.one<{ some: boolean }>(
    sql`select exists (select from passkeys where user_id = ${user}) as some`,
  );
  return some;
}

/**
 * It has proven itself. False: its counter did not move on, and it once did; somebody else has a copy, or had the answer. An authenticator
 * that does not count says 0 every time.
 */
export async function advancePasskey(
  tx: Transaction,
  id: PasskeyId,
  { signCount, backedUp }: { readonly signCount: number; readonly backedUp: boolean },
): Promise<boolean> {
  const touched = await tx.run(sql`
    update passkeys set sign_count = ${signCount}, backed_up = ${backedUp}, last_used_at = now()
    where id = ${id} and (sign_count < ${signCount} or (sign_count = 0 and ${signCount} = 0))`);
  return touched === 1;
}

/** Its counter did not go on. The alert of it is found from this row. */
export async function noteCounterBack(
  tx: Transaction,
  { id, user_id, name }: Pick<PasskeyRow, "id" | "user_id" | "name">,
  by: Pick<Actor, "actor" | "source">,
): Promise<void> {
  await tx.run(sql`update passkeys set counter_back_at = now() where id = ${id}`);
  tx.audit({
    ...by,
    action: "passkey.counter_back",
    object: `passkey/${id}`,
    new: { user_id, name },
    resultCode: "account.passkey_counter",
  });
}

/** Somebody has looked. False: there is nothing left to look at, the passkey is gone. */
export async function settleCounterBack(tx: Transaction, id: string, by: Actor): Promise<boolean> {
  const row = await tx.maybe<Pick<PasskeyRow, "user_id" | "name">>(sql`
    update passkeys set counter_back_at = null where id = ${id} and counter_back_at is not null returning user_id, name`);
  if (row === undefined) return false;
  const { user_id, name } = row;
  tx.audit({ ...by, action: "passkey.looked_at", object: `passkey/${id}`, new: { user_id, name }, resultCode: "ok" });
  return true;
}

export async function renamePasskey(
  tx: Transaction,
  { id, userId, name }: { readonly id: PasskeyId; readonly userId: UserId; readonly name: string },
  by: Actor,
): Promise<PasskeyRow | undefined> {
  const row = await tx.maybe<PasskeyRow>(
    sql`update passkeys set name = ${name} where id = ${id} and user_id = ${userId} returning *`,
  );
  if (row !== undefined)
    tx.audit({ ...by, action: "passkey.renamed", object: `passkey/${id}`, new: { name }, resultCode: "ok" });
  return row;
}

export async function deletePasskey(tx: Transaction, id: PasskeyId, user: UserId, by: Actor): Promise<boolean> {
  const row = await tx.maybe<PasskeyRow>(sql`delete from passkeys where id = ${id} and user_id = ${user} returning *`);
  if (row === undefined) return false;
  tx.audit({
    ...by,
    action: "passkey.removed",
    object: `passkey/${id}`,
    old: { user_id: user, name: row.name },
    resultCode: "ok",
  });
  return true;
}

export async function deletePasskeys(tx: Transaction, user: UserId, by: Actor): Promise<void> {
  const count = await tx.run(sql`delete from passkeys where user_id = ${user}`);
  if (count > 0)
    tx.audit({ ...by, action: "passkey.removed_all", object: `user/${user}`, new: { count }, resultCode: "ok" });
}
