import type { UserId } from "@holdfast/core/base/id.ts";
import type { Actor } from "../../store/actor.ts";
import { sql } from "../../store/sql.ts";
import type { Transaction } from "../../store/transaction.ts";

/** Offered, not yet in use. One that is in use is given up first. */
export async function putTotp(tx: Transaction, id: UserId, sealed: Buffer, by: Actor): Promise<void> {
  await tx.one(
    sql`update users set totp_sealed = ${sealed}, totp_step = 0 where id = ${id} and totp_since is null returning id`,
  );
  tx.audit({ ...by, action: "user.totp_offered", object: `user/${id}`, resultCode: "ok" });
}

export async function startTotp(tx: Transaction, id: UserId, step: number, by: Actor): Promise<void> {
  await tx.one(
    sql`update users set totp_since = now(), totp_step = ${step} where id = ${id} and totp_since is null returning id`,
  );
  tx.audit({ ...by, action: "user.totp_on", object: `user/${id}`, resultCode: "ok" });
}

export async function dropTotp(tx: Transaction, id: UserId, by: Actor): Promise<void> {
  await tx.one(
    sql`update users set totp_sealed = null, totp_since = null, totp_step = 0 where id = ${id} returning id`,
  );
  await dropUselessRecoveryCodes(tx, id);
  tx.audit({ ...by, action: "user.totp_off", object: `user/${id}`, resultCode: "ok" });
}

/** False: another request has used this code, or a later one. */
export async function advanceTotp(tx: Transaction, id: UserId, step: number): Promise<boolean> {
  return (await tx.run(sql`update users set totp_step = ${step} where id = ${id} and totp_step < ${step}`)) === 1;
}

export async function putRecoveryCodes(tx: Transaction, id: UserId, codes: readonly Buffer[]): Promise<void> {
  await tx.run(sql`delete from recovery_codes where user_id = ${id}`);
  for (const code of codes)
    await tx.run(sql`insert into recovery_codes (user_id, code_sha256) values (${id}, ${code})`);
}

export async function useRecoveryCode(tx: Transaction, id: UserId, code: Buffer): Promise<boolean> {
  return (
    (await tx.run(
      sql`update recovery_codes set used_at = now() where user_id = ${id} and code_sha256 = ${code} and used_at is null`,
    )) === 1
  );
}

/** Without a factor that could be lost there is nothing that they would stand for. */
export async function dropUselessRecoveryCodes(tx: Transaction, id: UserId): Promise<void> {
  await tx.run(sql`
    delete from recovery_codes where user_id = ${id}
      and not exists (select from passkeys where user_id = ${id})
      and not exists (select from users where id = ${id} and totp_since is not null)`);
}
