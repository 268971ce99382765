import type { Digest, Generation, ServerId } from "@holdfast/core/base/id.ts";
import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";
import type { ServerRow } from "../../store/tables.ts";

/** The server confirmed a state that this database has never had: its number and digest are known, its content is not. */
export async function forgetConfirmed(
  tx: Queryable,
  server: ServerId,
  generation: Generation,
  digest: Digest,
): Promise<void> {
  await tx.run(sql`
    update servers set generation = greatest(generation, ${generation}), confirmed_digest = ${digest}, confirmed_config = null where id = ${server}`);
}

/** Which of these sessions are no longer the newest of their servers, and what took their place. */
export function listSuperseded(
  database: Queryable,
  sessions: readonly { readonly serverId: ServerId; readonly id: string }[],
): Promise<readonly Pick<ServerRow, "id" | "boot_id" | "session_id">[]> {
  return database.rows<Pick<ServerRow, "id" | "boot_id" | "session_id">>(sql`
    select s.id, s.boot_id, s.session_id from servers s
    join unnest(${sessions.map((each) => each.serverId)}::uuid[], ${sessions.map((each) => each.id)}::uuid[]) as mine (server_id, session_id)
      on mine.server_id = s.id
    where s.session_id is not null and s.session_id <> mine.session_id`);
}
