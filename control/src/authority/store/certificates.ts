import type { ServerId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { ServerRow } from "../../store/tables.ts";

export interface CertificateRow {
  readonly id: ServerId;
  readonly name: string;
  readonly enrolment: ServerRow["enrolment"];
  readonly locked_code: string | null;
  readonly connected: boolean;
  readonly tls_key_sha256: string | null;
  readonly certificate_serial: string | null;
  readonly created_at: Date | null;
  readonly not_after: Date | null;
  readonly earlier: number;
  readonly revoked_at: Date | null;
}

/** The key that each of these servers uses, and what came before it; by name. */
export function certificatesOf(database: Queryable, servers: readonly ServerId[]): Promise<readonly CertificateRow[]> {
  return database.rows<CertificateRow>(sql`
    select s.id, s.name, s.enrolment, s.locked_code, s.session_instance is not null as connected,
      k.tls_key_sha256, k.certificate_serial, k.created_at, k.not_after,
      (select count(*) from agent_keys e where e.server_id = s.id and e.state = 'superseded' and e.certificate_serial is not null) as earlier,
      (select max(r.revoked_at) from agent_keys r where r.server_id = s.id) as revoked_at
    from servers s left join agent_keys k on k.server_id = s.id and k.state = 'active'
    where s.id = any(${servers}::uuid[]) order by s.name`);
}
