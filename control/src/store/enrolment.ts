import type { ServerId, UserId } from "@holdfast/core/base/id.ts";
import type { Actor } from "./actor.ts";
import type { Queryable } from "./database.ts";
import { sql } from "./sql.ts";
import { StoreFailure } from "./store-failure.ts";
import type { AgentKeyRow, EnrolmentTokenRow, ServerRow } from "./tables.ts";
import type { Transaction } from "./transaction.ts";

export interface NewEnrolmentToken {
  readonly id: string;
  readonly serverId: ServerId;
  readonly secretSha256: Buffer;
  readonly createdBy: UserId | null;
  readonly seconds: number;
}

export async function insertEnrolmentToken(
  tx: Transaction,
  token: NewEnrolmentToken,
  by: Actor,
): Promise<EnrolmentTokenRow> {
  const row = await tx.one<EnrolmentTokenRow>(sql`
    insert into enrolment_tokens (id, server_id, secret_sha256, created_by, expires_at)
    values (${token.id}, ${token.serverId}, ${token.secretSha256}, ${token.createdBy}, now() + make_interval(secs => ${token.seconds}::float8))
    returning *`);
  tx.audit({
    ...by,
    action: "enrolment.token_created",
    object: `server/${token.serverId}`,
    serverId: token.serverId,
    resultCode: "ok",
  });
  return row;
}

export type TokenUse =
  | { readonly kind: "used"; readonly serverId: ServerId }
  /** The same key asks again: its answer was lost, or its approval is pending. */
  | { readonly kind: "again"; readonly serverId: ServerId }
  /** Another key holds the token: somebody has read it. An alarm. */
  | { readonly kind: "stolen"; readonly serverId: ServerId }
  | { readonly kind: "expired"; readonly serverId: ServerId }
  | { readonly kind: "unknown" };

/** Uses a token once, for one key. Everything but the first use and its repetition is audited as a refusal. */
export async function useEnrolmentToken(
  tx: Transaction,
  secretSha256: Buffer,
  keySha256: string,
  by: Actor,
): Promise<TokenUse> {
  const row = await tx.maybe<EnrolmentTokenRow & { expired: boolean }>(sql`
    select *, expires_at < now() as expired from enrolment_tokens where secret_sha256 = ${secretSha256} for update`);
  const use = tokenUse(row, keySha256);
  if (use.kind === "used") {
    await tx.run(
      sql`update enrolment_tokens set used_at = now(), used_by_key = ${keySha256} where secret_sha256 = ${secretSha256}`,
    );
  }
  tx.audit({
    ...by,
    action: "enrolment.token_used",
    object: use.kind === "unknown" ? "server/unknown" : `server/${use.serverId}`,
    ...(use.kind === "unknown" ? {} : { serverId: use.serverId }),
    new: { key: keySha256 },
    resultCode: use.kind === "used" || use.kind === "again" ? "ok" : `enrolment.token_${use.kind}`,
  });
  return use;
}

function tokenUse(row: (EnrolmentTokenRow & { expired: boolean }) | undefined, keySha256: string): TokenUse {
  if (row === undefined) return { kind: "unknown" };
  const serverId = row.server_id;
  if (row.used_by_key !== null) return { kind: row.used_by_key === keySha256 ? "again" : "stolen", serverId };
  return { kind: row.expired ? "expired" : "used", serverId };
}

export interface NewAgentKey {
  readonly id: string;
  readonly serverId: ServerId;
  readonly tlsKeySha256: string;
  readonly tlsPublicKey: Buffer;
  readonly receiptPublicKey: Buffer;
}

