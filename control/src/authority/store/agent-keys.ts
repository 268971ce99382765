import type { Actor } from "../../store/actor.ts";
import type { Queryable } from "../../store/database.ts";
import { newId } from "../../store/new-id.ts";
import { sql } from "../../store/sql.ts";
import type { AgentKeyRow } from "../../store/tables.ts";
import type { Transaction } from "../../store/transaction.ts";

export interface RenewedKey {
  readonly serverId: string;
  readonly byKeySha256: string;
  readonly keySha256: string;
  readonly tlsPublicKey: Uint8Array;
}

/**
 * Adds a key that the active one vouches for. It waits as `pending`, with the same receipt key, until it has been seen on a connection. False
 * when the key is known and does not wait for this server.
 */
export async function addRenewedKey(tx: Transaction, renewed: RenewedKey): Promise<boolean> {
  const id: string = newId();
  const added = await tx.run(sql`
    insert into agent_keys (id, server_id, tls_key_sha256, tls_public_key, receipt_public_key, state, approved_by)
    select ${id}, k.server_id, ${renewed.keySha256}, ${Buffer.from(renewed.tlsPublicKey)}, k.receipt_public_key, 'pending', k.approved_by
    from agent_keys k where k.tls_key_sha256 = ${renewed.byKeySha256} and k.server_id = ${renewed.serverId} and k.state = 'active'
    on conflict (tls_key_sha256) do nothing`);
  if (added === 1) return true;
  // The same question again, because its answer was lost.
  const known = await tx.maybe<Pick<AgentKeyRow, "state">>(sql`
    select state from agent_keys where tls_key_sha256 = ${renewed.keySha256} and server_id = ${renewed.serverId} and certificate_serial is not null`);
  return known?.state === "pending";
}

/** The certificate of a renewed key. With a serial, `pending` means "certified and not yet seen", not "waits for an operator". */
export async function certifyRenewedKey(
  tx: Transaction,
  keySha256: string,
  serial: string,
  notAfter: Date,
  by: Actor,
): Promise<void> {
  const { server_id } = await tx.one<Pick<AgentKeyRow, "server_id">>(sql`
    update agent_keys set certificate_serial = ${serial}, not_after = ${notAfter} where tls_key_sha256 = ${keySha256} and state = 'pending'
    returning server_id`);
  tx.audit({
    ...by,
    action: "enrolment.certificate_renewed",
    object: `server/${server_id}`,
    serverId: server_id,
    new: { key: keySha256, certificate_serial: serial },
    resultCode: "ok",
  });
}

/** Whether this is the server's active key: the usual case, in one read. */
export async function isActive(database: Queryable, serverId: string, keySha256: string): Promise<boolean> {
  const found = await database.maybe(sql`
    select from agent_keys k join servers s on s.id = k.server_id
    where k.tls_key_sha256 = ${keySha256} and k.server_id = ${serverId} and k.state = 'active' and s.enrolment = 'enrolled'
      and s.locked_code is distinct from 'server.key_in_two_places'`);
  return found !== undefined;
}

/**
 * Whether this key may speak for this server now. A renewed key becomes the active one here, on its first connection, and the one before it
 * is superseded in the same moment.
 */
export async function admitKey(tx: Transaction, serverId: string, keySha256: string, by: Actor): Promise<boolean> {
  const key = await tx.maybe<Pick<AgentKeyRow, "state" | "certificate_serial">>(sql`
    select k.state, k.certificate_serial from agent_keys k join servers s on s.id = k.server_id
    where k.tls_key_sha256 = ${keySha256} and k.server_id = ${serverId} and s.enrolment = 'enrolled'
      and s.locked_code is distinct from 'server.key_in_two_places'
    for update of k`);
  if (key === undefined) return false;
  if (key.state === "active") return true;
  if (key.state !== "pending" || key.certificate_serial === null) return false;
  await tx.run(sql`update agent_keys set state = 'superseded' where server_id = ${serverId} and state = 'active'`);
  await tx.run(sql`update agent_keys set state = 'active' where tls_key_sha256 = ${keySha256}`);
  await tx.run(sql`
    update agent_keys set state = 'superseded' where server_id = ${serverId} and state = 'pending' and certificate_serial is not null`);
  tx.audit({
    ...by,
    action: "enrolment.key_renewed",
    object: `server/${serverId}`,
    serverId,
    new: { key: keySha256 },
    resultCode: "ok",
  });
  return true;
}

/** Of these keys, the ones that may still speak: asked of every open session at least once a minute (S11). */
export async function stillActive(database: Queryable, keys: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await database.rows<Pick<AgentKeyRow, "tls_key_sha256">>(sql`
    select k.tls_key_sha256 from agent_keys k join servers s on s.id = k.server_id
    where k.tls_key_sha256 = any(${keys}::text[]) and k.state = 'active' and s.enrolment = 'enrolled'`);
  return new Set(rows.map((row) => row.tls_key_sha256));
}
