import type { AuditStanding } from "@holdfast/core/audit/standing.ts";
import type { ServerId } from "@holdfast/core/base/id.ts";
import type { AnchoredHead } from "@holdfast/proto/wire/audit-head.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { AuditReceiptRow, AuditStandingRow } from "../../store/tables.ts";
import type { Transaction } from "../../store/transaction.ts";
import type { AuditReceipt } from "../anchor.ts";

export interface Standing {
  readonly standing: AuditStanding;
  readonly head: AnchoredHead | null;
  /** The server's own, where it refused. */
  readonly code: string;
}

/** Writes down what a server said, and gives what stood there before; its row stays locked until the transaction ends. */
export async function setStanding(
  tx: Transaction,
  server: ServerId,
  { standing, head, code }: Standing,
): Promise<AuditStandingRow | undefined> {
  const before = await tx.maybe<AuditStandingRow>(
    sql`select * from audit_standings where server_id = ${server} for update`,
  );
  await tx.run(sql`
    insert into audit_standings (server_id, standing, epoch, entries, head, head_at, code)
    values (${server}, ${standing}, ${head?.epoch ?? null}, ${head?.entries ?? null}, ${head?.head ?? null}, ${head?.at ?? null},
            ${code === "" ? null : code})
    on conflict (server_id) do update set standing = excluded.standing, epoch = excluded.epoch, entries = excluded.entries,
      head = excluded.head, head_at = excluded.head_at, code = excluded.code, asked_at = now()`);
  return before;
}

/** One an hour of each server: these rows are for ever, and of what a server keeps the newest one says the most. */
export async function insertReceipt(
  tx: Transaction,
  server: ServerId,
  { epoch, entries }: AnchoredHead,
  { body, signature }: AuditReceipt,
): Promise<void> {
  await tx.run(sql`
    insert into audit_receipts (server_id, epoch, entries, body, signature)
    select ${server}, ${epoch}, ${entries}, ${body}, ${Buffer.from(signature)}
    where not exists (select from audit_receipts
      where server_id = ${server} and epoch = ${epoch} and received_at > now() - interval '1 hour')
    on conflict (server_id, epoch, entries) do nothing`);
}

/** Enrolled servers with the last that was known of each. */
export interface AskedServer {
  readonly id: ServerId;
  readonly name: string;
  readonly standing: AuditStanding | null;
}

export function enrolledServers(database: Queryable): Promise<readonly AskedServer[]> {
  return database.rows<AskedServer>(sql`
    select s.id, s.name, h.standing from servers s left join audit_standings h on h.server_id = s.id
    where s.enrolment = 'enrolled' order by s.name`);
}

/** The newest ones first. */
export function listReceipts(database: Queryable, server: ServerId, most: number): Promise<readonly AuditReceiptRow[]> {
  return database.rows<AuditReceiptRow>(sql`
    select * from audit_receipts where server_id = ${server} order by epoch desc, entries desc limit ${most}`);
}

/** What these servers have open is not disturbed by anything that can wait. */
export async function withOpenApply(database: Queryable): Promise<ReadonlySet<ServerId>> {
  const rows = await database.rows<{ server_id: ServerId }>(
    sql`select distinct server_id from applies where state in ('APPLYING', 'ROLLBACKING')`,
  );
  return new Set(rows.map(({ server_id }) => server_id));
}
