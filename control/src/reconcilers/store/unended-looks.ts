import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

export interface UnendedLook {
  readonly action: "server.tool_begun" | "server.packets_watched";
  readonly object: string;
  readonly server_id: string;
  readonly request_id: string;
  readonly new: { readonly tool?: string } | null;
}

/** Runs of tools and looks at packets that began so long ago that they are over, and of whose end the log says nothing. */
export function listUnendedLooks(
  database: Queryable,
  toolSeconds: number,
  packetSeconds: number,
): Promise<readonly UnendedLook[]> {
  return database.rows<UnendedLook>(sql`
    select b.action, b.object, b.server_id, b.request_id, b.new from audit_log b
    where b.action in ('server.tool_begun', 'server.packets_watched') and b.result_code = 'ok' and b.request_id is not null
      and b.at < now() - make_interval(secs => case b.action when 'server.tool_begun' then ${toolSeconds}::float8 else ${packetSeconds}::float8 end)
      and not exists (select from audit_log e where e.request_id = b.request_id and e.id > b.id)
    order by b.id`);
}
