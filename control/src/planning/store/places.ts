import type { DocumentId, ServerId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

export interface PlaceRow {
  readonly id: ServerId;
  readonly name: string;
  readonly document_id: DocumentId | null;
  readonly revision: number | null;
}

/** Every server with the revision of its own document that is in force. Released ones too: their past stays visible to the same people. */
export function listPlaces(database: Queryable): Promise<readonly PlaceRow[]> {
  return database.rows<PlaceRow>(sql`
    select s.id, s.name, d.id as document_id, a.revision
    from servers s
    left join documents d on d.kind = 'Server' and d.name = s.name
    left join assignments a on a.server_id = s.id and a.document_id = d.id
    order by s.name`);
}
