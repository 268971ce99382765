import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { AuditEpochRow } from "../../store/tables.ts";
import type { Transaction } from "../../store/transaction.ts";
import type { SignedEpoch } from "../epoch.ts";

export async function listEpochs(database: Queryable): Promise<readonly SignedEpoch[]> {
  const rows = await database.rows<AuditEpochRow>(sql`select * from audit_epochs order by epoch`);
  return rows.map(({ epoch, entries, head, at, begun_by, reason, signature }) => ({
    epoch,
    entries,
    head,
    at: at.toISOString(),
    begunBy: begun_by,
    reason,
    signature,
  }));
}

/** False: somebody else began this one a moment ago. */
export async function insertEpoch(
  tx: Transaction,
  { epoch, entries, head, at, begunBy, reason, signature }: SignedEpoch,
): Promise<boolean> {
  const inserted = await tx.run(sql`
    insert into audit_epochs (epoch, entries, head, at, begun_by, reason, signature)
    values (${epoch}, ${entries}, ${head}, ${at}::timestamptz, ${begunBy}, ${reason}, ${signature}) on conflict (epoch) do nothing`);
  return inserted === 1;
}
