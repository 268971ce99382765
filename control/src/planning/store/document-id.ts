import type { DocumentId } from "@holdfast/core/base/id.ts";
import { newId } from "../../store/new-id.ts";
import { sql } from "../../store/sql.ts";
import type { DocumentKind } from "../../store/tables.ts";
import type { Transaction } from "../../store/transaction.ts";

/** The document's id; a document that nobody has applied yet gets one with no revision, so that a plan can refer to it. */
export async function documentIdOf(tx: Transaction, kind: DocumentKind, name: string): Promise<DocumentId> {
  const id: DocumentId = newId();
  await tx.run(
    sql`insert into documents (id, kind, name) values (${id}, ${kind}, ${name}) on conflict (kind, name) do nothing`,
  );
  const row = await tx.one<{ id: DocumentId }>(sql`select id from documents where kind = ${kind} and name = ${name}`);
  return row.id;
}