/** A key that asks to be this server's. One that asked before is answered as it stands. */
export async function insertPendingKey(tx: Transaction, key: NewAgentKey, by: Actor): Promise<AgentKeyRow> {
  const inserted = await tx.maybe<AgentKeyRow>(sql`
    insert into agent_keys (id, server_id, tls_key_sha256, tls_public_key, receipt_public_key, state)
    values (${key.id}, ${key.serverId}, ${key.tlsKeySha256}, ${key.tlsPublicKey}, ${key.receiptPublicKey}, 'pending')
    on conflict (tls_key_sha256) do nothing
    returning *`);
  if (inserted !== undefined) {
    said(tx, inserted, "enrolment.key_pending", by);
    return inserted;
  }
  const row = await tx.one<AgentKeyRow>(
    sql`select * from agent_keys where tls_key_sha256 = ${key.tlsKeySha256} for update`,
  );
  if (row.server_id !== key.serverId || !row.receipt_public_key.equals(key.receiptPublicKey)) {
    throw new StoreFailure("store.wrong_state", "this key belongs to another enrolment", { key: key.tlsKeySha256 });
  }
  return row;
}

/** Makes a pending key the server's one active key; the one before it is superseded. `approvedBy` null: approval is off. */
export async function activateKey(
  tx: Transaction,
  keySha256: string,
  approvedBy: UserId | null,
  by: Actor,
): Promise<AgentKeyRow> {
  const pending = await tx.one<AgentKeyRow>(
    sql`select * from agent_keys where tls_key_sha256 = ${keySha256} for update`,
  );
  if (pending.state !== "pending")
    throw new StoreFailure("store.wrong_state", `the key is ${pending.state}`, { key: keySha256 });
  await tx.run(
    sql`update agent_keys set state = 'superseded' where server_id = ${pending.server_id} and state = 'active'`,
  );
  const row = await tx.one<AgentKeyRow>(sql`
    update agent_keys set state = 'active', approved_by = ${approvedBy} where id = ${pending.id} returning *`);
  said(tx, row, "enrolment.key_activated", by);
  return row;
}

export async function setCertificate(
  tx: Transaction,
  keySha256: string,
  serial: string,
  notAfter: Date,
  by: Actor,
): Promise<AgentKeyRow> {
  const row = await tx.maybe<AgentKeyRow>(sql`
    update agent_keys set certificate_serial = ${serial}, not_after = ${notAfter} where tls_key_sha256 = ${keySha256} and state = 'active'
    returning *`);
  if (row === undefined) throw new StoreFailure("store.wrong_state", "the key is not active", { key: keySha256 });
  said(tx, row, "enrolment.certificate_issued", by);
  return row;
}

/** Revokes all keys of a server, pending ones too. Open sessions are the gateway's to end. */
export async function revokeKeys(tx: Transaction, server: ServerId, by: Actor): Promise<readonly AgentKeyRow[]> {
  const rows = await tx.rows<AgentKeyRow>(sql`
    update agent_keys set state = 'revoked', revoked_at = now() where server_id = ${server} and state in ('pending', 'active', 'superseded')
    returning *`);
  for (const row of rows) said(tx, row, "enrolment.key_revoked", by);
  tx.notify("holdfast_events", { kind: "server", action: "server.keys_revoked", server_id: server });
  return rows;
}

/** Who a certificate's key belongs to, while the key is the active one of an enrolled server. Nothing else may open a session. */
export function findActiveKey(
  database: Queryable,
  keySha256: string,
): Promise<(AgentKeyRow & Pick<ServerRow, "name">) | undefined> {
  return database.maybe(sql`
    select k.*, s.name from agent_keys k join servers s on s.id = k.server_id
    where k.tls_key_sha256 = ${keySha256} and k.state = 'active' and s.enrolment = 'enrolled'`);
}

export function getKey(database: Queryable, keySha256: string): Promise<AgentKeyRow | undefined> {
  return database.maybe<AgentKeyRow>(sql`select * from agent_keys where tls_key_sha256 = ${keySha256}`);
}

export function listKeys(database: Queryable, server: ServerId): Promise<readonly AgentKeyRow[]> {
  return database.rows<AgentKeyRow>(sql`select * from agent_keys where server_id = ${server} order by created_at desc`);
}

function said(tx: Transaction, key: AgentKeyRow, action: string, by: Actor): void {
  tx.audit({
    ...by,
    action,
    object: `server/${key.server_id}`,
    serverId: key.server_id,
    new: { key: key.tls_key_sha256, state: key.state, certificate_serial: key.certificate_serial },
    resultCode: "ok",
  });
}
