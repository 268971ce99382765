import type { DocumentId, ServerId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

export interface InForceOn {
  readonly document_id: DocumentId;
  readonly server: string;
  readonly revision: number;
}

/** Where these documents are in force, on servers that may be seen; null: all. */
export function inForceOf(
  database: Queryable,
  documents: readonly string[],
  visible: readonly ServerId[] | null,
): Promise<readonly InForceOn[]> {
  return database.rows<InForceOn>(sql`
    select a.document_id, s.name as server, a.revision
    from assignments a join servers s on s.id = a.server_id
    where a.document_id = any(${documents}::uuid[]) and s.released_at is null and (${visible}::uuid[] is null or s.id = any(${visible}))
    order by s.name`);
}
