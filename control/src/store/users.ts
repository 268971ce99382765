import type { Permission } from "@holdfast/core/api/account.ts";
import type { UserId } from "@holdfast/core/base/id.ts";
import type { Actor } from "./actor.ts";
import type { Queryable } from "./database.ts";
import { json, sql } from "./sql.ts";
import { StoreFailure } from "./store-failure.ts";
import type { GrantRow, UserRow } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

export interface NewUser {
  readonly id: UserId;
  readonly name: string;
  readonly passwordHash: string | null;
  readonly mustChange: boolean;
  /** A person unless said otherwise; a service only ever has tokens. */
  readonly kind?: UserRow["kind"];
}

export async function insertUser(tx: Transaction, user: NewUser, by: Actor): Promise<UserRow> {
  const row = await tx.one<UserRow>(sql`
    insert into users (id, name, password_hash, must_change, kind)
    values (${user.id}, ${user.name}, ${user.passwordHash}, ${user.mustChange}, ${user.kind ?? "person"})
    returning *`);
  tx.audit({
    ...by,
    action: "user.created",
    object: `user/${user.id}`,
    new: { name: user.name, kind: row.kind },
    resultCode: "ok",
  });
  return row;
}

export function getUser(database: Queryable, id: UserId): Promise<UserRow | undefined> {
  return database.maybe<UserRow>(sql`select * from users where id = ${id}`);
}

/** Held until the transaction ends, so that what is decided about an account is decided one after another. */
export function lockUser(tx: Transaction, id: UserId): Promise<UserRow | undefined> {
  return tx.maybe<UserRow>(sql`select * from users where id = ${id} for no key update`);
}

export function getUserByName(database: Queryable, name: string): Promise<UserRow | undefined> {
  return database.maybe<UserRow>(sql`select * from users where name = ${name}`);
}

export function listUsers(database: Queryable): Promise<readonly UserRow[]> {
  return database.rows<UserRow>(sql`select * from users order by name`);
}

/** The number has no meaning beside being ours. */
const FIRST_START_LOCK = 4_866_006;

/** True while there are no users: whoever asks makes the first administrator in the same transaction, and a second starter waits for it. */
export async function isFirstStart(tx: Transaction): Promise<boolean> {
  // Held to the end of the transaction, so that a second starter finds the first one's user.
  await tx.run(sql`select pg_advisory_xact_lock(${FIRST_START_LOCK})`);
  const { any } = await tx.one<{ any: boolean }>(sql`select exists (select from users) as any`);
  return !any;
}

export async function setPassword(
  tx: Transaction,
  id: UserId,
  passwordHash: string,
  mustChange: boolean,
  by: Actor,
): Promise<void> {
  await tx.one(
    sql`update users set password_hash = ${passwordHash}, must_change = ${mustChange} where id = ${id} returning id`,
  );
  tx.audit({
    ...by,
    action: "user.password_set",
    object: `user/${id}`,
    new: { must_change: mustChange },
    resultCode: "ok",
  });
}

/** Closes an account and ends all it is signed in with. */
export async function disableUser(tx: Transaction, id: UserId, by: Actor): Promise<void> {
  const touched = await tx.run(sql`update users set disabled_at = now() where id = ${id} and disabled_at is null`);
  if (touched !== 1)
    throw new StoreFailure("store.wrong_state", "there is no such user, or the account is closed already", {
      user_id: id,
    });
  await tx.run(sql`update tokens set revoked_at = now() where user_id = ${id} and revoked_at is null`);
  tx.audit({ ...by, action: "user.disabled", object: `user/${id}`, resultCode: "ok" });
}

/** Opens a closed account again. What it was signed in with stays ended. */
export async function enableUser(tx: Transaction, id: UserId, by: Actor): Promise<void> {
  const touched = await tx.run(sql`update users set disabled_at = null where id = ${id} and disabled_at is not null`);
  if (touched !== 1)
    throw new StoreFailure("store.wrong_state", "there is no such user, or the account is open already", {
      user_id: id,
    });
  tx.audit({ ...by, action: "user.enabled", object: `user/${id}`, resultCode: "ok" });
}

export interface Grant {
  readonly permission: Permission;
  readonly scope: GrantRow["scope"];
  readonly domains: readonly string[] | null;
}

export const EVERYTHING: GrantRow["scope"] = { all: true };

/** What the account may do in all: its own grants and those of its roles. */
export function effectiveGrants(database: Queryable, user: UserId): Promise<readonly GrantRow[]> {
  return database.rows<GrantRow>(
    sql`select * from effective_grants where user_id = ${user} order by permission, scope, domains`,
  );
}

/** Given to the account itself, without its roles. */
export function listGrants(database: Queryable, user: UserId): Promise<readonly GrantRow[]> {
  return database.rows<GrantRow>(sql`select * from grants where user_id = ${user} order by permission, scope`);
}

export function listAllGrants(database: Queryable): Promise<readonly GrantRow[]> {
  return database.rows<GrantRow>(sql`select * from grants order by user_id, permission, scope`);
}

/** What an account may do becomes exactly this. */
export async function setGrants(tx: Transaction, user: UserId, grants: readonly Grant[], by: Actor): Promise<void> {
  await tx.one(sql`select id from users where id = ${user} for update`);
  const before = await listGrants(tx, user);
  await tx.run(sql`delete from grants where user_id = ${user}`);
  for (const grant of grants) {
    await tx.run(sql`
      insert into grants (user_id, permission, scope, domains) values (${user}, ${grant.permission}, ${json(grant.scope)}, ${grant.domains})`);
  }
  tx.audit({
    ...by,
    action: "user.grants_set",
    object: `user/${user}`,
    old: before.map(({ permission, scope, domains }) => ({ permission, scope, domains })),
    new: grants.map(({ permission, scope, domains }) => ({ permission, scope, domains })),
    resultCode: "ok",
  });
}
