import type { DocumentId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

/** In words, who moved a document's head away from this revision and with which change; null when it is where it was. */
export async function headMoved(database: Queryable, document: DocumentId, base: number): Promise<string | null> {
  const head = await database.maybe<{ head_revision: number; author: string | null; title: string | null }>(sql`
    select d.head_revision, u.name as author, c.title
    from documents d left join revisions r on r.document_id = d.id and r.revision = d.head_revision
    left join users u on u.id = r.author_id left join changes c on c.id = r.change_id
    where d.id = ${document}`);
  if (head === undefined || head.head_revision === base) return null;
  return `was moved to revision ${head.head_revision} by ${head.author ?? "somebody"} with "${head.title ?? "a change"}"`;
}
