import type { Queryable } from "../../store/database.ts";
import { sql } from "../../store/sql.ts";

export interface ActorNames {
  /** `user/<id>` as the account's name, `agent/<id>` as the server's; everything else as it is. */
  actor(text: string): string;
  server(id: string): string;
}

export async function actorNames(
  database: Queryable,
  entries: readonly { readonly actor: string; readonly server_id: string | null }[],
): Promise<ActorNames> {
  const ids = entries
    .flatMap(({ actor, server_id }) => [/^(?:user|agent)\/([0-9a-f-]{36})$/.exec(actor)?.[1], server_id])
    .filter((id) => typeof id === "string");
  const rows = await database.rows<{ id: string; name: string }>(sql`
    select id, name from users where id = any(${ids}::uuid[]) union all select id, name from servers where id = any(${ids}::uuid[])`);
  const names = new Map(rows.map((row) => [row.id, row.name]));
  return {
    actor(text) {
      const [kind, id] = text.split("/", 2);
      const name = id === undefined ? undefined : names.get(id);
      if (name === undefined) return text;
      return kind === "agent" ? `agent of ${name}` : name;
    },
    server: (id) => names.get(id) ?? id,
  };
}
