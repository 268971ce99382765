import type { SecretId, UserId } from "@holdfast/core/base/id.ts";
import type { Actor } from "./actor.ts";
import { ask, type Database, type Queryable } from "./database.ts";
import { sql } from "./sql.ts";
import { StoreFailure } from "./store-failure.ts";
import type { SecretHouseRow, SecretRow, SecretVersionRow } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

/** The rows of secrets. Only ciphertext comes and goes here (secrets/secret-store.ts opens it). */

/** Shared: while a secret is made, nobody changes the key that it is made with. */
export function lockHouse(tx: Transaction): Promise<SecretHouseRow | undefined> {
  return tx.maybe<SecretHouseRow>(sql`select * from secret_house for share`);
}

export function getHouse(database: Queryable): Promise<SecretHouseRow | undefined> {
  return database.maybe<SecretHouseRow>(sql`select * from secret_house`);
}

/** The first instance that makes a secret says which key this house uses; whoever comes at the same moment finds its row. */
export async function insertHouse(tx: Transaction, keyId: string, fingerprintKey: Buffer): Promise<void> {
  await tx.run(sql`
    insert into secret_house (key_id, fingerprint_key) values (${keyId}, ${fingerprintKey}) on conflict (the_one) do nothing`);
}

/** `store.lost_race` when another instance has changed the key meanwhile. */
export async function setHouse(
  tx: Transaction,
  from: string,
  keyId: string,
  fingerprintKey: Buffer,
  by: Actor,
): Promise<void> {
  const touched = await tx.run(sql`
    update secret_house set key_id = ${keyId}, fingerprint_key = ${fingerprintKey}, rekeyed_at = now() where key_id = ${from}`);
  if (touched !== 1) throw new StoreFailure("store.lost_race", "the key of the secrets has been changed meanwhile", {});
  tx.audit({
    ...by,
    action: "secrets.key_changed",
    object: "secrets",
    old: { key_id: from },
    new: { key_id: keyId },
    resultCode: "ok",
  });
}

/** Whoever adds a version holds the row, so that versions are counted one after another. */
export function lockSecret(tx: Transaction, name: string): Promise<SecretRow | undefined> {
  return tx.maybe<SecretRow>(sql`select * from secrets where name = ${name} for update`);
}

export async function insertSecret(
  tx: Transaction,
  row: Pick<SecretRow, "id" | "name" | "key_id" | "data_key">,
): Promise<void> {
  await tx.run(sql`
    insert into secrets (id, name, key_id, data_key) values (${row.id}, ${row.name}, ${row.key_id}, ${row.data_key})
    on conflict (name) do nothing`);
}

export interface NewVersion {
  readonly secretId: SecretId;
  readonly name: string;
  readonly version: number;
  readonly sealed: Buffer;
  readonly fingerprint: string;
  readonly boundTo: string;
  readonly madeBy: UserId;
  /** What is public of a private key. */
  readonly certificate?: PublicPart;
}

export interface PublicPart {
  readonly own: string;
  readonly authority: string;
  readonly keyId: string;
  readonly notAfterMs: number;
}

export async function insertVersion(tx: Transaction, one: NewVersion, by: Actor): Promise<void> {
  const { own = null, authority = null, keyId = null, notAfterMs } = one.certificate ?? {};
  const notAfter = notAfterMs === undefined ? null : new Date(notAfterMs);
  const touched = await tx.run(sql`
    insert into secret_versions
      (secret_id, version, sealed, fingerprint, bound_to, made_by, certificate, authority, private_id, not_after)
    values
      (${one.secretId}, ${one.version}, ${one.sealed}, ${one.fingerprint}, ${one.boundTo}, ${one.madeBy},
       ${own}, ${authority}, ${keyId}, ${notAfter})
    on conflict (secret_id, version) do nothing`);
  if (touched !== 1)
    throw new StoreFailure("store.lost_race", `version ${one.version} of ${one.name} has been made meanwhile`, {});
  tx.audit({
    ...by,
    action: one.version === 1 ? "secret.created" : "secret.version_added",
    object: `secret/${one.name}`,
    new: { version: one.version, fingerprint: one.fingerprint },
    resultCode: "ok",
  });
}

export interface ListedVersion extends Omit<SecretVersionRow, "sealed"> {
  readonly name: string;
  readonly made_by_name: string;
}

/** Every version of every secret, without what is sealed. */
export function listVersions(database: Queryable): Promise<readonly ListedVersion[]> {
  return database.rows<ListedVersion>(sql`
    select s.name, v.secret_id, v.version, v.fingerprint, v.bound_to, v.made_by, v.made_at, u.name as made_by_name,
           v.certificate, v.authority, v.private_id, v.not_after
    from secrets s join secret_versions v on v.secret_id = s.id join users u on u.id = v.made_by
    order by s.name, v.version`);
}

export interface SealedVersion extends SecretVersionRow {
  readonly key_id: string;
  readonly data_key: Buffer;
}

export function getVersion(database: Queryable, name: string, version: number): Promise<SealedVersion | undefined> {
  return database.maybe<SealedVersion>(sql`
    select v.*, s.key_id, s.data_key
    from secrets s join secret_versions v on v.secret_id = s.id where s.name = ${name} and v.version = ${version}`);
}

/** With all of its versions. */
export async function deleteSecret(tx: Transaction, secret: Pick<SecretRow, "id" | "name">, by: Actor): Promise<void> {
  await tx.run(sql`delete from secrets where id = ${secret.id}`);
  tx.audit({ ...by, action: "secret.deleted", object: `secret/${secret.name}`, resultCode: "ok" });
}

/** Some secrets whose data key is wrapped by another key than this; nobody else gets them meanwhile. */
export function takeWrappedOtherwise(tx: Transaction, keyId: string, limit: number): Promise<readonly SecretRow[]> {
  return tx.rows<SecretRow>(sql`
    select * from secrets where key_id <> ${keyId} order by id limit ${limit} for update`);
}

export async function wrapAnew(tx: Transaction, id: SecretId, keyId: string, dataKey: Buffer): Promise<void> {
  await tx.run(sql`update secrets set key_id = ${keyId}, data_key = ${dataKey} where id = ${id}`);
}

/** The number has no meaning beside being ours. */
const REKEY_LOCK = 4_866_004;

/**
 * Does the work while no other instance does the same. The work is several transactions, so the lock is that of a session of its own; `assertHeld`
 * fails where that session has ended, and its lock with it.
 */
export async function whileNobodyElseRekeys<T>(
  database: Database,
  work: (assertHeld: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const session = await database.session();
  try {
    await ask(session, sql`select pg_advisory_lock(${REKEY_LOCK})`);
    return await work(async () => {
      await ask(session, sql`select 1`);
    });
  } finally {
    // Closed and not given back: whatever has happened, the lock goes with it.
    session.release(true);
  }
}

export async function countWrappedOtherwise(database: Queryable, keyId: string): Promise<number> {
  return (await database.one<{ count: number }>(sql`select count(*) from secrets where key_id <> ${keyId}`)).count;
}
