import type { UserId } from "@holdfast/core/base/id.ts";
import type { Actor } from "../../store/actor.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import { StoreFailure } from "../../store/store-failure.ts";
import type { IdentityRow } from "../../store/tables.ts";
import type { Transaction } from "../../store/transaction.ts";

export interface NewIdentity {
  readonly id: string;
  readonly userId: UserId;
  readonly issuer: string;
  readonly subject: string;
}

export function listIdentities(database: Queryable, user: UserId): Promise<readonly IdentityRow[]> {
  return database.rows<IdentityRow>(sql`select * from identities where user_id = ${user} order by issuer`);
}

export function findIdentity(database: Queryable, issuer: string, subject: string): Promise<IdentityRow | undefined> {
  return database.maybe<IdentityRow>(sql`select * from identities where issuer = ${issuer} and subject = ${subject}`);
}

export async function insertIdentity(tx: Transaction, identity: NewIdentity, by: Actor): Promise<IdentityRow> {
  const { id, userId, issuer, subject } = identity;
  const row = await tx.one<IdentityRow>(sql`
    insert into identities (id, user_id, issuer, subject) values (${id}, ${userId}, ${issuer}, ${subject}) returning *`);
  tx.audit({
    ...by,
    action: "user.linked",
    object: `user/${userId}`,
    new: { issuer, subject },
    resultCode: "ok",
  });
  return row;
}

export async function deleteIdentity(tx: Transaction, id: string, user: UserId, by: Actor): Promise<void> {
  const gone = await tx.maybe<IdentityRow>(
    sql`delete from identities where id = ${id} and user_id = ${user} returning *`,
  );
  if (gone === undefined) throw new StoreFailure("store.not_found", "the account has no such link", { id });
  const { issuer, subject } = gone;
  tx.audit({ ...by, action: "user.unlinked", object: `user/${user}`, old: { issuer, subject }, resultCode: "ok" });
}

/** Longer than anything that is used once could be used, by clocks that differ. */
const REMEMBERED_HOURS = 2;

/** False: it has been used. Of two requests at the same moment one waits for the other and hears it. */
export async function useOnce(tx: Transaction, idSha256: Buffer): Promise<boolean> {
  await tx.run(sql`delete from sign_ins_used where forget_at < now()`);
  const inserted = await tx.run(sql`
    insert into sign_ins_used (id_sha256, forget_at) values (${idSha256}, now() + make_interval(hours => ${REMEMBERED_HOURS}))
    on conflict do nothing`);
  return inserted === 1;
}
