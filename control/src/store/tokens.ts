import type { Permission } from "@holdfast/core/api/account.ts";
import type { TokenId, UserId } from "@holdfast/core/base/id.ts";
import type { Actor } from "./actor.ts";
import type { Queryable } from "./database.ts";
import { json, sql } from "./sql.ts";
import { StoreFailure } from "./store-failure.ts";
import type { TokenRow } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

export interface NewToken {
  readonly id: TokenId;
  readonly userId: UserId;
  readonly kind: TokenRow["kind"];
  readonly name: string;
  readonly secretSha256: Buffer;
  readonly permissions: readonly Permission[];
  readonly scope: TokenRow["scope"];
  readonly domains: TokenRow["domains"];
  readonly seconds: number;
  /** A password unless said otherwise. */
  readonly openedWith?: TokenRow["opened_with"];
  /** Opened with a second factor, just now. */
  readonly isFresh?: boolean;
}

export async function insertToken(tx: Transaction, token: NewToken, by: Actor): Promise<TokenRow> {
  const row = await tx.one<TokenRow>(sql`
    insert into tokens (id, user_id, kind, name, secret_sha256, permissions, scope, domains, source, opened_with, fresh_at, expires_at)
    values (${token.id}, ${token.userId}, ${token.kind}, ${token.name}, ${token.secretSha256}, ${token.permissions},
            ${json(token.scope)}, ${token.domains}, ${by.source}, ${token.openedWith ?? "password"},
            case when ${token.isFresh ?? false} then now() end, now() + make_interval(secs => ${token.seconds}::float8))
    returning *`);
  tx.audit({
    ...by,
    action: token.kind === "session" ? "session.opened" : "token.created",
    object: `token/${token.id}`,
    new: {
      user_id: token.userId,
      name: token.name,
      permissions: token.permissions,
      scope: token.scope,
      domains: token.domains,
    },
    resultCode: "ok",
  });
  return row;
}

export interface LiveToken extends TokenRow {
  readonly user_name: string;
  readonly must_change: boolean;
  readonly second_factor: boolean;
  readonly passkeys: number;
  /** Seconds since a second factor was shown; null: never with this one. */
  readonly fresh_seconds: number | null;
}

/** The token of this secret while it is good: not expired, not revoked, its account open. A one-time password holds up only what was opened with one. */
export function findLiveToken(database: Queryable, secretSha256: Buffer): Promise<LiveToken | undefined> {
  return database.maybe<LiveToken>(sql`
    select t.*, u.name as user_name, u.must_change and t.opened_with = 'password' as must_change, u.totp_since is not null as second_factor,
      (select count(*) from passkeys p where p.user_id = u.id) as passkeys,
      extract(epoch from now() - t.fresh_at)::float8 as fresh_seconds
    from tokens t join users u on u.id = t.user_id
    where t.secret_sha256 = ${secretSha256} and t.revoked_at is null and u.disabled_at is null and (t.expires_at is null or t.expires_at > now())`);
}

/** At most once a minute, so that a busy token does not write with every request. */
export async function touchToken(database: Queryable, id: TokenId): Promise<void> {
  await database.run(sql`
    update tokens set last_used_at = now() where id = ${id} and (last_used_at is null or last_used_at < now() - interval '1 minute')`);
}

/** Everything that an account is signed in with and has not lost: sessions and tokens, newest first. */
export function listSignedIn(database: Queryable, user: UserId): Promise<readonly TokenRow[]> {
  return database.rows<TokenRow>(sql`
    select * from tokens where user_id = ${user} and revoked_at is null and (expires_at is null or expires_at > now())
    order by created_at desc limit 200`);
}

export function listTokens(database: Queryable, user: UserId): Promise<readonly TokenRow[]> {
  return database.rows<TokenRow>(sql`
    select * from tokens where user_id = ${user} and kind = 'api' and revoked_at is null order by created_at`);
}

/** Revokes one of this account's tokens. Another's is not found: ids cannot be guessed at. */
export async function revokeToken(tx: Transaction, id: TokenId, user: UserId, by: Actor): Promise<void> {
  const touched = await tx.run(
    sql`update tokens set revoked_at = now() where id = ${id} and user_id = ${user} and revoked_at is null`,
  );
  if (touched !== 1) throw new StoreFailure("store.not_found", "there is no such token", { token_id: id });
  tx.audit({ ...by, action: "token.revoked", object: `token/${id}`, resultCode: "ok" });
}

/** A second factor was shown. False: the session has ended meanwhile. */
export async function freshenSession(tx: Transaction, id: TokenId, factor: string, by: Actor): Promise<boolean> {
  const touched = await tx.run(
    sql`update tokens set fresh_at = now() where id = ${id} and kind = 'session' and revoked_at is null`,
  );
  if (touched === 1)
    tx.audit({ ...by, action: "session.stepped_up", object: `token/${id}`, new: { factor }, resultCode: "ok" });
  return touched === 1;
}

/** Ends the sessions of an account, but for the one that asks. Tokens stay: they were not opened by what has gone. */
export async function revokeOtherSessions(tx: Transaction, user: UserId, except: TokenId, by: Actor): Promise<void> {
  const touched = await tx.run(sql`
    update tokens set revoked_at = now() where user_id = ${user} and kind = 'session' and id <> ${except} and revoked_at is null`);
  tx.audit({
    ...by,
    action: "session.ended_others",
    object: `user/${user}`,
    new: { count: touched },
    resultCode: "ok",
  });
}

/** Ends everything an account is signed in with, but for the one that asks, for example after a new password. */
export async function revokeOtherTokens(
  tx: Transaction,
  user: UserId,
  except: TokenId | null,
  by: Actor,
): Promise<number> {
  const touched = await tx.run(sql`
    update tokens set revoked_at = now() where user_id = ${user} and id is distinct from ${except} and revoked_at is null`);
  tx.audit({ ...by, action: "token.revoked_all", object: `user/${user}`, new: { count: touched }, resultCode: "ok" });
  return touched;
}

/** Ends every session of an account, so that its owner notices that there is another way in. Its tokens stay: programs have no part in that. */
export async function revokeSessions(tx: Transaction, user: UserId, by: Actor): Promise<void> {
  const touched = await tx.run(
    sql`update tokens set revoked_at = now() where user_id = ${user} and kind = 'session' and revoked_at is null`,
  );
  tx.audit({ ...by, action: "session.revoked_all", object: `user/${user}`, new: { count: touched }, resultCode: "ok" });
}

/** Ends what was opened with a provider, and what was made with that. */
export async function revokeOpenedByOidc(tx: Transaction, user: UserId, by: Actor): Promise<void> {
  const touched = await tx.run(
    sql`update tokens set revoked_at = now() where user_id = ${user} and opened_with = 'oidc' and revoked_at is null`,
  );
  const what = { count: touched, opened_with: "oidc" };
  tx.audit({ ...by, action: "token.revoked_all", object: `user/${user}`, new: what, resultCode: "ok" });
}
